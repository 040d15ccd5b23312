"""Stands in for a part of `time`: a clock that runs faster than real time, for tests of weeks.

asyncio uses it too. This clock is ahead of the real time, with which asyncio's part in C schedules the tasks that are
to run at once: that time is in the past, so they run.
"""

import sys
import time as _time
from asyncio import core
from time import ticks_add, ticks_diff

import hardware

_SPEED = hardware.read("clock")
_START_MS = _time.ticks_ms()
_wait = core.IOQueue.wait_io_event


def ticks_ms():
    return ticks_add(_START_MS, ticks_diff(_time.ticks_ms(), _START_MS) * _SPEED)


def sleep(seconds):
    sleep_ms(int(seconds * 1000))


def sleep_ms(ms):
    _time.sleep_ms(ms // _SPEED)


def _wait_io_event(self, dt):
    _wait(self, -(-dt // _SPEED))


core.IOQueue.wait_io_event = _wait_io_event
core.ticks = ticks_ms
sys.modules["time"] = sys.modules["clock"]
