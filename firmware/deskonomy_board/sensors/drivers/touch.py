"""How long a touch pin takes to charge: a finger makes it less on an ESP32, more on an S2 or S3; a C3 has none.

A pad reads 0 before its first measurement, which takes less than a second, and the most that 22 bits hold if it never
charges, at ground for example.
"""

from deskonomy.compat import TYPE_CHECKING
from machine import Pin, TouchPad
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEVER = const(0x3FFFFF)
_ZEROS_MAX = const(10)  # samples, a second


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings of the charging time, None before the first."""
    pad = TouchPad(Pin(settings["pin"]))
    zeros = 0
    while True:
        reading = pad.read()
        zeros = 0 if reading else zeros + 1
        if reading == _NEVER or zeros > _ZEROS_MAX:
            raise OSError("impossible answer %d" % reading)
        yield reading or None
