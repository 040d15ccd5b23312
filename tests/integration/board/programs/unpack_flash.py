"""Unpacks the image of a board's flash: run by a MicroPython, `unpack_flash.py IMAGE FOLDER`.

Here: a littlefs as an ESP32 has it, 512 blocks of 4096 bytes, read from a file of this machine.
"""

import os
import sys

import vfs

BLOCK_BYTES = 4096


class Image:
    """A flash whose bytes are an image; it cannot be written."""

    def __init__(self, data):
        self._data = memoryview(data)

    def readblocks(self, block, data, offset=0):
        start = block * BLOCK_BYTES + offset
        data[:] = self._data[start : start + len(data)]

    def writeblocks(self, block, data, offset=0):
        raise OSError("the image is read only")

    def ioctl(self, request, block):
        return {4: len(self._data) // BLOCK_BYTES, 5: BLOCK_BYTES}.get(request, 0)


def unpack(source, target):
    """Copy the files of a folder, and of those in it."""
    for entry in os.ilistdir(source):
        path = "/" + entry[0]
        if entry[1] == 0x4000:
            os.mkdir(target + path)
            unpack(source + path, target + path)
        else:
            with open(source + path, "rb") as old, open(target + path, "wb") as new:
                new.write(old.read())


with open(sys.argv[1], "rb") as file:
    vfs.mount(vfs.VfsLfs2(Image(file.read())), "/flash")
unpack("/flash", sys.argv[2])
