"""Lockstep: processes of one run whose ticks end together, and the roads between the cities of two of them.

Here: what one process does at the end of each tick. Not here: starting the processes (workers.py), roads inside one
process (deskonomy/roads/local.py).

A merchant crosses a process road as it crosses a local road: a merchant that leaves in one tick may enter in the next,
and a city knows how full the other end was when the last tick ended. So a world gives the same result, bit for bit,
whichever process runs which city.
"""

import asyncio
import contextlib
import pickle
import select
import socket
from collections.abc import Sequence
from typing import Any

from deskonomy.economy.city import City
from deskonomy.economy.clock import Clock
from deskonomy.roads.road import Road

_LENGTH_BYTES = 4
_READ_BYTES = 1 << 18  # at a time


class ProcessRoad(Road):
    """This process's end of a road to a city of another process. Its `kind` is that of a LocalRoad.

    Attributes:
        ahead: merchants that waited to enter at the far end when the last tick ended.
    """

    def __init__(self, name: str):
        """Create the end of a road to the city of this name."""
        Road.__init__(self, name)
        self.ahead = 0

    def resume(self, road: Road) -> None:
        """Continue from the state of the same end, between two ticks."""
        self.outbound, self.inbound = road.outbound, road.inbound
        self.sent, self.received = road.sent, road.received

    def credit(self) -> int:
        """Return how many more merchants may leave now."""
        return self.capacity - self.ahead - len(self.outbound)

    def status(self) -> dict[str, Any]:
        """Return the road's part of a status."""
        return Road.status(self) | {"waiting": self.ahead + len(self.outbound)}


class Neighbour:
    """Another process with roads to this one, over a connected socket; both have these roads in the same order.

    At the end of each tick each process sends the other one message: an empty one, or the merchants that leave by each
    road and how many wait to enter from each.

    Attributes:
        roads: this process's ends of the roads.
        outgoing: bytes that the socket has not taken yet.
    """

    def __init__(self, connection: socket.socket):
        """Create the neighbour at the other end of this socket."""
        self.roads: list[ProcessRoad] = []
        self.outgoing = b""
        self._connection = connection
        self._incoming = bytearray()
        self._sent_waiting: list[int] = []  # merchants that wait here, by road, as last sent
        self._waiting: list[int] = []  # merchants that wait there, as last received
        connection.setblocking(False)

    def fileno(self) -> int:
        """Return the socket's file descriptor, for select()."""
        return self._connection.fileno()

    def open_road(self, city: City, name: str) -> None:
        """Open a city's road to the city of this name at the neighbour; it continues that of a checkpoint."""
        road = ProcessRoad(name)
        if name in city.roads:
            road.resume(city.roads[name])
        city.open_road(road)
        self.roads.append(road)
        self._sent_waiting.append(0)
        self._waiting.append(0)

    def send_tick_end(self) -> None:
        """Send that the tick has ended here, with the merchants that leave. Raises ConnectionError."""
        leaving = {index: road.outbound for index, road in enumerate(self.roads) if road.outbound}
        waiting = [len(road.inbound) for road in self.roads]
        message = b""
        if leaving or waiting != self._sent_waiting:
            message = pickle.dumps((leaving, waiting))
            self._sent_waiting = waiting
        self.outgoing += len(message).to_bytes(_LENGTH_BYTES, "little") + message
        self.write()

    def write(self) -> None:
        """Write what the socket takes now. Raises ConnectionError."""
        with contextlib.suppress(BlockingIOError):
            self.outgoing = self.outgoing[self._connection.send(self.outgoing) :]

    def read(self) -> None:
        """Read what has arrived. Raises ConnectionError."""
        with contextlib.suppress(BlockingIOError):
            data = self._connection.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError
            self._incoming += data

    def has_tick_end(self) -> bool:
        """Return whether the neighbour's message for this tick has arrived."""
        return self._message_length() >= 0

    def _message_length(self) -> int:
        """Return the length of the message that has arrived; -1 if it is not complete."""
        if len(self._incoming) < _LENGTH_BYTES:
            return -1
        length = int.from_bytes(self._incoming[:_LENGTH_BYTES], "little")
        return length if len(self._incoming) >= _LENGTH_BYTES + length else -1

    def receive_tick_end(self) -> None:
        """Take the neighbour's message and let its merchants arrive. The caller has checked has_tick_end()."""
        end = _LENGTH_BYTES + self._message_length()
        arriving: dict[int, list[Any]] = {}
        if end > _LENGTH_BYTES:
            arriving, self._waiting = pickle.loads(self._incoming[_LENGTH_BYTES:end])
        del self._incoming[:end]
        for index, road in enumerate(self.roads):
            road.ahead = self._waiting[index] + len(road.outbound)
            road.outbound = []
            road.inbound += arriving.get(index, ())


class Lockstep(Clock):
    """A Clock whose ticks end when they have ended in all neighbouring processes."""

    def __init__(self, cities: Sequence[City], ticks_per_s: float | None, neighbours: Sequence[Neighbour]):
        """Create the clock of these cities; ticks_per_s: None for as fast as the machine allows."""
        Clock.__init__(self, cities, ticks_per_s)
        self._neighbours = neighbours
        self._is_sent = False  # the tick has ended here, and perhaps not in every other process

    async def exchange(self) -> None:
        """Send merchants that a checkpoint has left on process roads; called once, before the first tick."""
        self._send_tick_end()
        while not self._receive_tick_end():
            await asyncio.sleep(0)

    @property
    def begun_ticks(self) -> int:
        """The number of ticks that have begun: those that have ended, or one more."""
        return self.ticks + self._is_sent

    async def run_until(self, ticks: int) -> None:
        """Run until this many ticks have ended."""
        while self.ticks < ticks:
            self.run_slice(ticks - self.ticks)
            await asyncio.sleep(0)

    def step(self, ticks: int) -> int:
        """Run this many ticks now; return the ticks run, fewer if a neighbour is not ready within a slice."""
        for ran in range(ticks):
            if not self._is_sent:
                for city in self.cities:
                    city.run(1)
                self._send_tick_end()
                self._is_sent = True
            if not self._receive_tick_end():
                return ran
            self._is_sent = False
            self.ticks += 1
        return ticks

    def _send_tick_end(self) -> None:
        for neighbour in self._neighbours:
            neighbour.send_tick_end()

    def _receive_tick_end(self) -> bool:
        """End the tick if it has ended in all neighbours, and all of them have this process's message."""
        if not self._wait_for_neighbours():
            return False
        for neighbour in self._neighbours:
            neighbour.receive_tick_end()
        return True

    def _wait_for_neighbours(self) -> bool:
        """Return whether all messages have arrived and are sent; wait at most a slice for each of them."""
        for neighbour in self._neighbours:
            if not neighbour.has_tick_end():
                neighbour.read()
        while True:
            late = [neighbour for neighbour in self._neighbours if not neighbour.has_tick_end()]
            unsent = [neighbour for neighbour in self._neighbours if neighbour.outgoing]
            if not late and not unsent:
                return True
            readable, writable, _ = select.select(late, unsent, [], self.slice_ms / 1000)
            if not readable and not writable:
                return False
            for neighbour in readable:
                neighbour.read()
            for neighbour in writable:
                neighbour.write()
