"""The kinds of boards: what boards/NAME/board.json says of each.

Here: which of them a chip is, and what its config.json says at first. Not here: the board itself (survey.py).
"""

import json
import re
from dataclasses import dataclass

from deskonomy.errors import ConfigError
from deskonomy_board import config as board_config

from deskonomy_host import paths
from deskonomy_host.errors import OperationError, UsageError

CONFIG = "config.json"


@dataclass(frozen=True)
class Board:
    """One folder of boards/.

    mcu: the chip, as MicroPython calls it. flash_offset: where MicroPython goes on a blank chip, such as "0x1000".
    architecture: whose machine code it runs. config: what its first config.json says. light: how a light sensor on
    its pin stands in a config.json. pins: {"adc", "touch", "in", "out": the pins that can do that while Wi-Fi is on},
    none where the chip has no such thing; what is not listed goes to any pin. touch: what a touch pin reads when nobody
    touches it, and when somebody does. indicator: {"kind": "led" or "neopixel", "pin"} of the light that it has.
    heap_bytes: of memory that MicroPython begins with there; docs/memory.md says what the firmware takes.
    """

    name: str
    mcu: str
    flash_offset: str
    architecture: str | None
    config: dict
    light: dict
    pins: dict[str, list[int]]
    touch: list[int] | None
    indicator: dict
    heap_bytes: int


def check(config, said=None):
    """Raises OperationError, in the firmware's own words, if a board would not take this as its config.json.

    said: where somebody has said so, such as a file; that is what the words then name, in a UsageError.
    """
    try:
        board_config.check(config)
    except ConfigError as error:
        if said:
            raise UsageError(said + str(error).removeprefix(CONFIG)) from None
        raise OperationError(str(error)) from None


def names():
    """All kinds of boards, sorted."""
    return sorted(path.parent.name for path in paths.BOARDS.glob("*/board.json"))


def load(name):
    """The Board of this name. Raises UsageError."""
    if name not in names():
        raise UsageError("there is no board %s in boards/, only %s" % (name, ", ".join(names())))
    words = json.loads((paths.BOARDS / name / "board.json").read_text(encoding="utf-8"))
    ours = words["deskonomy"]
    return Board(
        name=name,
        mcu=words["mcu"],
        flash_offset=words["deploy_options"]["flash_offset"],
        architecture=ours["architecture"],
        config=ours["config"],
        light=ours["light"],
        pins=ours["pins"],
        touch=ours.get("touch"),
        indicator=ours["indicator"],
        heap_bytes=ours["heap_bytes"],
    )


def sensor_of(config, name):
    """How a config.json describes its sensor of this name. Raises UsageError."""
    sensors = {words["name"]: words for words in config.get("sensors", [])}
    if name not in sensors:
        has = ", ".join(sorted(sensors)) or "none"
        raise UsageError("%s has no sensor %s, only: %s" % (config.get("city", "the board"), name, has))
    return sensors[name]


def of_mcu(mcu):
    """The Board for a chip, such as "esp32s3". Raises OperationError."""
    for name in names():
        board = load(name)
        if board.mcu == mcu:
            return board
    raise OperationError("boards/ knows no board with a chip %s: boards/README.md says how to add one" % mcu)


def detect(survey):
    """The Board that was surveyed: by the name of its MicroPython's build, else by its chip. Raises OperationError."""
    if survey.build in names():
        return load(survey.build)
    if survey.platform in ("linux", "darwin"):
        return load("SIMULATED")
    # "Generic ESP32S3 module with ESP32-S3"; a chip's revisions and packages follow its name, as in ESP32-C3FH4.
    chip = survey.machine.rpartition(" with ")[2].replace("-", "").lower()
    fitting = [board for board in map(load, names()) if re.match(board.mcu + r"(?!\d|[chps]\d)", chip)]
    if not fitting or survey.platform != "esp32":
        raise OperationError(
            "boards/ has nothing for %s: boards/README.md says how to add a board" % (survey.machine or survey.platform)
        )
    return fitting[0]
