"""Blank chips: puts MicroPython on one with esptool, or says how.

Here: which chip an image is for, where it goes. Not here: our own firmware (deploy.py).
"""

import importlib.util
import subprocess
import sys

from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.errors import OperationError, UsageError

# The chip's number in an image's header, bytes 12 and 13, and MicroPython's name of it.
_CHIPS = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 12: "esp32c2", 13: "esp32c6", 16: "esp32h2"}
_MAGIC = 0xE9
_INSTALL = "esptool is not installed: pip install 'deskonomy[flash]'"


def board_for(file):
    """The Board that the MicroPython image in this file is for. Raises UsageError, OperationError."""
    try:
        with open(file, "rb") as image:
            return board_of(image.read(24))
    except OSError as error:
        raise OperationError("cannot read %s: %s" % (file, error.strerror)) from None


def board_of(image):
    """The Board that a MicroPython image (bytes) is for. Raises UsageError, OperationError."""
    if len(image) < 24 or image[0] != _MAGIC:
        raise UsageError(
            "that is no image for an ESP32: take the .bin that MicroPython's download page has for your board"
        )
    number = int.from_bytes(image[12:14], "little")
    if number not in _CHIPS:
        raise UsageError("that image is for a chip (number %d) that is not known here" % number)
    return boards.of_mcu(_CHIPS[number])


def words(port, board, file):
    """What esptool is to be told, a list: erase the chip, and put this file onto it."""
    where = ["--chip", board.mcu, "--port", port, "--baud", "460800"]
    return [*where, "write-flash", "--erase-all", board.flash_offset, str(file)]


def flash(port, file, board):
    """Put MicroPython on the chip at this port: all that is on it is erased first. Raises OperationError."""
    if importlib.util.find_spec("esptool") is None:
        raise OperationError(_INSTALL)
    done = subprocess.run([sys.executable, "-m", "esptool", *words(port, board, file)])  # it shows how far it is
    if done.returncode:
        raise OperationError(
            "esptool could not put MicroPython on %s, and says why above; hold the board's BOOT button while you "
            "plug it in, then try again" % port
        )
    print("MicroPython is on the %s at %s" % (board.mcu, port))


def advice(port):
    """What to do about a port on which no MicroPython answers, in one line."""
    offsets = {}
    for board in map(boards.load, boards.names()):
        if board.flash_offset:
            offsets.setdefault(board.flash_offset, []).append(board.name)
    ways = "; ".join(
        "%s: esptool --port %s write-flash --erase-all %s FILE.bin" % (" or ".join(names), port, offset)
        for offset, names in sorted(offsets.items(), reverse=True)
    )
    return (
        "no MicroPython answers on %s. If its chip is blank, download the .bin for your board (1.23 or later) and type "
        "deskonomy board setup %s --flash-firmware FILE.bin, or with esptool: %s" % (port, port, ways)
    )
