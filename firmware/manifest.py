# type: ignore
# Freezes the firmware into an image of MicroPython: boards/*/manifest.py includes this. It runs where MicroPython is
# built, in this folder, by the Python of that build, and needs nothing besides the sources.
#
# The sources are frozen as they are. Frozen code runs from the flash, so making it smaller first, as a deploy does,
# would save PLACEHOLDER KB of a board's heap.
module("main.py", opt=3)
package("deskonomy", opt=3)
package("deskonomy_board", opt=3)
