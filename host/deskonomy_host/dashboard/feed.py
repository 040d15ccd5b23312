"""All sources as one stream: what every page is told, twice a second, and the past for a page that comes later.

Here: sampling, merging, and handing on to listeners that may be slow. Not here: HTTP (site.py), which numbers are kept
over time (rows.py) and how (track.py).
"""

import asyncio
import contextlib
import json
import math
from collections import deque

from deskonomy_host.aio import background
from deskonomy_host.telemetry import events
from deskonomy_host.telemetry.metrics import Rows
from deskonomy_host.telemetry.timeseries import Track

INTERVAL_S = 0.5
LISTENERS_MAX = 16
_WAITING_MAX = 20  # messages for a page that does not read; then it is hung up on, and comes back for the past


class Feed:
    """Samples sources from `async with` to its end. colours: {city: "#rrggbb"}, for those that have one.

    commands: what pages may ask, {name: function of words}: those of the first source that takes any, since one
    process has one world that it can change.
    """

    def __init__(self, sources, colours=None, interval_s=INTERVAL_S):
        self.sources = list(sources)
        self.commands = next((source.commands for source in self.sources if source.commands), {})
        self.colours = colours or {}
        self.cities = []  # what is told of each city
        self._interval_s = interval_s
        self._track = Track()
        self._observer = events.Observer()
        self._events = deque(maxlen=events.KEPT)
        self._listeners = set()
        self._rows = Rows()
        self._time_s = 0.0
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self):
        self.sample()
        await self._open.enter_async_context(background(self._go_on()))
        return self

    async def __aexit__(self, *_):
        await self._open.aclose()

    async def _go_on(self):
        while True:
            await asyncio.sleep(self._interval_s)
            self.sample()

    def statuses(self):
        """The statuses of all cities, as they were read last."""
        return [city["status"] for city in self.cities]

    def sample(self):
        """Read every source once, and tell all listeners."""
        time_s = self.sources[0].now_s()
        if time_s < self._time_s:  # a history was wound back
            self._track.clear()
            self._rows = Rows()
            self._time_s = 0.0
        cities, rows, happened = [], {}, []
        for source in self.sources:
            happened += source.take_events()
            for status in source.read():
                city = status["city"]
                if city not in rows:
                    cities.append(self._entry(source, status))
                    rows[city] = self._rows.of(time_s, status)
        happened += self._observer.observe(time_s, [city["status"] for city in cities])
        self.cities = cities
        if time_s > self._time_s:
            self._track.add(time_s, rows)
        else:
            rows = {}  # a history has come to its end, and stands still
        self._time_s = time_s
        self._events += happened
        if self._listeners:
            rows = _without_nan(rows)
            message = {"kind": "now", "time": time_s, "cities": cities, "rows": rows, "events": happened}
            text = json.dumps(message, ensure_ascii=False)
            for listener in self._listeners:
                listener.tell(text)

    def _entry(self, source, status):
        """What a page is told of a city."""
        return {"status": status, "origin": source.origin, "can": sorted(source.commands), "clock": source.clock()}

    def hang_up(self):
        """End every listener."""
        for listener in self._listeners:
            listener.end()

    @contextlib.contextmanager
    def listener(self):
        """A Listener that is told of everything from now on; None where there are too many."""
        if len(self._listeners) >= LISTENERS_MAX:
            yield None
            return
        listener = Listener(self._past())
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _past(self):
        """The past as messages, each made when it is sent; what it is made of stands still from now on."""
        times = self._track.times[:]
        columns = {
            city: {name: column[:] for name, column in columns.items()} for city, columns in self._track.columns.items()
        }
        hello = {"kind": "hello", "colours": self.colours, "events": list(self._events), "interval": self._interval_s}

        def messages():
            yield json.dumps(hello | {"times": [round(time, 2) for time in times]}, ensure_ascii=False)
            for city, named in columns.items():
                values = {name: [_number(value) for value in column] for name, column in named.items()}
                yield json.dumps({"kind": "past", "city": city, "columns": values}, ensure_ascii=False)

        return messages()


class Listener:
    """One page's stream: `async for` gives its messages as text, and ends if it falls too far behind."""

    def __init__(self, past):
        self._past = past
        self._queue = asyncio.Queue(_WAITING_MAX)
        self._ended = False

    def tell(self, text):
        """Have this said next. Who reads too slowly is not told of anything any more."""
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self._ended = True

    def end(self):
        """Say no more."""
        self._ended = True
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait("")  # whoever waits wakes

    async def __aiter__(self):
        for text in self._past:
            yield text
        while not self._ended:
            text = await self._queue.get()
            if text:
                yield text


def _without_nan(rows):
    return {city: {name: _number(value) for name, value in row.items()} for city, row in rows.items()}


def _number(value):
    return None if math.isnan(value) else round(value, 3)
