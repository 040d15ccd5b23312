"""The clock of cities: when their ticks run, and when other tasks get their turn.

Here: ticking at a pace or as fast as possible, inside asyncio, the same on a board and on a host. Not here: what a tick
does (kernel.py).
"""

import asyncio

from deskonomy.compat import TYPE_CHECKING, const, ticks_add, ticks_diff, ticks_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deskonomy.economy.city import City

_TURNS = const(8)  # of the event loop between two slices: a merchant passes through several tasks on its way
_CATCH_UP_MS = const(1000)  # after a longer delay (a laptop that slept) the clock does not catch up
_UNLIMITED_TICKS = const(1_000_000)  # in a slice, which ends by its time
_COUNT_S = const(60)  # after which the ticks since the pace was set are counted anew, so that no number grows forever


class Clock:
    """Runs cities in step: each tick runs in all of them, in the order given, before the next one.

    Attributes:
        cities: the cities, in order.
        ticks_per_s: the pace; None for as fast as possible. It may change at any time.
        paused: no ticks run while it is True. It may change at any time.
        slice_ms: other tasks of the asyncio loop get their turn at least this often, unless one tick takes longer.
        ticks: the number of ticks run.
        gap_ms: the longest time between two slices since it was last set to 0.
    """

    def __init__(self, cities: "Sequence[City]", ticks_per_s: "float | None" = None, slice_ms: int = 8) -> None:
        self.cities = cities
        self.ticks_per_s = ticks_per_s
        self.slice_ms = slice_ms
        self.paused = False
        self.ticks = 0
        self.gap_ms = 0
        self._slice_end = ticks_ms()
        self._batch = 1  # ticks that fit into a quarter of a slice, found by trying

    def step(self, ticks: int) -> int:
        """Run this many ticks now, without a pause. Return the ticks run: all, where no other process takes part."""
        if len(self.cities) == 1:
            self.cities[0].run(ticks)
        else:
            for _ in range(ticks):
                for city in self.cities:
                    city.run(1)
        self.ticks += ticks
        return ticks

    def run_slice(self, ticks: int) -> int:
        """Run up to this many ticks, but not longer than a slice. Return the number of ticks run."""
        start = now = ticks_ms()
        self.gap_ms = max(self.gap_ms, ticks_diff(start, self._slice_end))
        ran = 0
        while ran < ticks:
            batch = min(self._batch, ticks - ran)
            before = ticks_ms()
            done = self.step(batch)
            ran += done
            now = ticks_ms()
            spent_ms = ticks_diff(now, before)
            if spent_ms > self.slice_ms // 4:
                self._batch = max(1, self._batch // 2)
            elif batch == self._batch and spent_ms < self.slice_ms // 8:
                self._batch *= 2
            if done < batch or ticks_diff(now, start) + spent_ms >= self.slice_ms:
                break
        self._slice_end = now
        return ran

    async def run(self, ticks: "int | None" = None) -> None:
        """Run this many ticks, those of step() included; None for no end."""
        end = None if ticks is None else self.ticks + ticks
        # `since` is the time from which ticks are counted; `counted` of the due ticks have run.
        pace, since, counted = None, ticks_ms(), 0
        while end is None or self.ticks < end:
            now = ticks_ms()
            if self.paused or self.ticks_per_s != pace:
                pace, since, counted = self.ticks_per_s, now, 0
            if self.paused:
                self._slice_end = now  # a pause is no gap
                await asyncio.sleep(0.05)  # then look at `paused` again
                continue
            late_ms = ticks_diff(now, since)
            if pace is None:
                due = _UNLIMITED_TICKS
            else:
                due = int(late_ms * pace) // 1000 - counted
                if late_ms > _CATCH_UP_MS and due > max(1, pace * _CATCH_UP_MS // 1000):
                    since, counted = now, 0
                    due = 1
            if end is not None:
                due = min(due, end - self.ticks)
            if due > 0:
                counted += self.run_slice(due)
                if pace is not None and counted >= pace * _COUNT_S:
                    since, counted = ticks_add(since, int(counted * 1000 / pace)), 0
            if pace is None or due > 0:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(_wait_s((counted + 1) / pace - late_ms / 1000))


def _wait_s(left_s: float) -> float:
    """Return how long to sleep until the next tick is due, or `paused` and the pace have to be looked at again."""
    return max(0.001, min(0.5, left_s))


async def run_cities(
    cities: "Sequence[City]", ticks_per_s: "float | None" = None, ticks: "int | None" = None, slice_ms: int = 8
) -> None:
    """Run cities by a Clock; see there for the arguments."""
    await Clock(cities, ticks_per_s, slice_ms).run(ticks)
