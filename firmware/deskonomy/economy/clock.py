"""Time for cities: how many ticks pass, and when everything else gets its turn.

Here: paced or unpaced ticking inside asyncio, the same on a board and on a host. Not here: what a tick does
(kernel.py).
"""

import asyncio

from deskonomy.compat import const, ticks_add, ticks_diff, ticks_ms

_TURNS = const(8)  # of the loop between two slices: a merchant passes through several tasks on its way
_CATCH_UP_MS = const(1000)  # whoever falls further behind than this (a laptop that slept) does not run to catch up


class Drive:
    """Drives cities in step: each tick runs in all of them, in the order given, before the next one.

    ticks_per_s: the pace, None for as fast as the machine allows; it and `paused` may be changed at any time.
    slice_ms: tasks of the same asyncio loop get their turn at least this often, unless one tick takes longer.
    gap_ms: the longest time between two ticks since somebody set it to 0.
    """

    def __init__(self, cities, ticks_per_s=None, slice_ms=8):
        self.cities = cities
        self.ticks_per_s = ticks_per_s
        self.slice_ms = slice_ms
        self.paused = False
        self.ticks = 0
        self.gap_ms = 0
        self._ended = ticks_ms()  # the last slice
        self._batch = 1  # ticks that fit into a slice, found by trying

    def step(self, ticks):
        """Run so many ticks now, without a pause in between. Returns the ticks run: all of them."""
        if len(self.cities) == 1:
            self.cities[0].run(ticks)
        else:
            for _ in range(ticks):
                for city in self.cities:
                    city.run(1)
        self.ticks += ticks
        return ticks

    def _slice(self, ticks):
        """Run up to so many ticks, but no longer than a slice. Returns the ticks run."""
        start = now = ticks_ms()
        self.gap_ms = max(self.gap_ms, ticks_diff(start, self._ended))
        ran = 0
        while ran < ticks:
            batch = min(self._batch, ticks - ran)
            before = ticks_ms()
            done = self.step(batch)
            ran += done
            now = ticks_ms()
            spent = ticks_diff(now, before)
            if spent > self.slice_ms // 4:
                self._batch = max(1, self._batch // 2)
            elif batch == self._batch and spent < self.slice_ms // 8:
                self._batch *= 2
            if done < batch or ticks_diff(now, start) + spent >= self.slice_ms:
                break
        self._ended = now
        return ran

    async def run(self, ticks=None):
        """Let so many ticks pass, those of step() among them, or go on for ever."""
        end = None if ticks is None else self.ticks + ticks
        pace, since, due_since = None, ticks_ms(), 0
        while end is None or self.ticks < end:
            now = ticks_ms()
            if self.paused or self.ticks_per_s != pace:
                pace, since, due_since = self.ticks_per_s, now, 0  # count anew
            if self.paused:
                await asyncio.sleep(0.05)
                continue
            if pace is None:
                due = 1_000_000
            else:
                late_ms = ticks_diff(now, since)
                due = int(late_ms * pace) // 1000 - due_since
                if late_ms > _CATCH_UP_MS and due > max(1, pace * _CATCH_UP_MS // 1000):
                    since, due_since = now, 0
                    due = 1
            if end is not None:
                due = min(due, end - self.ticks)
            if due > 0:
                due_since += self._slice(due)
                # Start the count over now and then, so that neither number grows for ever.
                if pace is not None and due_since >= pace * 60:
                    spent_ms = int(due_since * 1000 / pace)
                    since, due_since = ticks_add(since, spent_ms), 0
            if pace is None or due > 0:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(_wait_s(pace))


def _wait_s(pace):
    """How long to sleep until about the next tick, in seconds."""
    return max(0.001, min(0.5, 0.5 / pace))


async def drive(cities, ticks_per_s=None, ticks=None, slice_ms=8):
    """Drive these cities: see Drive."""
    await Drive(cities, ticks_per_s, slice_ms).run(ticks)
