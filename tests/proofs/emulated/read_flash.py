"""Print the bytes of a file on the image of a chip's flash; runs on MicroPython: read_flash.py FLASH OFFSET BYTES NAME

Here: the file system of the image, mounted in memory. Not here: where it lies on the flash (emulator.py).
"""

import sys

import vfs

BLOCK_BYTES = 4096
# Requests of MicroPython's block devices, see os.AbstractBlockDev.ioctl in its documentation.
COUNT_BLOCKS = 4
GET_BLOCK_BYTES = 5
ERASE_BLOCK = 6


class Partition:
    """A block device in memory, read from a part of an image; the image itself never changes."""

    def __init__(self, path: str, offset: int, size: int) -> None:
        with open(path, "rb") as image:
            image.seek(offset)
            self._data = bytearray(image.read(size))

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """Read from this offset in a block on."""
        start = block * BLOCK_BYTES + offset
        buffer[:] = memoryview(self._data)[start : start + len(buffer)]

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> None:
        """Write from this offset in a block on."""
        start = block * BLOCK_BYTES + offset
        memoryview(self._data)[start : start + len(buffer)] = buffer

    def ioctl(self, request: int, block: int) -> int:
        """Answer a request about the device or a block."""
        if request == COUNT_BLOCKS:
            return len(self._data) // BLOCK_BYTES
        if request == GET_BLOCK_BYTES:
            return BLOCK_BYTES
        if request == ERASE_BLOCK:
            self.writeblocks(block, b"\xff" * BLOCK_BYTES)
        return 0


path, offset, size, name = sys.argv[1:]
vfs.mount(vfs.VfsLfs2(Partition(path, int(offset), int(size))), "/flash")
with open("/flash/" + name, "rb") as file:
    sys.stdout.buffer.write(file.read())
