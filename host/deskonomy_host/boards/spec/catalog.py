"""The catalog of boards: the contents of boards/NAME/board.json.

Here: reading the catalog, finding the entry for a chip, and the check of a config.json by the firmware's own rules. Not
here: a board on a port (deploy/inventory.py), what a user sets up (options.py).
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from deskonomy.errors import ConfigError
from deskonomy_board import config as board_config

from deskonomy_host import paths
from deskonomy_host.errors import OperationError, UsageError

CONFIG = "config.json"


@dataclass(frozen=True)
class Board:
    """A kind of board, one folder of boards/.

    Attributes:
        name: The name of its folder, which is MicroPython's name for the board.
        mcu: The chip, as MicroPython calls it.
        flash_offset: Where MicroPython starts on a blank chip, such as "0x1000".
        architecture: The machine code that its chip runs, as mpy-cross calls it; None for bytecode only.
        config: Its first config.json.
        light: A light sensor on its usual pin, as in config.json.
        pins: The pins with each capability while Wi-Fi is on ("adc", "touch", "in", "out"). An empty list means that
            the chip does not have the capability; an absent one that any pin has it.
        touch: The readings of an untouched and of a touched pin; None where there are no touch pins.
        indicator: Its own light, {"kind": "led" or "neopixel", "pin": number}.
        heap_bytes: The heap that MicroPython starts with; docs/memory.md has what the firmware takes of it.
    """

    name: str
    mcu: str
    flash_offset: str
    architecture: str | None
    config: dict[str, Any]
    light: dict[str, Any]
    pins: dict[str, list[int]]
    touch: list[int] | None
    indicator: dict[str, Any]
    heap_bytes: int


class Identity(Protocol):
    """What a board reports of itself: the build, platform and machine of its MicroPython."""

    @property
    def build(self) -> str: ...
    @property
    def platform(self) -> str: ...
    @property
    def machine(self) -> str: ...


def check_config(config: object, source: str | None = None) -> None:
    """Check that a board accepts this as its config.json.

    Args:
        config: The contents of the file.
        source: The file or option with which a user gave the settings; the message names it instead of config.json.

    Raises:
        OperationError: A board does not accept it; the text is the firmware's own.
        UsageError: The same, where there is a source.
    """
    try:
        board_config.check_settings(config)
    except ConfigError as error:
        if source:
            raise UsageError(source + str(error).removeprefix(CONFIG)) from None
        raise OperationError(str(error)) from None


def list_boards() -> list[str]:
    """Return the names of all boards, sorted."""
    return sorted(path.parent.name for path in paths.BOARDS.glob("*/board.json"))


def load_board(name: str) -> Board:
    """Return the board of this name. Raises UsageError."""
    if name not in list_boards():
        raise UsageError("there is no board %s in boards/, only %s" % (name, ", ".join(list_boards())))
    entry = json.loads((paths.BOARDS / name / "board.json").read_text(encoding="utf-8"))
    details = entry["deskonomy"]
    return Board(
        name=name,
        mcu=entry["mcu"],
        flash_offset=entry["deploy_options"]["flash_offset"],
        architecture=details["architecture"],
        config=details["config"],
        light=details["light"],
        pins=details["pins"],
        touch=details.get("touch"),
        indicator=details["indicator"],
        heap_bytes=details["heap_bytes"],
    )


def find_sensor(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the sensor of this name from a config.json. Raises UsageError."""
    sensors = {sensor["name"]: sensor for sensor in config.get("sensors", [])}
    if name not in sensors:
        known = ", ".join(sorted(sensors)) or "none"
        raise UsageError("%s has no sensor %s, only: %s" % (config.get("city", "the board"), name, known))
    return sensors[name]


def find_board_by_mcu(mcu: str) -> Board:
    """Return the board for a chip, such as "esp32s3". Raises OperationError."""
    for name in list_boards():
        board = load_board(name)
        if board.mcu == mcu:
            return board
    raise OperationError("boards/ has no board with a chip %s: boards/README.md says how to add one" % mcu)


def detect_board(identity: Identity) -> Board:
    """Return the board by the name of its MicroPython's build, else by its chip. Raises OperationError."""
    if identity.build in list_boards():
        return load_board(identity.build)
    if identity.platform in ("linux", "darwin"):
        return load_board("SIMULATED")
    # "Generic ESP32S3 module with ESP32-S3"; a chip's revisions and packages follow its name, as in ESP32-C3FH4.
    chip = identity.machine.rpartition(" with ")[2].replace("-", "").lower()
    matching = [board for board in map(load_board, list_boards()) if re.match(board.mcu + r"(?!\d|[chps]\d)", chip)]
    if not matching or identity.platform != "esp32":
        raise OperationError(
            "boards/ has nothing for %s: boards/README.md says how to add a board"
            % (identity.machine or identity.platform)
        )
    return matching[0]
