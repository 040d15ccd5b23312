"""A pin that is low (0) or high (1): a motion sensor, a switch, a module's DO."""

from deskonomy.compat import TYPE_CHECKING
from machine import Pin

if TYPE_CHECKING:
    from collections.abc import Iterator

PULLS = {"up": Pin.PULL_UP, "down": Pin.PULL_DOWN, None: None}


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield the pin's level, 0 or 1."""
    pin = Pin(settings["pin"], Pin.IN, PULLS[settings.get("pull")])
    while True:
        yield pin.value()
