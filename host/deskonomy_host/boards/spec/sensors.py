"""The kinds of sensors and lights, with names for the columns of the firmware's table.

Here: SENSORS and LIGHTS by the name of the kind, and the stand-ins that a simulated board needs for a config.json. Not
here: the table itself (firmware/deskonomy_board/sensors/specs.py), usual values of a sensor (defaults.py).
"""

from typing import Any, NamedTuple

from deskonomy_board.config import is_owners
from deskonomy_board.sensors import specs


class Quantity(NamedTuple):
    """Something that a sensor measures; its readings are integers.

    Attributes:
        name: The name of the quantity, a value of the setting `reads` where a kind has several.
        lowest, highest: The range of readings that the sensor can deliver; None where `low` and `high` decide.
        low, high: The usual readings of level 0 and level 1.
        difference_min: The least difference between both that calibration accepts; 0 where there is nothing to
            calibrate.
        ends: How a user produces both readings; where there is nothing to calibrate, what the sensor reads.
    """

    name: str
    lowest: int | None
    highest: int | None
    low: int
    high: int
    difference_min: int
    ends: str


class KindSpec(NamedTuple):
    """Everything that is known of a kind of sensor or light besides its driver.

    Attributes:
        kind: Its name in config.json.
        pins: (setting, capability) of each setting that is a pin; a capability is a key of Board.pins.
        options: The names of its other settings, which config.json may leave out.
        quantities: What it reads; nothing for a light.
        bus: Sensors of the same bus may share a pin; "" allows no sharing.
        stand_ins: The modules of boards/SIMULATED/stand_ins that a simulated board loads for it.
        simulated_by: Where a simulated board puts a reading: "pin", "rssi", or "" where it cannot.
    """

    kind: str
    pins: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    quantities: tuple[Quantity, ...]
    bus: str
    stand_ins: tuple[str, ...]
    simulated_by: str


def _name_columns(row: tuple[Any, ...]) -> KindSpec:
    spec = KindSpec._make(row)
    return spec._replace(quantities=tuple(map(Quantity._make, spec.quantities)))


SENSORS: dict[str, KindSpec] = {spec.kind: spec for spec in map(_name_columns, specs.SENSORS)}
LIGHTS: dict[str, KindSpec] = {spec.kind: spec for spec in map(_name_columns, specs.LIGHTS)}
KINDS = {**SENSORS, **LIGHTS}
OWN_DRIVERS = "drivers"  # the folder of a board for drivers of its owner; such a sensor's kind is "drivers/NAME"
_ENDS_OF_OWN = "what its driver reads at least, and at most"
# Settings of a sensor that are text, also where they look like a number.
TEXT_SETTINGS: tuple[str, ...] = (
    *("name", "kind", "good", "reads"),
    *(name for name, limits, _ in specs.OPTION_RULES if isinstance(limits, int) or isinstance(limits[0], str)),
)


def find_spec(part: dict[str, Any]) -> KindSpec | None:
    """Return the row for a sensor or a light as in config.json; None if there is no such kind.

    A driver of the board's owner has the pins among its settings, and shares those of an I2C bus.
    """
    kind = part.get("kind")
    if not is_owners(kind):
        return KINDS.get(str(kind))
    pins = tuple((setting, "in" if setting == "pin" else "out") for setting in specs.OWN_PINS if setting in part)
    quantity = Quantity("reading", None, None, 0, 1, 1, _ENDS_OF_OWN)
    return KindSpec(
        str(kind), pins, (), (quantity,), "I2C" if "scl" in part else "", (), "pin" if "pin" in part else ""
    )


def list_own_drivers(config: dict[str, Any]) -> list[str]:
    """Return the paths on a board, without suffix, of the owner's drivers that its sensors need, sorted."""
    return sorted({sensor["kind"] for sensor in config.get("sensors", []) if is_owners(sensor.get("kind"))})


def list_stand_ins(config: bytes) -> list[str]:
    """Return the stand-ins that a simulated board with this config.json loads, each before those that need it.

    The text is searched for the names of kinds, so that a config.json with an error in it has its stand-ins too.
    """
    named = [spec for spec in KINDS.values() if b'"%s"' % spec.kind.encode() in config]
    if b'"%s/' % OWN_DRIVERS.encode() in config:  # what the owner's driver imports is not known
        named = list(KINDS.values())
    return list(dict.fromkeys(module for spec in named for module in spec.stand_ins))
