"""The feed: all sources of a dashboard, sampled twice a second, as one stream for every page.

Here: sampling, merging sources, and handing messages to listeners, which may be slow. Not here: HTTP (server.py), the
metrics that are kept over time (telemetry/metrics.py, telemetry/timeseries.py).

A listener's messages are JSON objects with a "kind": first "hello" (colours, times, events) and one "past" for each
city (its columns), then one "now" for each sample (time, cities, rows of metrics, events).
"""

import asyncio
import contextlib
import json
import math
from array import array
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TypedDict

from deskonomy_host.aio import OnFailure, background
from deskonomy_host.telemetry import events
from deskonomy_host.telemetry.metrics import MetricReader
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.telemetry.source import Commands, Pace, Source
from deskonomy_host.telemetry.timeseries import TimeSeries

INTERVAL_S = 0.5
LISTENERS_MAX = 16  # open pages; each costs the server one queue and one copy of the past while it loads
# Messages, ten seconds of them. A page that is further behind is disconnected, connects again and gets the past.
_QUEUE_MAX = 20
_DIGITS = 3  # of a metric in a message: mills


class CityEntry(TypedDict):
    """What a page knows of a city, apart from its past.

    Attributes:
        status: The status of the city.
        origin: Where the city comes from; see Source.
        can: The names of the commands that its source has.
        clock: How time passes in its source.
    """

    status: Status
    origin: str
    can: list[str]
    clock: Pace


class Feed:
    """Samples sources from `async with` to its end, and streams what it reads to its listeners.

    Attributes:
        sources: The sources, the first of which has the clock. A city of several sources is shown from the first.
        commands: The commands of the first source that has any, because one process has one world that it can change.
        colours: {city: "#rrggbb"} for cities with a colour of their own.
        cities: The entries of all cities, as they were read last.
        series: The metrics of all cities over time.
    """

    def __init__(
        self, sources: Iterable[Source], colours: Mapping[str, str] | None = None, interval_s: float = INTERVAL_S
    ) -> None:
        """Create a feed that samples once every so many seconds."""
        self.sources = list(sources)
        self.commands: Commands = next((source.commands for source in self.sources if source.commands), {})
        self.colours = dict(colours or {})
        self.cities: list[CityEntry] = []
        self.series = TimeSeries()
        self._interval_s = interval_s
        self._detector = events.EventDetector()
        self._events: deque[events.Event] = deque(maxlen=events.KEPT)
        self._listeners: set[Listener] = set()
        self._metrics = MetricReader()
        self._sampled_s = 0.0  # the sources' time of the latest sample
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "Feed":
        self.sample()
        await self._open.enter_async_context(background(self._keep_sampling, "the dashboard's feed", OnFailure.RESTART))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def _keep_sampling(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            self.sample()

    def statuses(self) -> list[Status]:
        """Return the statuses of all cities, as they were read last."""
        return [city["status"] for city in self.cities]

    def sample(self) -> None:
        """Read every source once, and send the result to all listeners."""
        time_s = self.sources[0].now_s()
        if time_s < self._sampled_s:  # a history was wound back
            self.series.clear()
            self._metrics = MetricReader()
            self._sampled_s = 0.0
        happened = [event for source in self.sources for event in source.take_events()]
        self.cities = self._read_cities()
        rows = {city["status"]["city"]: self._metrics.read(time_s, city["status"]) for city in self.cities}
        happened += self._detector.detect(time_s, self.statuses())
        if time_s > self._sampled_s:
            self.series.add(time_s, rows)
        else:
            rows = {}  # a history has come to its end, and its time stands still
        self._sampled_s = time_s
        self._events += happened
        if self._listeners:
            self._send(time_s, rows, happened)

    def _read_cities(self) -> list[CityEntry]:
        cities: dict[str, CityEntry] = {}
        for source in self.sources:
            can, clock = sorted(source.commands), source.clock()
            for status in source.read():
                entry: CityEntry = {"status": status, "origin": source.origin, "can": can, "clock": clock}
                cities.setdefault(status["city"], entry)
        return list(cities.values())

    def _send(self, time_s: float, rows: Mapping[str, Mapping[str, float]], happened: list[events.Event]) -> None:
        message = {
            "kind": "now",
            "time": time_s,
            "cities": self.cities,
            "rows": {city: {name: _rounded(value) for name, value in row.items()} for city, row in rows.items()},
            "events": [event.as_json() for event in happened],
        }
        text = json.dumps(message, ensure_ascii=False)
        for listener in self._listeners:
            listener.send(text)

    def disconnect(self) -> None:
        """End the stream of every listener."""
        for listener in self._listeners:
            listener.end()

    @contextlib.contextmanager
    def listener(self) -> Iterator["Listener | None"]:
        """Connect a Listener for the length of the block; None if LISTENERS_MAX are connected already."""
        if len(self._listeners) >= LISTENERS_MAX:
            yield None
            return
        listener = Listener(self._past())
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _past(self) -> Iterator[str]:
        """Return the past as messages. Each is made when it is sent, from copies that are made now."""
        times = self.series.times[:]
        columns = {
            city: {name: column[:] for name, column in named.items()} for city, named in self.series.columns.items()
        }
        thinning = self.series.thinning
        hello = {
            "kind": "hello",
            "colours": self.colours,
            "events": [event.as_json() for event in self._events],
            "interval": self._interval_s,
            "thinning": {"recent": thinning.recent, "older": thinning.older, "counts": thinning.counts[:]},
        }
        return _past_messages(hello, times, columns)


def _past_messages(
    hello: dict[str, object], times: "array[float]", columns: Mapping[str, Mapping[str, "array[float]"]]
) -> Iterator[str]:
    yield json.dumps(hello | {"times": [round(time_s, 2) for time_s in times]}, ensure_ascii=False)
    for city, named in columns.items():
        values = {name: [_rounded(value) for value in column] for name, column in named.items()}
        yield json.dumps({"kind": "past", "city": city, "columns": values}, ensure_ascii=False)


class Listener:
    """The stream of one page: `async for` gives its messages as text. It ends if the page falls too far behind."""

    def __init__(self, past: Iterable[str]) -> None:
        """Create a stream that begins with these messages."""
        self._past = past
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(_QUEUE_MAX)
        self._is_ended = False

    def send(self, text: str) -> None:
        """Put a message into the queue; the stream ends if the queue is full."""
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self._is_ended = True

    def end(self) -> None:
        """End the stream now; messages in the queue are dropped."""
        self._is_ended = True
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)  # wakes an iteration that waits for a message

    async def __aiter__(self) -> AsyncIterator[str]:
        for text in self._past:
            yield text
        while not self._is_ended:
            text = await self._queue.get()
            if text is not None:
                yield text


def _rounded(value: float) -> float | None:
    """Return a metric as JSON has it: null where no value is known."""
    return None if math.isnan(value) else round(value, _DIGITS)
