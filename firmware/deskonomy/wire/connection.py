"""One TCP connection: bytes between a stream and its session.

Here: the two tasks of a connection, and its end. Not here: the connections of a city (wire/network.py), the dialogue
(wire/session.py).

One task reads, and pauses while the road is full. The other does what time asks for, and writes. So a peer that does
not read never stops this end from reading, and no peer delays a city's tick. An error in either task calls end(), which
leaves each merchant in one place. One task of the network wakes all connections, because a wait with a deadline of its
own takes as much of a board's memory as a merchant.
"""

import asyncio

from deskonomy.compat import (
    TYPE_CHECKING,
    abort_stream,
    configure_stream,
    const,
    get_peer_host,
    print_traceback,
    ticks_diff,
    ticks_ms,
)
from deskonomy.errors import DeskonomyError, ProtocolMisuseError
from deskonomy.events import BUG, ROAD_CLOSED, ROAD_OPEN
from deskonomy.wire.codec import is_http
from deskonomy.wire.protocol import HTTP, Protocol
from deskonomy.wire.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from deskonomy.roads.wire_road import WireRoad

_READ_BYTES = const(1024)  # at a time: a merchant or two, as much as a board has in one piece
# A full peer may stop reading for a while, and its merchants must not be lost for that. A peer that has not read a line
# for this long is dead.
_FLUSH_MS = const(60_000)
# A client of HTTP speaks first and at once. It understands an answer only if no name has gone out before.
_FIRST_MS = const(50)


class MonotonicClock:
    """Milliseconds that only grow, even when the interpreter's ticks start again from 0."""

    def __init__(self) -> None:
        self._ticks = ticks_ms()
        self._ms = 0

    def now_ms(self) -> int:
        """Return the milliseconds since this clock was created."""
        ticks = ticks_ms()
        self._ms += ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._ms


class Connection:
    """A connection, from its first byte to its end.

    Call start(), wait for `named`, then attach_road() or end(); wait for `ended`, then stop(). Meanwhile call
    check_deadlines() several times a second.

    Attributes:
        host: the host of the peer, without its port.
        dialled: whether this city dialled.
        reason: why the connection ended, None before.
        named: an asyncio.Event, set once the peer's name is known, and at the end of a connection without a name.
        ended: an asyncio.Event, set at the end.
        task: the task that runs this connection; set by the network.
    """

    def __init__(
        self,
        reader: "asyncio.StreamReader",
        writer: "asyncio.StreamWriter",
        name: str,
        clock: MonotonicClock,
        line_max: int,
        dialled: "str | None",
        log: "Callable[[str, str], object]",
        key_of: "Callable[[str], bytes | None] | None" = None,
        has_memory: "Callable[[int], bool] | None" = None,
    ) -> None:
        """Create a connection.

        Args:
            reader, writer: the stream.
            name: the name of this city.
            clock: the time.
            line_max: the longest line that is read, in bytes.
            dialled: the host that this city dialled, None if the peer dialled.
            log: see deskonomy/events.py.
            key_of: as SealedProtocol takes it; None for connections without keys.
            has_memory: as Protocol takes it.
        """
        now_ms = clock.now_ms()
        self.host = get_peer_host(writer, dialled)
        self.dialled = dialled is not None
        self.reason: str | None = None
        self.named = asyncio.Event()
        self.ended = asyncio.Event()
        self.task: asyncio.Task | None = None
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._log = log
        if key_of is None:
            protocol = Protocol(name, now_ms, line_max, has_memory)
        else:
            from deskonomy.wire.sealed_protocol import SealedProtocol  # it takes memory: a board without a key saves it

            protocol = SealedProtocol(name, now_ms, line_max, key_of, has_memory)
        self._session = Session(protocol, now_ms, log)
        self._may_read = asyncio.Event()
        self._may_write = asyncio.Event()
        self._flush_by_ms: int | None = None  # when the peer must have read what is being written
        self._probing = False
        self._probe_ms: int | None = None  # when the first probe was sent since the peer was heard
        self._announced = False
        self._tasks: list[asyncio.Task] = []
        configure_stream(writer)

    @property
    def peer(self) -> "str | None":
        """The name of the city at the other end, None until `named`."""
        return self._session.peer

    @property
    def peer_software(self) -> "str | None":
        """The software that the peer states, any text of the peer's; None until it does."""
        return self._session.peer_version

    @property
    def road(self) -> "WireRoad | None":
        """The road that this connection carries."""
        return self._session.road

    @property
    def ready(self) -> bool:
        """Whether the handshake was ever complete."""
        return self._session.ready

    @property
    def received_ms(self) -> int:
        """When anything last came from the peer."""
        return self._session.received_ms

    async def start(self) -> None:
        """Send this city's name, then start the tasks that read and write."""
        await self._guard(self._greet)
        if self.ended.is_set():
            return
        # Both are started here, end with the connection, and are waited for in stop().
        for work in (self._read, self._write):
            self._tasks.append(asyncio.create_task(self._guard(work)))

    async def stop(self) -> None:
        """Stop the tasks and close the stream, after end()."""
        for task in self._tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            except Exception as error:  # of end() itself
                report_bug(self._log, "the end of the connection to %s" % self.peer, error)
        if self.reason == HTTP:
            try:
                from deskonomy.wire.web_client import send_answer

                await send_answer(self._writer)
            except (MemoryError, ImportError):  # the second of a module that an earlier lack of memory has cut short
                pass
        await abort_stream(self._writer)

    def attach_road(self, road: "WireRoad") -> None:
        """Carry this road from now on."""
        road.connection = self
        self._session.attach_road(road)
        self.wake()

    def wake(self) -> None:
        """Wake both tasks: the road has changed."""
        self._may_read.set()
        self._may_write.set()

    def check_deadlines(self, now_ms: int) -> None:
        """Wake the writing task if something is due, and end the connection if the peer has stopped reading."""
        due_ms = self._session.deadline_ms()
        if due_ms is not None and now_ms >= due_ms:
            self._may_write.set()
        if self._flush_by_ms is not None and now_ms >= self._flush_by_ms:
            self.end("it no longer reads")

    def probe(self) -> None:
        """Send a line that changes nothing: a machine that was off in the meantime answers it with a reset."""
        if self._session.hung_up:
            self.end("it hung up")
        elif self.ready:
            if self._probe_ms is None or self._session.heard_ms > self._probe_ms:
                self._probe_ms = self._clock.now_ms()
            self._probing = True
            self._may_write.set()

    def unanswered_ms(self) -> int:
        """Return for how long probe() has waited for an answer; 0 for a peer that answers nothing."""
        probe_ms = self._probe_ms
        if probe_ms is None or self._session.heard_ms > probe_ms or not self._session.answers_probes():
            return 0
        return self._clock.now_ms() - probe_ms

    def end(self, reason: str) -> None:
        """End the connection; only the first call counts. Session.end() says what becomes of merchants."""
        if self.ended.is_set():
            return
        self.reason = reason
        try:
            self._session.end(self.dialled)
            if self._announced:
                self._log(ROAD_CLOSED, "the road to %s (%s) is closed: %s" % (self.peer, self.host, reason))
        except MemoryError:
            pass  # merchants that could not return are still outbound: each is in one place
        finally:
            self.ended.set()
            self.named.set()
            self.wake()

    def _lose(self, reason: str) -> None:
        self.end(self._session.protocol.pending_failure or reason)

    async def _guard(self, work: "Callable[[], Coroutine[object, object, None]]") -> None:
        """Run a part of the connection. An exception ends the connection, and nothing else."""
        try:
            await work()
        except OSError as error:
            self._lose("the connection broke (%s)" % error)
        except Exception as error:
            is_expected = isinstance(error, (DeskonomyError, MemoryError))
            if not is_expected or isinstance(error, ProtocolMisuseError):
                report_bug(self._log, "the connection to %s (%s)" % (self.peer, self.host), error)
            self.end("%s: %s" % (type(error).__name__, error))

    async def _greet(self) -> None:
        """Send this city's name, after the first bytes of a peer that speaks first."""
        data = None
        if not self.dialled:
            try:
                data = await asyncio.wait_for(self._reader.read(_READ_BYTES), _FIRST_MS / 1000)
            except asyncio.TimeoutError:
                pass
        if data == b"":
            self._lose("it hung up")
        elif data and is_http(data):
            self.end(HTTP)
        else:
            await self._write_all()
            if data:
                self._session.receive(data, self._clock.now_ms())
                self._advance()

    async def take_turn(self) -> None:
        """Return when to act on what was read, at most _READ_BYTES: let every other task have its turn first."""
        await asyncio.sleep(0)

    async def _read(self) -> None:
        while True:
            data = await self._reader.read(_READ_BYTES)
            if not data:
                self._session.hang_up(self._clock.now_ms())
                while self._session.hung_up and self._session.is_waiting():
                    self._may_read.clear()
                    await self._may_read.wait()
                    self._advance()
                return self._lose("it hung up" if self.ready else "it hung up: its log says why")
            await self.take_turn()
            self._session.receive(data, self._clock.now_ms())
            self._advance()
            self._may_write.set()  # there may be something to answer
            while not self._session.wants_bytes():
                self._may_read.clear()
                await self._may_read.wait()
                self._advance()  # first what has come already

    async def _write(self) -> None:
        while True:
            self._may_write.clear()
            await self._write_all()
            await self._may_write.wait()

    async def _write_all(self) -> None:
        """Write everything that may be sent now."""
        self._advance()
        if self._probing:
            self._probing = False
            for data in self._session.encode_probe(self._clock.now_ms()):
                await self._flush(data)
        data = self._session.next_bytes(self._clock.now_ms())
        while data is not None:
            await self._flush(data)
            data = self._session.next_bytes(self._clock.now_ms())

    async def _flush(self, data: "bytes | bytearray") -> None:
        self._flush_by_ms = self._clock.now_ms() + _FLUSH_MS
        self._writer.write(data)
        await self._writer.drain()
        self._flush_by_ms = None

    def _advance(self) -> None:
        """Advance the session, and act on what has changed."""
        self._session.advance(self._clock.now_ms())
        if self.peer is not None:
            self.named.set()
        if self.ready and self.road is not None and not self._announced:
            self._announced = True
            self._log(ROAD_OPEN, "the road to %s (%s) is open" % (self.peer, self.host))
        self._may_read.set()
        if self._session.failure is not None:
            self.end(self._session.failure)


def report_bug(log: "Callable[[str, str], object]", part: str, error: Exception) -> None:
    """Log an exception that no code expects. Call it where the exception is caught: a host's log adds the traceback."""
    log(BUG, "%s has failed, which is a bug: %s: %s" % (part, type(error).__name__, error))
    print_traceback(error)
