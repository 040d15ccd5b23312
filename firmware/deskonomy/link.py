"""One TCP connection that carries a road: bytes between its stream, its protocol and the road's two queues.

Here: the two tasks of a connection, and what becomes of merchants when it ends. Not here: which connections there are
and which of them carries a road (tcp.py), what is said on it (protocol.py).

One task reads, and stops reading while the city takes nobody in. The other does what time asks for, and sends. So a
peer that reads nothing never keeps us from reading, and nothing keeps a city's tick waiting. Whatever goes wrong in
either calls end(), which leaves every merchant in one place and wakes whoever waits for the end.
"""

import asyncio

from . import protocol
from .compat import const, discard, host_of, ticks_diff, ticks_ms, unbuffered
from .road import Road

_READ_BYTES = const(1024)  # at a time: a merchant or two; a board has little room
# A peer that is merely full may stop reading for a while, and its merchants must not be lost over that. One that has
# not read a byte for this long is dead.
_FLUSH_S = const(60)
_NAP_MS = const(3_600_000)  # a task looks at the clock at least so often, since its ticks wrap within days


class Clock:
    """Milliseconds that only grow, also where ticks wrap."""

    def __init__(self):
        self._ticks = ticks_ms()
        self._ms = 0

    def now_ms(self):
        ticks = ticks_ms()
        self._ms += ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._ms


class WireRoad(Road):
    """A road whose queues wake the link that carries it. link: that Link, None while the road is down."""

    def __init__(self, name, room):
        Road.__init__(self, name, "legacy", room)  # a peer is that until it shows to be one of ours
        self.state = "down"
        self.link = None

    def send(self, merchant):
        Road.send(self, merchant)
        self._stir()

    def take(self):
        merchant = Road.take(self)
        self._stir()
        return merchant

    def _stir(self):
        if self.link is not None:
            self.link.stir()


class Link:
    """A connection, from its first byte to its end.

    start(), wait for `named`, then carry() a road or end(); wait for `ended`, then stop(). peer: the name (str) of the
    city at the other end, None until `named`. host: where it is. dialled: whether we did (the argument: the host that
    was dialled, or None). road: what it carries now. ready: whether merchants could ever set out. heard_ms: when it
    was last heard, by `clock`. reason: why it ended.
    """

    def __init__(self, reader, writer, name, clock, line_max, dialled, log):
        self.host = host_of(writer, dialled)
        self.dialled = dialled is not None
        self.road = None
        self.ready = False
        self.reason = None
        self.named = asyncio.Event()  # also set when the link ends without a name
        self.ended = asyncio.Event()
        self.heard_ms = clock.now_ms()
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._log = log
        self._protocol = protocol.Connection(name, self.heard_ms, line_max)
        self._room = asyncio.Event()  # the reading task may go on
        self._work = asyncio.Event()  # the sending task has something to do
        self._in_flight = False  # the road's first merchant is being written
        self._probing = False
        self._complained = False
        self._tasks = []
        self.task = None  # whoever runs this link
        unbuffered(writer)

    @property
    def peer(self):
        return self._protocol.peer

    async def start(self):
        """Say our name, then begin to read and to send."""
        await self._guard(self._keep_time())
        # Both are started here, end with the link, and are waited for in stop().
        self._tasks = [asyncio.create_task(self._guard(work)) for work in (self._read(), self._send())]

    async def stop(self):
        """After end(): end the tasks and close the connection."""
        for task in self._tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        await discard(self._writer)

    def carry(self, road):
        """From now on this link carries that WireRoad."""
        self.road = road
        road.link = self
        self._open()
        self.stir()

    def stir(self):
        """The road's queues have changed."""
        self._room.set()
        self._work.set()

    def probe(self):
        """Send a blank line: every peer ignores it, but a machine that has been off meanwhile answers with a reset."""
        if self.ready:
            self._probing = True
            self._work.set()

    def end(self, reason):
        """End the link; the first call counts.

        Merchants that have arrived whole are let in, also beyond the road's room. One that was being written counts as
        lost. Those that wait do so for the next link if we dial; else nobody knows of one, and they turn back.
        """
        if self.ended.is_set():
            return
        self.reason = reason
        road, self.road = self.road, None
        if road is not None:
            if self.ready:
                self._log("the road to %s (%s) is closed: %s" % (self.peer, self.host, reason))
            event = self._protocol.next_event()
            while event is not None:
                self._take_in(event, road)
                event = self._protocol.next_event()
            if self._in_flight:
                road.outbound.pop(0)
                road.lost += 1
            if not self.dialled:
                road.turn_back()
            road.state = "down"
            road.link = None
        self.ended.set()
        self.named.set()
        self.stir()

    async def _guard(self, work):
        try:
            await work
        except asyncio.TimeoutError:
            self.end("it no longer reads")
        except OSError as error:
            self.end("the connection broke (%s)" % error)
        except Exception as error:  # a mistake of ours, or no memory left, ends this link and nothing else
            self.end("%s: %s" % (type(error).__name__, error))

    async def _read(self):
        while True:
            data = await self._reader.read(_READ_BYTES)
            if not data:
                return self.end("it hung up")
            self.heard_ms = self._clock.now_ms()
            self._protocol.receive(data, self.heard_ms)
            while True:
                while self.peer and (self.road is None or len(self.road.inbound) >= self.road.room):
                    self._room.clear()
                    await self._room.wait()
                event = self._protocol.next_event()
                if event is None:
                    break
                self._take_in(event, self.road)
            self._work.set()  # the protocol may want to be woken at another time

    async def _send(self):
        # The end is looked for besides being cancelled: wait_for() may swallow that (CPython until 3.12, gh-86296).
        while not self.ended.is_set():
            self._work.clear()
            await self._keep_time()
            if self._probing:
                self._probing = False
                await self._flush(b"\n")
            while self.ready and self.road is not None and self.road.outbound:
                await self._send_first(self.road)
            deadline_ms = self._protocol.deadline_ms
            wait_ms = _NAP_MS if deadline_ms is None else max(0, deadline_ms - self._clock.now_ms())
            try:
                await asyncio.wait_for(self._work.wait(), wait_ms / 1000)
            except asyncio.TimeoutError:
                pass

    async def _keep_time(self):
        """Do what time asks for."""
        for event in self._protocol.elapse(self._clock.now_ms()):
            if isinstance(event, protocol.Send):
                await self._flush(event.data)
            else:
                self._take_in(event, self.road)

    async def _send_first(self, road):
        """Send the merchant that has waited longest. It waits until the system has taken its line, all of it."""
        self._in_flight = True
        await self._flush(self._protocol.send(road.outbound[0]))
        if self.road is road:
            self._in_flight = False
            road.outbound.pop(0)

    async def _flush(self, data):
        self._writer.write(data)
        await asyncio.wait_for(self._writer.drain(), _FLUSH_S)

    def _take_in(self, event, road):
        # A Message says nothing to a link whose peer has not shown to be one of ours.
        if isinstance(event, protocol.Arrived):
            road.inbound.append(event.merchant)
        elif isinstance(event, protocol.Refusal):
            road.refused += 1
            if not self._complained:
                self._complained = True
                self._log(
                    "%s sent what cannot be let in: %s (more of that is only counted)" % (self.peer, event.reason)
                )
        elif isinstance(event, protocol.Named):
            self.named.set()
        elif isinstance(event, protocol.Ready):
            self.ready = True
            self._open()
        elif isinstance(event, protocol.Broken):
            self.end(event.reason)

    def _open(self):
        if self.ready and self.road is not None:
            self.road.state = "up"
            self._log("the road to %s (%s) is open" % (self.peer, self.host))
