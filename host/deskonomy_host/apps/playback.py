"""`deskonomy history FILE --dashboard`: a finished history, played back in the dashboard.

Here: a history as one of the dashboard's sources (telemetry/source.py), with a clock of its own. Not here: reading the
file (history/reader.py), the page (dashboard/).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from deskonomy_host import validation
from deskonomy_host.control.commands import Implementations, bind
from deskonomy_host.dashboard import app as dashboard
from deskonomy_host.dashboard.app import DashboardSettings
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.history.reader import History
from deskonomy_host.telemetry.events import NOTE, Event
from deskonomy_host.telemetry.source import Pace
from deskonomy_host.terminal.display import print_address

_WHOLE_S = 60  # a longer history is played in this time, until the user changes the speed
_FASTEST_S = 2  # the time for a whole history at the highest speed


def play(
    path: str, settings: DashboardSettings | None, announce: Callable[[str, bool], object] = print_address
) -> None:
    """Show a history until Ctrl-C.

    Args:
        path: the history's file.
        settings: the dashboard's settings.
        announce: called with the address of the page, and whether other machines can open it.

    Raises:
        OperationError: the file is not a history, or holds no samples.
        KeyboardInterrupt: the user has pressed Ctrl-C.
    """
    with History(path) as history:
        if not history.samples:
            raise OperationError(f"{path} holds no samples: its run ended before the first one")
        asyncio.run(_play(history, settings, announce))


async def _play(history: History, settings: DashboardSettings | None, announce: Callable[[str, bool], object]) -> None:
    async with dashboard.serve(settings, HistoryPlayer(history), history.colours, announce=announce):
        await asyncio.Event().wait()


class HistoryPlayer:
    """A history as a Source: it is played from its beginning to its end, and stops there.

    Attributes:
        origin: the name of the file.
        commands: implementations of pause, speed, step and seek; each returns how time passes afterwards.
    """

    def __init__(self, history: History, now_s: Callable[[], float] = time.monotonic):
        """Start playing; now_s: the clock of the player, in seconds from any time on."""
        self.origin = history.path.name
        self.commands: Implementations = bind(self, ("pause", "speed", "step", "seek"))
        self._history = history
        self._now_s = now_s
        self._events = history.events()
        self._ticks_per_s = _measure_pace(history)  # as recorded
        self._factor = max(1.0, self._duration_s / _WHOLE_S)  # history seconds per second
        self._paused = False
        self._position_s = history.begin_s  # in the history, at the time _set_s
        self._set_s = now_s()
        self._taken_s = history.begin_s  # events before this time have been taken

    @property
    def _duration_s(self) -> float:
        return self._history.end_s - self._history.begin_s

    def now_s(self) -> float:
        """Return the time that is played, in seconds since 1970."""
        passed_s = 0.0 if self._paused else (self._now_s() - self._set_s) * self._factor
        return min(self._history.end_s, self._position_s + passed_s)

    def read(self) -> list[Any]:
        """Return the statuses at that time."""
        return self._history.at(self.now_s())[1]

    def take_events(self) -> list[Event]:
        """Return the notes since the last call; all other events are found in the statuses."""
        before_s, self._taken_s = self._taken_s, self.now_s()
        return [
            Event(event.time_s, event.city or "", NOTE, event.text)
            for event in self._events
            if event.category == "note" and before_s <= event.time_s < self._taken_s
        ]

    def clock(self) -> Pace:
        """Return how time passes, with the beginning and the end of the history in seconds since 1970."""
        return {
            "paused": self._paused or self.now_s() >= self._history.end_s,
            "ticks_per_s": float(f"{self._ticks_per_s * self._factor:.3g}"),
            "from": self._history.begin_s,
            "to": self._history.end_s,
        }

    # Commands; see control/commands.py.

    def pause(self, paused: bool) -> Pace:
        """Stop, or go on: at the end of the history, from its beginning."""
        validation.parse_boolean(paused, "paused")
        position_s = self.now_s()
        self._paused = paused
        restarts = not paused and position_s >= self._history.end_s
        return self._move_to(self._history.begin_s if restarts else position_s)

    def speed(self, ticks_per_s: float | None) -> Pace:
        """Set ticks per second; None for the whole history in _FASTEST_S."""
        if ticks_per_s is None:
            ticks_per_s = self._ticks_per_s * max(1.0, self._duration_s / _FASTEST_S)
        position_s = self.now_s()
        self._factor = _check_number("ticks_per_s", ticks_per_s, 0.001, 1e9) / self._ticks_per_s
        return self._move_to(position_s)

    def step(self, ticks: float) -> Pace:
        """Go on by a number of ticks."""
        return self._move_to(self.now_s() + _check_number("ticks", ticks, 1, 1e9) / self._ticks_per_s)

    def seek(self, time_s: float) -> Pace:
        """Go to a time, in seconds since 1970."""
        return self._move_to(_check_number("time_s", time_s, 0, 1e12))

    def _move_to(self, time_s: float) -> Pace:
        self._position_s = min(self._history.end_s, max(self._history.begin_s, time_s))
        self._taken_s = min(self._taken_s, self._position_s)
        self._set_s = self._now_s()
        return self.clock()


def _measure_pace(history: History) -> float:
    """Return the ticks per second of the fastest city; 1 if there is none that moved."""
    duration_s = history.end_s - history.begin_s
    rows = history.query("SELECT max(tick) - min(tick) FROM states GROUP BY city")
    ticks = max((row[0] for row in rows), default=0)
    return ticks / duration_s if ticks and duration_s else 1.0


def _check_number(label: str, value: Any, low: float, high: float) -> float:
    """Return a number from low to high. Raises UsageError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{label} takes a number from {low:g} to {high:g}, not {value!r}")
    return value
