"""The watchdog: it resets a board whose program hangs.

Here: when the watchdog is fed, which is while every part of the program shows a heartbeat. Not here: the parts
themselves (main.py names them), the watchdog's long timeout at the REPL (boot_guard.py).

The board resets 30 s after the whole program hangs, and 50 s after a single part does, because a part has 20 s for its
next heartbeat. Both are longer than anything that may block a board, such as the lookup of a name without an answer.
"""

import asyncio
import time

from deskonomy.compat import TYPE_CHECKING
from machine import WDT
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_MS = const(30_000)
_HEARTBEAT_MS = const(20_000)
_CHECK_MS = const(1000)


class Heartbeat:
    """The sign of life of a part of the program: an attribute that changes for as long as the part runs."""

    def __init__(self, part: object, attribute: str) -> None:
        self._part = part
        self._attribute = attribute
        self._value = None
        self._changed_ms = time.ticks_ms()

    def is_alive(self) -> bool:
        """Return whether the attribute has changed within the last 20 s; call this at least once a second."""
        now_ms = time.ticks_ms()
        value = getattr(self._part, self._attribute)
        if value != self._value:
            self._value = value
            self._changed_ms = now_ms
        return time.ticks_diff(now_ms, self._changed_ms) < _HEARTBEAT_MS


async def feed_watchdog(heartbeats: "Sequence[Heartbeat]") -> None:
    """Start the watchdog, and feed it for ever while all heartbeats are alive."""
    watchdog = WDT(timeout=_TIMEOUT_MS)
    while True:
        if all([heartbeat.is_alive() for heartbeat in heartbeats]):
            watchdog.feed()
        await asyncio.sleep_ms(_CHECK_MS)
