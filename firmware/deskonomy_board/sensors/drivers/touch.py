"""How long a touch pin takes to charge: a finger makes it less on an ESP32, more on an S2 or S3; a C3 has none."""

from deskonomy.compat import TYPE_CHECKING
from machine import Pin, TouchPad

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield readings of the charging time."""
    pad = TouchPad(Pin(settings["pin"]))
    while True:
        yield pad.read()
