"""Blank chips: writing MicroPython to one with esptool.

Here: which chip an image is for, the arguments of esptool, and advice where no MicroPython answers. Not here: the
project's own firmware (deploy.py).
"""

import subprocess
import sys
from os import PathLike

from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec.catalog import Board
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.extras import find_missing

# The chip's number in an image's header, bytes 12 and 13, and MicroPython's name of the chip.
_CHIPS = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3", 12: "esp32c2", 13: "esp32c6", 16: "esp32h2"}
_HEADER_BYTES = 24
_MAGIC = 0xE9


def identify_file(path: str | PathLike[str]) -> Board:
    """Return the board that the MicroPython image in this file is for.

    Raises:
        UsageError: The file is no image, or its chip is unknown.
        OperationError: The file cannot be read, or boards/ has no board with this chip.
    """
    try:
        with open(path, "rb") as image:
            return identify_board(image.read(_HEADER_BYTES))
    except OSError as error:
        raise OperationError("cannot read %s: %s" % (path, error.strerror)) from None


def identify_board(image: bytes) -> Board:
    """Return the board that a MicroPython image is for. Raises as identify_file() does."""
    if len(image) < _HEADER_BYTES or image[0] != _MAGIC:
        raise UsageError(
            "that is no image for an ESP32: use the .bin file from MicroPython's download page for your board"
        )
    number = int.from_bytes(image[12:14], "little")
    if number not in _CHIPS:
        raise UsageError("that image is for a chip (number %d) that is not known here" % number)
    return catalog.find_board_by_mcu(_CHIPS[number])


def make_esptool_arguments(port: str, board: Board, path: str | PathLike[str]) -> list[str]:
    """Return the arguments with which esptool erases a chip and writes this image to it."""
    connection = ["--chip", board.mcu, "--port", port, "--baud", "460800"]
    return [*connection, "write-flash", "--erase-all", board.flash_offset, str(path)]


def flash_micropython(port: str, path: str | PathLike[str], board: Board) -> None:
    """Write MicroPython to the chip at this port. All that is on the chip is erased first. Raises OperationError."""
    missing = find_missing("flash")
    if missing:
        raise OperationError(missing)
    command = [sys.executable, "-m", "esptool", *make_esptool_arguments(port, board, path)]
    if subprocess.run(command).returncode:  # it prints its own progress
        raise OperationError(
            "esptool could not put MicroPython on %s; its message above says why. Hold the board's BOOT button while "
            "you plug it in, then try again" % port
        )
    print("MicroPython is on the %s at %s" % (board.mcu, port))


def advise_blank_chip(port: str) -> str:
    """Return one line on what to do about a port on which no MicroPython answers."""
    names_by_offset: dict[str, list[str]] = {}
    for board in map(catalog.load_board, catalog.list_boards()):
        if board.flash_offset:
            names_by_offset.setdefault(board.flash_offset, []).append(board.name)
    commands = "; ".join(
        "%s: esptool --port %s write-flash --erase-all %s FILE.bin" % (" or ".join(names), port, offset)
        for offset, names in sorted(names_by_offset.items(), reverse=True)
    )
    return (
        "no MicroPython answers on %s. If its chip is blank, download the .bin for your board (1.23 or later) and type "
        "deskonomy board setup %s --flash-firmware FILE.bin, or with esptool: %s" % (port, port, commands)
    )
