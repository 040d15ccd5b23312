"""Events from the log: a logging handler that turns the records of logger "deskonomy" into Events.

Here: EventHandler, which hands each event on, and EventBuffer, which keeps events until a source is read. Not here: the
logger, its records and which handlers it has (deskonomy_host/logs.py), events that statuses show (events.py).

A record's `event` and `city`, given to the logger as `extra`, become the event's type and city; its message is the
event's text.
"""

# pyright: strict
import logging
from collections import deque
from collections.abc import Callable, Collection

from deskonomy.events import ROAD_CLOSED, ROAD_OPEN
from deskonomy.text import escape

from deskonomy_host.logs import WATCH, get_event
from deskonomy_host.telemetry.clock import read_time_s
from deskonomy_host.telemetry.events import Event

BUFFER_MAX = 100  # events; a feed takes them twice a second
# EventDetector finds the first two in the statuses of every city, also of those that do not write to this log. WATCH is
# an event of the source that watches the machine.
SEEN_ELSEWHERE = frozenset({ROAD_OPEN, ROAD_CLOSED, WATCH})


class EventHandler(logging.Handler):
    """A logging handler that passes on each record as an Event."""

    def __init__(self, receive: Callable[[Event], object], left_out: Collection[str] = SEEN_ELSEWHERE) -> None:
        """Create a handler; the caller adds it to a logger.

        Args:
            receive: Called with each event, in the thread that logs.
            left_out: Types of events that are not passed on.
        """
        super().__init__()
        self._receive = receive
        self._left_out = left_out

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a record."""
        event_type = get_event(record)
        if event_type not in self._left_out:
            city: str = getattr(record, "city", "")
            self._receive(Event(read_time_s(), city, event_type, record.getMessage()))


class EventBuffer:
    """The latest events that have not been taken yet, at most BUFFER_MAX."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=BUFFER_MAX)

    def add(self, event: Event) -> None:
        """Add an event; the oldest is dropped if the buffer is full."""
        self._events.append(event._replace(text=escape(event.text)))

    def take(self) -> list[Event]:
        """Return the events since the previous call, the oldest first."""
        events = list(self._events)
        self._events.clear()
        return events
