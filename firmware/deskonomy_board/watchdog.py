"""The watchdog: it resets a board whose program stands still.

Here: when it is fed, which is while the city ticks, the Wi-Fi is looked at and the sensors are asked. Not here: who
does that; how it is kept from biting at the REPL (start.py).

It bites 30 s after the program stood still, and 50 s after one of these did, for that gets 20 s to give a sign of life.
Both are longer than anything that may block a board, such as a name that does not resolve.
"""

import asyncio
import time

from machine import WDT
from micropython import const

_BITES_MS = const(30_000)
_STILL_MS = const(20_000)
_LOOK_MS = const(1000)


async def guard(signs, still_ms=_STILL_MS):
    """Feed the watchdog, for ever, while each of these functions gives another value than before, now and then."""
    dog = WDT(timeout=_BITES_MS)
    seen = [None] * len(signs)
    since = [time.ticks_ms()] * len(signs)
    while True:
        now = time.ticks_ms()
        for at, sign in enumerate(signs):
            value = sign()
            if value != seen[at]:
                seen[at], since[at] = value, now
        if all([time.ticks_diff(now, then) < still_ms for then in since]):
            dog.feed()
        await asyncio.sleep_ms(_LOOK_MS)
