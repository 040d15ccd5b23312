"""One TCP connection: bytes between a stream and its session.

Here: the two tasks of a connection, and its end. Not here: which connections there are and which of them carries a road
(tcp.py), what is said on it (session.py).

One task reads, and stops reading while the city takes nobody in. The other does what time asks for, and writes. So a
peer that reads nothing never keeps us from reading, and nothing keeps a city's tick waiting. Whatever goes wrong in
either calls end(), which leaves every merchant in one place and wakes whoever waits for the end. One clock wakes all
links (tcp.py), since a wait with a deadline of its own takes as much of a board's memory as a merchant.
"""

import asyncio

from deskonomy.compat import const, discard, host_of, prepare, ticks_diff, ticks_ms
from deskonomy.wire.protocol import Connection
from deskonomy.wire.session import Session

_READ_BYTES = const(1024)  # at a time: a merchant or two; a board has little room
# A peer that is merely full may stop reading for a while, and its merchants must not be lost over that. One that has
# not read a line for this long is dead.
_FLUSH_MS = const(60_000)


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


class Link:
    """A connection, from its first byte to its end.

    start(), wait for `named`, then carry() a road or end(); wait for `ended`, then stop(). Meanwhile look() several
    times a second. host: where the peer is. dialled: whether we did (the argument: the host that was dialled, or None).
    reason: why it ended.
    """

    def __init__(self, reader, writer, name, clock, line_max, dialled, log, key_of=None, has_memory=None):
        now_ms = clock.now_ms()
        self.host = host_of(writer, dialled)
        self.dialled = dialled is not None
        self.reason = None
        self.named = asyncio.Event()  # also set when the link ends without a name
        self.ended = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._log = log
        if key_of is None:
            connection = Connection(name, now_ms, line_max)
        else:
            from deskonomy.wire.sealed_protocol import (
                KeyedConnection,  # takes a board's memory, so only where there is a key
            )

            connection = KeyedConnection(name, now_ms, line_max, key_of)
        connection.has_memory = has_memory
        self._session = Session(connection, now_ms, log)
        self._room = asyncio.Event()  # the reading task may go on
        self._work = asyncio.Event()  # the writing task has something to do
        self._flush_by_ms = None  # when the peer has to have read what is being written
        self._probing = False
        self._announced = False
        self._tasks = []
        self.task = None  # whoever runs this link
        prepare(writer)

    @property
    def peer(self):
        """The name (str) of the city at the other end, None until `named`."""
        return self._session.peer

    @property
    def road(self):
        """The WireRoad that this link carries, None for none."""
        return self._session.road

    @property
    def ready(self):
        """Whether merchants could ever set out."""
        return self._session.ready

    @property
    def heard_ms(self):
        """When the peer was last heard, by the clock; see Session."""
        return self._session.heard_ms

    @property
    def came_ms(self):
        """When anything last came from the peer, by the clock."""
        return self._session.came_ms

    async def start(self):
        """Say our name, then begin to read and to write."""
        await self._guard(self._say())
        # Both are started here, end with the link, and are waited for in stop().
        for work in (self._read, self._write):
            self._tasks.append(asyncio.create_task(self._guard(work())))

    async def stop(self):
        """After end(): end the tasks and close the connection."""
        for task in self._tasks:
            task.cancel()
            try:
                await task
            except (asyncio.CancelledError, Exception):
                pass  # whatever it was, the link has ended
        await discard(self._writer)

    def carry(self, road):
        """From now on this link carries that WireRoad."""
        road.link = self
        self._session.carry(road)
        self.stir()

    def stir(self):
        """The road has changed."""
        self._room.set()
        self._work.set()

    def look(self, now_ms):
        """Wake the tasks if time asks for something, and end the link if the peer no longer reads."""
        due_ms = self._session.deadline_ms()
        if due_ms is not None and now_ms >= due_ms:
            self._work.set()
        if self._flush_by_ms is not None and now_ms >= self._flush_by_ms:
            self.end("it no longer reads")

    def probe(self):
        """Send a blank line: every peer ignores it, but a machine that has been off meanwhile answers with a reset."""
        if self.ready:
            self._probing = True
            self._work.set()

    def end(self, reason):
        """End the link; the first call counts. See Session.end() for what becomes of merchants."""
        if self.ended.is_set():
            return
        self.reason = reason
        try:
            self._session.end(self.dialled)
            if self._announced:
                self._log("the road to %s (%s) is closed: %s" % (self.peer, self.host, reason))
        except MemoryError:
            pass  # those who could not come home yet still wait, and nobody is in two places
        self.ended.set()
        self.named.set()
        self.stir()

    def _lose(self, reason):
        self.end(self._session.connection.excuse or reason)

    async def _guard(self, work):
        try:
            await work
        except OSError as error:
            self._lose("the connection broke (%s)" % error)
        except Exception as error:  # a mistake of ours, or no memory left, ends this link and nothing else
            self.end("%s: %s" % (type(error).__name__, error))

    async def _read(self):
        while True:
            data = await self._reader.read(_READ_BYTES)
            if not data:
                return self._lose("it hung up")
            self._session.receive(data, self._clock.now_ms())
            self._advance()
            self._work.set()  # there may be something to answer
            while not self._session.wants_bytes():
                self._room.clear()
                await self._room.wait()
                self._advance()  # first what is here already

    async def _write(self):
        while True:
            self._work.clear()
            await self._say()
            await self._work.wait()

    async def _say(self):
        """Write all that there is to say now."""
        self._advance()
        if self._probing:
            self._probing = False
            await self._flush(self._session.connection.send([b""])[0])
        data = self._session.next_bytes(self._clock.now_ms())
        while data is not None:
            await self._flush(data)
            data = self._session.next_bytes(self._clock.now_ms())

    async def _flush(self, data):
        self._flush_by_ms = self._clock.now_ms() + _FLUSH_MS
        self._writer.write(data)
        await self._writer.drain()
        self._flush_by_ms = None

    def _advance(self):
        """Let the session go on, and see what that has changed."""
        self._session.advance(self._clock.now_ms())
        if self.peer is not None:
            self.named.set()
        if self.ready and self.road is not None and not self._announced:
            self._announced = True
            self._log("the road to %s (%s) is open" % (self.peer, self.host))
        self._room.set()
        if self._session.broken is not None:
            self.end(self._session.broken)
