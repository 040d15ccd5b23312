"""Sources: where the cities of a dashboard come from.

Here: what every source has, and the source for cities of this process. Not here: cities on other machines
(dashboard/remote.py), a history that is played back (apps/playback.py).
"""

# pyright: strict
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypedDict

from deskonomy_host.telemetry.clock import read_time_s
from deskonomy_host.telemetry.events import Event
from deskonomy_host.telemetry.log_events import EventBuffer
from deskonomy_host.telemetry.schema import Status

Commands = Mapping[str, Callable[..., Any]]

# How time passes in a source. The class body cannot have a field "from", a keyword of Python.
Pace = TypedDict(
    "Pace",
    {
        "paused": bool,
        "ticks_per_s": float | None,  # None: as fast as the machine allows
        "from": float,  # the first and the last moment of a history, seconds since 1970
        "to": float,
    },
    total=False,
)


class Source(Protocol):
    """What a dashboard shows. Every method is called in the dashboard's event loop, about twice a second.

    Attributes:
        origin: "" for cities of this process, else the address or file that they come from; the page shows it.
        commands: {name: function}, those of control/commands.py that the source has; empty if nothing can be changed.
    """

    origin: str
    commands: Commands

    def now_s(self) -> float:
        """Return the time of the statuses in seconds since 1970; it may go back in a history that is played."""
        ...

    def read(self) -> list[Status]:
        """Return the status of each city that answers now, with `detail` where it is known."""
        ...

    def take_events(self) -> list[Event]:
        """Return the events since the previous call, except those that EventDetector finds in the statuses."""
        ...

    def clock(self) -> Pace:
        """Return how time passes: empty if that is unknown, with "from" and "to" if there is a command seek."""
        ...


class LocalSource:
    """The cities of this process, as a Source."""

    origin = ""

    def __init__(
        self,
        read: Callable[[], list[Status]],
        commands: Commands,
        events: EventBuffer,
        clock: Callable[[], Pace] = Pace,
    ) -> None:
        """Create a source.

        Args:
            read: Returns the statuses of the cities.
            commands: The commands that change them; see Source.
            events: Receives what the log reports.
            clock: Returns how time passes.
        """
        self.commands = commands
        self._read = read
        self._events = events
        self._clock = clock

    def now_s(self) -> float:
        """Return the current time."""
        return read_time_s()

    def read(self) -> list[Status]:
        """Return the status of each city."""
        return self._read()

    def take_events(self) -> list[Event]:
        """Return what the log has reported since the previous call."""
        return self._events.take()

    def clock(self) -> Pace:
        """Return how time passes."""
        return self._clock()
