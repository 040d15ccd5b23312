"""The roads of a city over TCP: its listener, its diallers, and the life of each connection.

Here: listening, admission control, and the task of each connection. Not here: dialling again (wire/dialler.py), which
of two connections carries a road (wire/arbitration.py), a single connection (wire/connection.py). The city must run in
the same asyncio loop.
"""

import asyncio
import errno
import os

from deskonomy.compat import TYPE_CHECKING, abort_stream, const, get_peer_host
from deskonomy.events import CONNECTION_REJECTED, CONNECTIONS_FULL, LISTENING, print_text
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import VANISHED_MS
from deskonomy.wire.arbitration import assign_road
from deskonomy.wire.connection import Connection, MonotonicClock, report_bug
from deskonomy.wire.session import MISBEHAVED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from deskonomy.economy.city import City
    from deskonomy.wire.dialler import Dialler

_NOBODY_MS = const(3_600_000)
_CONNECTION_BYTES = const(9_000)  # of memory that a connection may take on a board, with its merchants in flight
_CHECK_MS = const(50)  # between two checks of all deadlines
_MEMORY_CHECKS = const(20)  # checks of deadlines between two of memory, which take a board some milliseconds


class Network:
    """The roads of one city over TCP. City.open_road() is called for each road once its peer's name is known.

    Attributes:
        city: the city. Its ledger is continued; a city without a ledger gets a volatile one.
        ledger: the same ledger.
        listen: the address to listen on.
        port: the first port to try; start() sets it to the port that it got.
        line_max: the longest line that is read, in bytes.
        capacity: merchants that a road holds each way.
        connections_max: also the number of roads that are remembered while they are down.
        log: see deskonomy/events.py.
        has_memory: function of a number of bytes, whether a connection or a merchant may take them; None for no limit.
        clock: the time of all connections.
        server: asyncio's server, None while the city does not listen.
        failing_places: connections without a road of a host that is failing, see wire/admission.py.
        connections: all connections, the oldest first.
        failing: {host: [failed connections, when they are forgotten]}.
    """

    failing_places = 2

    def __init__(
        self,
        city: "City",
        listen: str = "127.0.0.1",
        port: int = 55555,
        line_max: int = 65536,
        capacity: int = 100,
        connections_max: int = 256,
        log: "Callable[[str, str], object]" = print_text,
        has_memory: "Callable[[int], bool] | None" = None,
        key: "bytes | None" = None,
        key_of: "Callable[[str], bytes | None] | None" = None,
    ) -> None:
        """Create the network of a city; start() listens, dial() dials.

        Args:
            city, listen, port, line_max, capacity, connections_max, log, has_memory: see the attributes.
            key: 32 bytes that every peer must have, too; None for no key.
            key_of: function from a peer's name to a key that is asked of that peer instead, or None.
        """
        self.city = city
        city.ledger = self.ledger = city.ledger or Ledger(int.from_bytes(os.urandom(4), "little") >> 2)
        self.ledger.arrivals_max = 4 * connections_max
        for road in self.ledger.roads.values():  # of a city that was saved
            road.capacity = capacity
        self.listen = listen
        self.port = port
        self.line_max = line_max
        self.capacity = capacity
        self.connections_max = connections_max
        self.log = log
        self.has_memory = has_memory
        self.clock = MonotonicClock()
        self.server: asyncio.Server | None = None
        self.lookup_lock: asyncio.Lock | None = None  # see Dialler
        self.connections: list[Connection] = []
        self._check_task: asyncio.Task | None = None  # runs while there are connections
        self._dialled: dict[tuple[str, int], Dialler] = {}
        self._full_logged = False
        self.failing: dict[str | None, list[int]] = {}  # {host: [failures, when they are forgotten]}
        self._rejected: tuple[str | None, ...] | None = None  # the last rejected connection that was logged
        self._has_key = key is not None
        self._key_of = None
        if key is not None or key_of is not None:
            self._key_of = lambda name: (key_of and key_of(name)) or key

    async def start(self) -> None:
        """Listen. Raises OSError, with EADDRINUSE if every port from `port` on is taken."""
        for port in range(self.port, 65536):
            try:
                self.server = await asyncio.start_server(self._accept, self.listen, port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                self.port = port
                peers = "peers that have its key" if self._has_key else "any peer, because it has no key"
                self.log(LISTENING, "%s listens on %s:%d and accepts %s" % (self.city.name, self.listen, port, peers))
                return
        raise OSError(errno.EADDRINUSE, "no free port from %d on" % self.port)

    async def listen_at(self, host: str) -> None:
        """Listen on this address only: this machine's address has changed. Raises OSError as start()."""
        if self.server is not None:
            await abort_stream(self.server)
        self.listen = host
        await self.start()

    def silence_ms(self) -> int:
        """Return the milliseconds since anything last came from a connected peer, an hour without a connection."""
        now_ms = self.clock.now_ms()
        return min([_NOBODY_MS] + [now_ms - connection.received_ms for connection in self.connections])

    def dial(self, host: str, port: int) -> None:
        """Keep up a road to this address until hang_up(): dial it, and again whenever its connection ends."""
        from deskonomy.wire.dialler import Dialler  # a board that is only dialled saves its memory

        if (host, port) not in self._dialled:
            self._dialled[host, port] = Dialler(self, host, port)

    def is_dialled(self, dialler: "Dialler") -> bool:
        """Return whether a dialler is still wanted."""
        return self._dialled.get((dialler.host, dialler.port)) is dialler

    def find_address(self, name: str) -> "tuple[str, int] | None":
        """Return the (host, port) that is dialled for the road to this city, None if none is."""
        for address, dialler in self._dialled.items():
            if dialler.name == name:
                return address
        return None

    def find_failure(self, host: str, port: int) -> "str | None":
        """Return why the last connection to a dialled address ended or was not opened; None before that."""
        dialler = self._dialled.get((host, port))
        return dialler and dialler.failure

    def open_connection(self, host: str, port: int) -> "Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]":
        """Open a stream, as asyncio does; a host overrides this with more ways to look up a name."""
        return asyncio.open_connection(host, port)

    async def hang_up(self, host: str, port: int) -> None:
        """End what dial() began. Merchants that wait for that road return."""
        dialler = self._dialled.pop((host, port), None)
        if dialler is None:
            return
        if dialler.connection is not None:
            dialler.connection.end("this city hung up")
        dialler.task.cancel()
        await _wait_for_end(dialler.task)
        road = self.ledger.roads.get(dialler.name or "")
        if road is not None and road.connection is None:
            road.dialled = False
            road.return_unsent()

    def forget(self, name: str) -> int:
        """Forget the road to a city that has vanished, and return the number of its merchants that return.

        Merchants that were sent and not acknowledged return, too: if that city comes back after all, they may exist
        twice. If it is dialled, it is dialled on.

        Raises:
            ValueError: the road is up, or there is none over the network.
        """
        from deskonomy.wire.vacancy import forget_road

        return forget_road(self, name)

    async def close(self) -> None:
        """End everything: no task is left in the loop, and no socket open."""
        if self.server is not None:
            self.server.close()
        for host, port in list(self._dialled):
            await self.hang_up(host, port)
        for connection in list(self.connections):
            connection.end("this city closes its roads")
            await _wait_for_end(connection.task)
        if self.server is not None:
            await self.server.wait_closed()
            self.server = None
        await _wait_for_end(self._check_task)

    def has_connection_memory(self) -> bool:
        """Return whether there is memory for one more connection and its merchants."""
        return self.has_memory is None or self.has_memory(_CONNECTION_BYTES)

    async def create_connection(
        self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter", dialled: "str | None"
    ) -> Connection:
        """Return a Connection for a stream, see there. Closes the stream and raises MemoryError without memory."""
        options = self.city.name, self.clock, self.line_max, dialled, self.log, self._key_of, self.has_memory
        try:
            return Connection(reader, writer, *options)
        except MemoryError:
            await abort_stream(writer)
            raise

    async def assign_road(self, connection: Connection) -> None:
        """Give a connection whose peer is known its road, or end it; a host limits the roads of one address."""
        await assign_road(self, connection)

    async def run_connection(self, connection: Connection) -> None:
        """Run a connection until it ends."""
        connection.task = asyncio.current_task()
        try:
            self.connections.append(connection)
            if self._check_task is None:
                # Started with the first connection, ends with the last.
                self._check_task = asyncio.create_task(self._check_connections())
            await connection.start()
            await connection.named.wait()
            if connection.peer:
                await self.assign_road(connection)
            await connection.ended.wait()
        finally:
            connection.end("this city hung up")
            try:
                await connection.stop()
            finally:  # hang_up() during the end cancels this task
                if connection in self.connections:
                    self.connections.remove(connection)
                road = self.ledger.roads.get(connection.peer or "")
                if road is not None and road.connection is None:
                    road.down_ms = self.clock.now_ms()

    async def _accept(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> None:
        try:
            is_taken = self.has_place(get_peer_host(writer, None)) and self.has_connection_memory()
        except (MemoryError, ImportError):  # the second of a module that an earlier lack of memory has cut short
            is_taken = False
        if not is_taken:
            if not self._full_logged:
                self._full_logged = True
                text = "%s rejects connections: it has as many as it takes"
                self.log(CONNECTIONS_FULL, text % self.city.name)
            await abort_stream(writer)
            return
        try:
            connection = await self.create_connection(reader, writer, None)
            await self.run_connection(connection)
            if connection.peer is None or connection.reason == MISBEHAVED:
                from deskonomy.wire.admission import FAILURES_MAX, count_failures

                count_failures(self, connection.host, 1 if connection.peer is None else FAILURES_MAX)
        except MemoryError:
            return  # the peer dials again
        except Exception as error:
            report_bug(self.log, "a connection that %s has accepted" % self.city.name, error)
            return
        rejected = (connection.peer or "an unnamed peer", connection.host, connection.reason)
        if not connection.ready and rejected != self._rejected:  # a peer that comes again and again is logged once
            self._rejected = rejected
            self.log(CONNECTION_REJECTED, "%s (%s) was rejected: %s" % rejected)

    def has_place(self, host: "str | None") -> bool:
        """Return whether there is a place for a new connection from this host. A silent one may have to leave it."""
        naming = [connection for connection in self.connections if connection.road is None]
        if len(naming) < self.failing_places and len(self.connections) < self.connections_max:
            return True
        from deskonomy.wire.admission import find_place

        return find_place(self, host)

    async def _check_connections(self) -> None:
        """Check the deadlines of all connections until there are none."""
        checks = 0
        while self.connections:
            checks = (checks + 1) % _MEMORY_CHECKS
            try:
                now_ms = self.clock.now_ms()
                for connection in self.connections:
                    connection.check_deadlines(now_ms)
                    if not checks:
                        connection.wake()  # nothing else wakes a merchant that waits for memory
                if not checks:
                    self._forget_vanished(now_ms)
            except MemoryError:
                pass  # the next check may find some
            except Exception as error:
                report_bug(self.log, "the check of deadlines", error)
            await asyncio.sleep(_CHECK_MS / 1000)
        self._check_task = None

    def _forget_vanished(self, now_ms: int) -> None:
        """Forget the roads whose peers have been away for long, if merchants are outbound."""
        for road in list(self.ledger.roads.values()):
            is_down = road.outbound and road.connection is None and now_ms - road.down_ms >= VANISHED_MS
            if is_down and not self.find_address(road.name):
                from deskonomy.wire.vacancy import return_merchants

                return_merchants(self, road)


async def _wait_for_end(task: "asyncio.Task | None") -> None:
    """Wait for the end of a task that may have been cancelled, if there is one."""
    try:
        if task is not None:
            await task
    except asyncio.CancelledError:
        pass
