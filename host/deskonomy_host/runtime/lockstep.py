"""Roads to cities that another process of the same run has, and ticks that all those processes pass in step.

Here: what one process does at the end of each tick. Not here: who starts the processes (workers.py), the road inside
one (deskonomy/lane.py). A merchant crosses a border exactly as it crosses a Lane: whoever sets out in one tick may
enter in the next, and a city knows how full the other end was when the last tick ended. So a world comes out the same,
bit for bit, whatever process runs which of its cities.
"""

import asyncio
import contextlib
import pickle
import select

from deskonomy.economy.clock import Drive
from deskonomy.roads.road import Road

_LENGTH_BYTES = 4
_READ_BYTES = 1 << 18


class Border(Road):
    """This process's end of a road to a city elsewhere. Its kind is that of a Lane: to cities both are alike."""

    def __init__(self, name):
        Road.__init__(self, name)
        self.ahead = 0  # merchants who waited to enter at the far end when the last tick ended

    def resume(self, road):
        """Go on where that end of the same road had stopped, between two ticks."""
        self.outbound, self.inbound = road.outbound, road.inbound
        self.sent, self.received = road.sent, road.received

    def space(self):
        """How many more merchants may set out now."""
        return self.room - self.ahead - len(self.outbound)

    def status(self):
        """The road's part of a status line."""
        return Road.status(self) | {"waiting": self.ahead + len(self.outbound)}


class Neighbour:
    """Another process, over a connected socket; both have the roads between them in the same order.

    Each tells the other once a tick: an empty message, or who sets out on which road and how many wait on each.
    """

    def __init__(self, connection):
        self.connection = connection
        self.roads = []
        self.outgoing = b""
        self._incoming = bytearray()
        self._told = []  # how many waited, as the other process knows it
        self._waiting = []  # how many wait there
        connection.setblocking(False)

    def fileno(self):
        return self.connection.fileno()

    def open_road(self, city, name):
        """Open this city's road to the city of that name over there; it goes on where a checkpoint has left it."""
        road = Border(name)
        if name in city.roads:
            road.resume(city.roads[name])
        city.open_road(road)
        self.roads.append(road)
        self._told.append(0)
        self._waiting.append(0)

    def hand_over(self):
        """The tick is over here: tell so, with whoever sets out. Raises ConnectionError."""
        leaving = {index: road.outbound for index, road in enumerate(self.roads) if road.outbound}
        waiting = [len(road.inbound) for road in self.roads]
        message = b""
        if leaving or waiting != self._told:
            message = pickle.dumps((leaving, waiting))
            self._told = waiting
        self.outgoing += len(message).to_bytes(_LENGTH_BYTES, "little") + message
        self.write()

    def write(self):
        """Write what the system takes now."""
        with contextlib.suppress(BlockingIOError):
            self.outgoing = self.outgoing[self.connection.send(self.outgoing) :]

    def read(self):
        """Read what has come. Raises ConnectionError."""
        with contextlib.suppress(BlockingIOError):
            data = self.connection.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError
            self._incoming += data

    def has_come(self):
        """Whether the other process has told of the end of its tick."""
        return self._length() >= 0

    def _length(self):
        """Of the message that has come, -1 if it has not come whole."""
        if len(self._incoming) < _LENGTH_BYTES:
            return -1
        length = int.from_bytes(self._incoming[:_LENGTH_BYTES], "little")
        return length if len(self._incoming) >= _LENGTH_BYTES + length else -1

    def take_over(self):
        """The tick is over there too: let in whoever comes. The caller has looked at has_come()."""
        end = _LENGTH_BYTES + self._length()
        coming = {}
        if end > _LENGTH_BYTES:
            coming, self._waiting = pickle.loads(self._incoming[_LENGTH_BYTES:end])
        del self._incoming[:end]
        for index, road in enumerate(self.roads):
            road.ahead = self._waiting[index] + len(road.outbound)
            road.outbound = []
            road.inbound += coming.get(index, ())


class Lockstep(Drive):
    """A Drive whose ticks end when they end in all the neighbouring processes."""

    def __init__(self, cities, ticks_per_s, neighbours):
        Drive.__init__(self, cities, ticks_per_s)
        self._neighbours = neighbours
        self._handed_over = False  # the tick is over here, and perhaps not elsewhere

    async def meet(self):
        """To be called once, before the first tick: hand over whom a checkpoint has left at a border."""
        self._hand_over()
        while not self._have_come():
            await asyncio.sleep(0)

    @property
    def begun(self):
        """Ticks that have begun: one more than have ended, or as many."""
        return self.ticks + self._handed_over

    async def reach(self, ticks):
        """Go on until so many ticks have ended."""
        while self.ticks < ticks:
            self._slice(ticks - self.ticks)
            await asyncio.sleep(0)

    def step(self, ticks):
        """Run so many ticks now. Returns the ticks run: fewer if a neighbour does not come along within a slice."""
        for ran in range(ticks):
            if not self._handed_over:
                for city in self.cities:
                    city.run(1)
                self._hand_over()
                self._handed_over = True
            if not self._have_come():
                return ran
            self._handed_over = False
            self.ticks += 1
        return ticks

    def _hand_over(self):
        for neighbour in self._neighbours:
            neighbour.hand_over()

    def _have_come(self):
        """Let in whoever comes, once all neighbours have ended this tick and know that we have; whether that is so."""
        if not self._wait():
            return False
        for neighbour in self._neighbours:
            neighbour.take_over()
        return True

    def _wait(self):
        """Whether all messages have come and gone; waits no longer than a slice for any."""
        for neighbour in self._neighbours:
            if not neighbour.has_come():
                neighbour.read()
        while True:
            late = [neighbour for neighbour in self._neighbours if not neighbour.has_come()]
            untold = [neighbour for neighbour in self._neighbours if neighbour.outgoing]
            if not late and not untold:
                return True
            readable, writable, _ = select.select(late, untold, [], self.slice_ms / 1000)
            if not readable and not writable:
                return False
            for neighbour in readable:
                neighbour.read()
            for neighbour in writable:
                neighbour.write()
