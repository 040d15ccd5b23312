"""A button that steps a reading: each press is one more, and after `high` comes `low` again.

Presses are counted by the pin's interrupt, so that a short one is not missed. A contact that closes or opens bounces
for some milliseconds: only an edge after quiet counts, and every second one of those is a release.
"""

import time

from deskonomy_board.sensors.drivers.digital import PULLS
from machine import Pin
from micropython import const

_QUIET_MS = const(50)


def readings(settings):
    low, high = settings["low"], settings["high"]
    pull = settings.get("pull", "up")
    released = 0 if pull == "down" else 1
    pin = Pin(settings["pin"], Pin.IN, PULLS[pull])
    state = [0, time.ticks_ms(), pin.value()]  # presses, when the last edge was, the level that it left

    def edge(_):
        now = time.ticks_ms()
        if time.ticks_diff(now, state[1]) >= _QUIET_MS:
            state[0] += state[2] == released
            state[2] = 1 - state[2]
        state[1] = now

    pin.irq(edge, Pin.IRQ_FALLING | Pin.IRQ_RISING)
    while True:
        if time.ticks_diff(time.ticks_ms(), state[1]) >= _QUIET_MS:
            state[2] = pin.value()
        presses = state[0] % (abs(high - low) + 1)
        yield low + presses if high > low else low - presses
