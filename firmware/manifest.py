# type: ignore
# Freezes the firmware into an image of MicroPython: boards/*/manifest.py includes this.
module("main.py", opt=3)
package("deskonomy", opt=3)
package("board", opt=3)
