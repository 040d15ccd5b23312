"""A city's network on a host among strangers: what one address may take, and how long others wait for it.

Here: the turns in which connections act on what they have received, the queue of connections that wait for a place,
and the limits of roads and merchants of each address. Not here: the limits that a board has as well
(deskonomy/wire/network.py), finding NAME.local (mdns.py).

A stranger is a peer that has dialled this city and has proven no key. Only strangers have limits, and a stranger's road
never takes the place of a road to another peer.
"""

# pyright: strict
import asyncio
import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from deskonomy.compat import abort_stream, get_peer_host
from deskonomy.wire.admission import is_failing
from deskonomy.wire.connection import Connection
from deskonomy.wire.network import Network

if TYPE_CHECKING:
    from deskonomy.roads.road import Road

# A tick takes longer with each road, because merchants compare its prices: these keep it far below 50 ms.
STRANGERS_MAX = 64  # roads of strangers that have a connection
ADDRESS_ROADS_MAX = 32  # the same, of one address
IDLE_S = 10.0  # without a merchant either way a stranger's road may lose its place
ROAD_VISITORS_MIN = 8  # see CrowdNetwork
ADDRESSES_MAX = 1024  # whose merchants are counted; the one that was seen first is forgotten first

_SLICE_S = 0.002  # of connections in one turn of the event loop
_READ_AHEAD_BYTES = 4096
_WOKEN_MAX = 2  # connections that have waited, in one turn: a kilobyte takes up to a millisecond
_WAITING_MAX = 400  # connections that wait for a place
_WAITING_S = 4.0  # a peer that has not read our name within 5 s dials again
_FAILING_WAIT_S = 0.5  # before each connection of an address that is failing
_GIVEN_MAX = 4  # places that one host gets at a time
_HOSTS_AT_ONCE = 16  # because each takes a look at all connections
_PORTER_S = 0.02  # between two looks at the queue
_DESCRIPTORS = 10_000  # more than all connections of a run take
_RESERVE_DESCRIPTORS = 32  # for files: a city must be saved, and its history recorded, while peers come in crowds


class Turns:
    """Lets connections act for a short time in each turn of the event loop, so that ticks and other tasks go on."""

    def __init__(self) -> None:
        self._opened_s: float | None = None  # when the first connection acted in this turn
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take_turn(self) -> None:
        """Return when the caller may act on what it has received, at most a kilobyte."""
        loop = asyncio.get_running_loop()
        if self._opened_s is None:
            self._open(loop)
        elif self._waiting or loop.time() - self._opened_s > _SLICE_S:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._opened_s = loop.time()
        loop.call_soon(self._close)

    def _close(self) -> None:
        """End this turn. The next one begins with two connections that wait."""
        self._opened_s = None
        woken = 0
        while self._waiting and woken < _WOKEN_MAX:
            turn = self._waiting.popleft()
            if not turn.done():  # its connection has not ended
                turn.set_result(None)
                woken += 1
        if woken:
            self._open(asyncio.get_running_loop())


class _Proof(Connection):
    """What a host asks of a connection, and a board does not."""

    @staticmethod
    def is_given(connection: Connection) -> bool:
        """Return whether the peer has proven that it has our key."""
        return connection._session.protocol.is_sealed


class CrowdNetwork(Network):
    """The network of a city on a host, with limits for strangers."""

    failing_places = 12  # as many as others have, because connections can wait here

    def __init__(
        self, *arguments: Any, turns: Turns | None = None, visitors_max: int | None = None, **options: Any
    ) -> None:
        """Create a network.

        Args:
            arguments, options: as Network takes them.
            turns: those of all networks of this process, None for new ones.
            visitors_max: merchants that came from one address of strangers and have not left for it again. More of them
                wait on their roads; each road may let ROAD_VISITORS_MIN in, until there are twice as many. None for no
                limit.
        """
        super().__init__(*arguments, **options)
        self._visitors_max = visitors_max
        self._turns = turns or Turns()
        self._waiting: dict[str | None, deque[asyncio.Future[bool]]] = {}  # by host
        self._porter: asyncio.Task[None] | None = None
        self._activity: dict[Connection, tuple[int, float]] = {}  # (merchants so far, since when so many)
        self._visitors: dict[str | None, int] = {}  # {host: merchants that came minus merchants that left for it}
        self._counted: dict[str, tuple[str | None, Road, int]] = {}  # {city: (host, road, merchants counted so far)}

    async def close(self) -> None:
        """End everything, as Network does."""
        for queue in self._waiting.values():
            for place in queue:
                place.cancel()
        if self._porter is not None:
            self._porter.cancel()
        await super().close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio reads ahead, up to a quarter of a megabyte of each connection.
        setattr(reader, "_limit", _READ_AHEAD_BYTES)  # noqa: B010 (asyncio has no other way once the stream is open)
        setattr(writer.transport, "max_size", _READ_AHEAD_BYTES)  # noqa: B010
        host = get_peer_host(writer, None)
        is_placed = False
        while not is_placed:
            if _lacks_descriptors(writer) or not await self._wait_for_place(host):
                await abort_stream(writer)
                return
            is_placed = self.has_place(host)  # another connection may have been quicker
        await super()._accept(reader, writer)

    async def _wait_for_place(self, host: str | None) -> bool:
        """Return whether there is a place for a connection from this host, or there is one after a while."""
        fails = is_failing(self, host)
        if not fails and not self._waiting.get(host) and self.has_place(host):
            return True
        limit = _WAITING_MAX if host in self._waiting else 2 * _WAITING_MAX  # an address with none waiting comes first
        if sum(map(len, self._waiting.values())) >= limit:
            return False
        if fails:
            await asyncio.sleep(_FAILING_WAIT_S)
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(host, deque()).append(place)
        if self._porter is None:
            # Started with the first connection that waits, ends with the last.
            self._porter = asyncio.create_task(self._give_places())
        try:
            async with asyncio.timeout(_WAITING_S):
                return await place
        except (TimeoutError, asyncio.CancelledError):
            return False

    async def _give_places(self) -> None:
        """Give each place that becomes free to the connection of its host that has waited longest."""
        while self._waiting:
            for host in list(self._waiting)[:_HOSTS_AT_ONCE]:
                queue = self._waiting.pop(host)
                given = 0
                while queue and given < _GIVEN_MAX and (queue[0].done() or self.has_place(host)):
                    place = queue.popleft()
                    if not place.done():
                        place.set_result(True)
                        given += 1
                if queue:
                    self._waiting[host] = queue  # behind the others
            await asyncio.sleep(_PORTER_S)
        self._porter = None

    async def create_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dialled: str | None
    ) -> Connection:
        """Return a Connection that acts in turns."""
        connection = await super().create_connection(reader, writer, dialled)
        connection.take_turn = self._turns.take_turn
        return connection

    # Roads.

    def list_connections(self) -> list[Connection]:
        """Return the connections that have not ended, the oldest first."""
        return [connection for connection in self.connections if not connection.ended.is_set()]

    async def assign_road(self, connection: Connection) -> None:
        """Give a connection its road, unless it is a stranger's and its address or all strangers have too many."""
        if self._is_stranger(connection):
            reason = self._find_refusal(connection)
            if reason is not None:
                connection.end(reason)
        if not connection.ended.is_set():
            await super().assign_road(connection)
        road = connection.road
        if road is not None and self._is_stranger(connection):
            self._counted[road.name] = connection.host, road, road.received - road.sent
            road.gate = self._may_enter if self._visitors_max is not None else None
        elif road is not None:
            road.gate = None

    def _is_stranger(self, connection: Connection) -> bool:
        return not connection.dialled and not _Proof.is_given(connection)

    def _find_refusal(self, newcomer: Connection) -> str | None:
        """Return why a stranger gets no road; None if there is a place for it, which an idle one may have to leave."""
        strangers = [at for at in self.list_connections() if at.road is not None and self._is_stranger(at)]
        now_s = time.monotonic()
        for connection in strangers:
            road = connection.road
            count = road.sent + road.received if road is not None else 0
            if self._activity.get(connection, (None, 0.0))[0] != count:
                self._activity[connection] = count, now_s
        for connection in self._activity.keys() - set(strangers):
            del self._activity[connection]
        same = [at for at in strangers if at.host == newcomer.host]
        if len(same) >= ADDRESS_ROADS_MAX:
            crowd = same
        elif len(strangers) >= STRANGERS_MAX:
            crowd = strangers
        else:
            return None
        if any(at.peer == newcomer.peer for at in crowd):
            return None  # it takes no further place
        oldest = min(crowd, key=lambda at: self._activity[at][1])
        if now_s - self._activity[oldest][1] < IDLE_S:
            crowd_name = "its address" if crowd is same else "strangers"
            return f"{self.city.name} has as many roads to {crowd_name} as it takes"
        oldest.end("it is idle, and others wait for its place")
        return None

    # Merchants.

    def _may_enter(self, road: "Road") -> bool:
        """Return whether the next merchant of a stranger's road may enter: its address has not too many here."""
        self._count_visitors()
        host, _, _ = self._counted[road.name]
        visitors, most = self._visitors.get(host, 0), self._visitors_max or 0
        id = road.inbound[0].id
        if visitors < most or (id is not None and id[0] == self.ledger.incarnation):  # the latter returns
            return True
        return visitors < 2 * most and road.received - road.sent < ROAD_VISITORS_MIN

    def _count_visitors(self) -> None:
        """Bring the numbers of visitors up to date with the roads."""
        for name, (host, road, counted) in list(self._counted.items()):
            count = road.received - road.sent
            if count != counted:
                self._visitors[host] = max(0, self._visitors.pop(host, 0) + count - counted)
                self._counted[name] = host, road, count
                if len(self._visitors) > ADDRESSES_MAX:
                    del self._visitors[next(iter(self._visitors))]
            if self.ledger.roads.get(name) is not road:
                del self._counted[name]


def _lacks_descriptors(writer: asyncio.StreamWriter) -> bool:
    """Return whether an accepted stream has one of the last descriptors: systems give the lowest one that is free."""
    try:
        import resource
    except ImportError:  # not on Windows
        return False
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptor: int = writer.get_extra_info("socket").fileno()
    return limit != resource.RLIM_INFINITY and descriptor >= limit - _RESERVE_DESCRIPTORS


def raise_descriptor_limit() -> None:
    """Allow this process as many descriptors as the system lets it have, up to _DESCRIPTORS."""
    if os.name == "posix":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        if resource.RLIM_INFINITY != soft < wanted:
            with contextlib.suppress(OSError, ValueError):  # macOS allows fewer than it says
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
