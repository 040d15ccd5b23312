"""A button that steps a reading: each press adds 1, and after `high` comes `low` again.

Presses are counted by the pin's interrupt, so that a short one is not missed. A contact that closes or opens bounces
for some milliseconds: an edge counts only after a quiet time, and every second edge that counts is a release. A
negative difference of ticks is a quiet time, too: of a week, after which ticks have wrapped.
"""

import time

from deskonomy.compat import TYPE_CHECKING
from deskonomy_board.sensors.drivers.digital import PULLS
from machine import Pin
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUIET_MS = const(50)


def read_sensor(settings: dict) -> "Iterator[int]":
    """Yield low plus the number of presses so far, modulo the number of steps from low to high."""
    low, high = settings["low"], settings["high"]
    pull = settings.get("pull", "up")
    released = 0 if pull == "down" else 1
    pin = Pin(settings["pin"], Pin.IN, PULLS[pull])
    state = [0, time.ticks_ms(), pin.value()]  # presses, the time of the last edge, the pin's level after it

    def count_edge(_):
        now = time.ticks_ms()
        if not 0 <= time.ticks_diff(now, state[1]) < _QUIET_MS:
            state[0] += state[2] == released
            state[2] = 1 - state[2]
        state[1] = now

    pin.irq(count_edge, Pin.IRQ_FALLING | Pin.IRQ_RISING)
    while True:
        if not 0 <= time.ticks_diff(time.ticks_ms(), state[1]) < _QUIET_MS:
            state[2] = pin.value()
        steps = state[0] % (abs(high - low) + 1)
        yield low + steps if high > low else low - steps
