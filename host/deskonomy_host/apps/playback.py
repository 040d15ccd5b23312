"""`deskonomy history FILE --dashboard`: a finished history in the dashboard, played back.

Here: a history as one of the dashboard's sources (dashboard/source.py), with a clock of its own. Not here: reading the
file (history_reader.py), the page (dashboard).
"""

import asyncio
import time

from deskonomy_host.dashboard import app as show
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.history.reader import History

_WHOLE_S = 60  # a long history is over after so long, unless somebody slows it down


def play(path, wish, tell=print):
    """Show a history until Ctrl-C. wish: a dashboard.show.Wish. Raises OperationError, KeyboardInterrupt."""
    with History(path) as history:
        if not history.samples:
            raise OperationError(f"{path} holds no samples: its run ended before the first one")
        asyncio.run(_play(history, wish, tell))


async def _play(history, wish, tell):
    async with show.serve(wish, Played(history), history.colours, tell=tell):
        await asyncio.Event().wait()


class Played:
    """A History as a dashboard.source.Source: it runs from its beginning to its end, and stops there.

    now: what the time is that passes here, in seconds. Its commands are pause(paused), speed(ticks_per_s), step(ticks)
    and seek(time_s); they return how time passes then, and raise Wrong.
    """

    def __init__(self, history, now=time.monotonic):
        self.origin = history.path.name
        self.commands = {"pause": self.pause, "speed": self.speed, "step": self.step, "seek": self.seek}
        self._history = history
        self._now = now
        self._events = history.events()
        self._ticks_per_s = _pace(history)  # as it was recorded
        duration_s = history.end_s - history.begin_s
        self._factor = max(1.0, duration_s / _WHOLE_S)
        self._paused = False
        self._at_s = history.begin_s  # where it was
        self._since_s = now()  # when that was
        self._told_s = history.begin_s

    def now_s(self):
        """The time that is played, in seconds since 1970."""
        passed_s = 0.0 if self._paused else (self._now() - self._since_s) * self._factor
        return min(self._history.end_s, self._at_s + passed_s)

    def read(self):
        """The statuses of that time."""
        return self._history.at(self.now_s())[1]

    def take_events(self):
        """What was noted since the last call; what can be seen in the statuses is found there."""
        before_s, self._told_s = self._told_s, self.now_s()
        return [
            {"time": event.time_s, "city": event.city or "", "kind": event.kind, "text": event.text}
            for event in self._events
            if event.kind == "note" and before_s <= event.time_s < self._told_s
        ]

    def clock(self):
        """How time passes, and the ends of what there is, in seconds."""
        ends = {"from": self._history.begin_s, "to": self._history.end_s}
        paused = self._paused or self.now_s() >= self._history.end_s
        return {"paused": paused, "ticks_per_s": float(f"{self._ticks_per_s * self._factor:.3g}")} | ends

    def pause(self, paused):
        """Stand still, or go on; from the end on it begins anew."""
        if not isinstance(paused, bool):
            raise UsageError(f"paused takes true or false, not {paused!r}")
        at_s = self.now_s()
        self._paused = paused
        return self._go_to(self._history.begin_s if not paused and at_s >= self._history.end_s else at_s)

    def speed(self, ticks_per_s):
        """Play so fast. None: as fast as it is over in two seconds."""
        if ticks_per_s is None:
            ticks_per_s = self._ticks_per_s * max(1.0, (self._history.end_s - self._history.begin_s) / 2)
        at_s = self.now_s()
        self._factor = _number("ticks_per_s", ticks_per_s, 0.001, 1e9) / self._ticks_per_s
        return self._go_to(at_s)

    def step(self, ticks):
        """Go on by so many ticks."""
        return self._go_to(self.now_s() + _number("ticks", ticks, 1, 1e9) / self._ticks_per_s)

    def seek(self, time_s):
        """Go to this time."""
        return self._go_to(_number("time_s", time_s, 0, 1e12))

    def _go_to(self, time_s):
        self._at_s = min(self._history.end_s, max(self._history.begin_s, time_s))
        self._told_s = min(self._told_s, self._at_s)
        self._since_s = self._now()
        return self.clock()


def _pace(history):
    """The ticks a second of the fastest city; 1 where none moved."""
    duration_s = history.end_s - history.begin_s
    rows = history.query("SELECT max(tick) - min(tick) FROM states GROUP BY city")
    ticks = max((row[0] for row in rows), default=0)
    return ticks / duration_s if ticks and duration_s else 1.0


def _number(what, value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{what} takes a number from {low:g} to {high:g}, not {value!r}")
    return value
