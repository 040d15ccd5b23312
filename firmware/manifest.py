# type: ignore
# Freezes the firmware into an image of MicroPython: boards/*/manifest.py includes this. It runs where MicroPython is
# built, in this folder, by the Python of that build, and needs nothing besides the sources.
#
# The sources are frozen as they are. Frozen code runs from the flash: before a city is born, 13.6 KB of the heap are in
# use, and 11.8 KB if the code is made smaller first, as a deploy makes it (release 0.1.0, with 32-bit pointers).
module("main.py", opt=3)
package("deskonomy", opt=3)
package("deskonomy_board", opt=3)
