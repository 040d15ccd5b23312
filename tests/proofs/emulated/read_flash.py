"""What a file on a chip's flash holds: run by a MicroPython, `read_flash.py FLASH OFFSET BYTES NAME`; to stdout."""

import sys

import vfs

BLOCK = 4096


class Partition:
    """A part of a flash that is a file here; nothing is written to it."""

    def __init__(self, path, offset, size):
        with open(path, "rb") as file:
            file.seek(offset)
            self._cells = bytearray(file.read(size))

    def readblocks(self, block, data, offset=0):
        at = block * BLOCK + offset
        data[:] = memoryview(self._cells)[at : at + len(data)]

    def writeblocks(self, block, data, offset=0):
        at = block * BLOCK + offset
        memoryview(self._cells)[at : at + len(data)] = data

    def ioctl(self, request, block):
        if request == 4:
            return len(self._cells) // BLOCK
        if request == 5:
            return BLOCK
        if request == 6:
            self.writeblocks(block, b"\xff" * BLOCK)
        return 0


path, offset, size, name = sys.argv[1:]
vfs.mount(vfs.VfsLfs2(Partition(path, int(offset), int(size))), "/flash")
with open("/flash/" + name, "rb") as file:
    sys.stdout.buffer.write(file.read())
