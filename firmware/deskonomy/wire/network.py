"""A city's roads over TCP: whom it listens to, whom it dials, and which connection carries which road.

Here: listening, dialling again and again, one road a name, and the limits on connections. Not here: a single connection
(link.py). The city must be run in the same asyncio loop.

Two connections to one name: which one stays?
- Both cities dialled each other at once: the one that the city whose name sorts first has dialled, so that both
  choose alike.
- Else the first holds the road, and is asked for a sign of life with a blank line. If it ends (a machine that has
  been off answers with a reset), the newcomer has the road. If it was heard lately, the newcomer is refused. If it is
  merely silent, as peers without keepalive may be, then a newcomer from the same machine is that machine come back,
  and takes its road; from elsewhere it is refused. That takes less than a second; who is refused dials again.
"""

import asyncio
import errno
import os

from deskonomy.compat import const, dials_at_once, discard, host_of
from deskonomy.roads.ledger import Ledger
from deskonomy.wire.connection import Clock, Link

_PORTS = const(100)  # tried, one above the other
_NAMING_MAX = const(16)  # connections that carry no road yet; who says nothing keeps no more than these, for 5 s
_FAILURES_MAX = const(20)  # of one machine within _FAILURES_MS, that never got as far as a name or a proof
_FAILURES_MS = const(60_000)
_FAILING_MAX = const(16)  # machines whose failures are counted
_CONNECT_S = const(5)
_PROBE_MS = const(800)  # for a reset to come back; a newcomer sends no merchant before it knows whether it is refused
_LATELY_MS = const(3000)
_NOBODY_MS = const(3_600_000)
_ROAD_BYTES = const(9_000)  # of memory that a connection may come to take on a board, with those under way on it
_LOOK_MS = const(50)  # from one look of all links at the clock to the next
_LOOKS = const(20)  # until who waits for memory asks for it again, for asking takes a board some milliseconds
_BREATH_S = const(1.1)  # between two names that are looked up, each of which may stop everything for seconds
_WAIT_MS = const(1000)  # before dialling again; doubles
_WAIT_MAX_MS = const(5_000)  # so that trade resumes soon after a link is back
_WAIT_BLOCKING_MAX_MS = const(30_000)  # where a try may stop everything for seconds


class Roads:
    """The roads of one city over TCP: City.open_road() is called for each as its name becomes known.

    listen, port: the address to listen on; start() takes the next free port above if that one is taken, and `port` is
    the one it got. line_max: bytes of the longest line read. room: merchants that a road holds each way.
    connections_max: also how many roads that are down are remembered. log: called with one line of text. has_memory:
    function of a number of bytes, whether they may be used for a connection or a merchant; None where that is no
    question. key: 32 bytes that every peer must have too, None to let in whoever comes. key_of: function from a peer's
    name to a key of its own that is asked of it instead, or None.

    The city's ledger goes on where it is saved; a city without one gets one that outlives nothing. server: asyncio's,
    None while nobody listens.
    """

    def __init__(
        self,
        city,
        listen="127.0.0.1",
        port=55555,
        line_max=65536,
        room=100,
        connections_max=256,
        log=print,
        has_memory=None,
        key=None,
        key_of=None,
    ):
        self.city = city
        city.ledger = self.ledger = city.ledger or Ledger(int.from_bytes(os.urandom(4), "little") >> 2)
        for road in self.ledger.roads.values():  # of a city that was saved
            road.room = room
        self.listen = listen
        self.port = port
        self.line_max = line_max
        self.room = room
        self.connections_max = connections_max
        self.log = log
        self.has_memory = has_memory
        self._clock = Clock()
        self.server = None
        self._links = []
        self._looking = None  # the task that lets them look at the clock, while there are any
        self._dialled = {}  # _Dialled by (host, port)
        self._complained = False
        self._looking_up = None  # a Lock: one name at a time, once there is one, where that stops everything else
        self._failing = {}  # [failures, when they are forgotten] by machine
        self._turned_away = None  # who was last, and why
        self._key = key
        self._key_of = None
        if key is not None or key_of is not None:
            self._key_of = lambda name: (key_of and key_of(name)) or key

    async def listen_at(self, host):
        """Listen there, and nowhere else any more: this machine's address has changed. Raises OSError as start()."""
        if self.server is not None:
            await discard(self.server)
        self.listen = host
        await self.start()

    def quiet_ms(self):
        """Milliseconds since any peer was heard that is connected now; an hour if none is."""
        return min([_NOBODY_MS] + [self._clock.now_ms() - link.came_ms for link in self._links])

    async def start(self):
        """Listen. Raises OSError, with EADDRINUSE if a hundred ports from `port` on are taken."""
        for port in range(self.port, min(self.port + _PORTS, 65536)):
            try:
                self.server = await asyncio.start_server(self._accept, self.listen, port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                self.port = port
                whom = "whoever comes, since it has no key" if self._key is None else "who has its key"
                self.log("%s listens on %s:%d and lets in %s" % (self.city.name, self.listen, port, whom))
                return
        raise OSError(errno.EADDRINUSE, "no free port from %d on" % self.port)

    def dial(self, host, port):
        """Keep a road to that address until hang_up(): dial it, and again whenever it ends, with growing waits."""
        if (host, port) not in self._dialled:
            self._dialled[host, port] = _Dialled(host, port, self._keep)

    def address_of(self, name):
        """(host, port) that is dialled for the road of this name; None if it is not dialled from here."""
        for address, dialled in self._dialled.items():
            if dialled.name == name:
                return address
        return None

    def open_connection(self, host, port):
        """asyncio's; a host has more ways to find a name."""
        return asyncio.open_connection(host, port)

    async def hang_up(self, host, port):
        """End what dial() began. Merchants that wait for that road come home."""
        dialled = self._dialled.pop((host, port), None)
        if dialled is None:
            return
        if dialled.link is not None:
            dialled.link.end("this city hung up")
        dialled.task.cancel()
        await _ended(dialled.task)
        road = self.ledger.roads.get(dialled.name)
        if road is not None and road.link is None:
            road.turn_back()

    async def close(self):
        """End everything: nothing of this is left in the loop, and no socket open."""
        if self.server is not None:
            self.server.close()
        for host, port in list(self._dialled):
            await self.hang_up(host, port)
        for link in list(self._links):
            link.end("this city closes its roads")
            await _ended(link.task)
        if self.server is not None:
            await self.server.wait_closed()
            self.server = None
        if self._looking is not None:
            await _ended(self._looking)

    async def _accept(self, reader, writer):
        naming = len([link for link in self._links if link.road is None])
        full = len(self._links) >= self.connections_max or naming >= _NAMING_MAX
        if full or self._fails(host_of(writer, None)) or not self._has_memory():
            if not self._complained:
                self._complained = True
                self.log("%s turns connections away: it has as many as it takes" % self.city.name)
            await discard(writer)
            return
        try:
            link = await self._link(reader, writer, None)
            await self._run(link)
        except MemoryError:
            return  # who has dialled dials again
        if link.peer is None:
            self._fail(link.host)
        who = (link.peer or "somebody", link.host, link.reason)
        if not link.ready and who != self._turned_away:  # who comes again and again is told of once
            self._turned_away = who
            self.log("%s (%s) was turned away: %s" % who)

    def _has_memory(self):
        """Whether there is memory for one more connection, and who comes and goes by it."""
        return self.has_memory is None or self.has_memory(_ROAD_BYTES)

    def _fails(self, host):
        """Whether that machine has failed so often that it is not listened to for now."""
        failures, until_ms = self._failing.get(host, (0, 0))
        if self._clock.now_ms() >= until_ms:
            self._failing.pop(host, None)
            return False
        return failures >= _FAILURES_MAX

    def _fail(self, host):
        """A connection from that machine came to nothing."""
        if host not in self._failing:
            if len(self._failing) >= _FAILING_MAX:
                self._failing.pop(next(iter(self._failing)))
            self._failing[host] = [0, self._clock.now_ms() + _FAILURES_MS]
        self._failing[host][0] += 1

    async def _keep(self, dialled):
        """Keep up the road to one address; the only one who dials it."""
        wait_ms = _WAIT_MS
        said = None
        host, port = dialled.host, dialled.port
        alone = not dials_at_once(host)
        if alone and self._looking_up is None:
            self._looking_up = asyncio.Lock()
        wait_max_ms = _WAIT_BLOCKING_MAX_MS if alone else _WAIT_MAX_MS
        while True:
            try:
                if not self._has_memory():
                    raise MemoryError("%s has no memory for one more" % self.city.name)
                if alone:
                    await self._looking_up.acquire()
                try:
                    if alone:
                        await asyncio.sleep(_BREATH_S)
                    reader, writer = await asyncio.wait_for(self.open_connection(host, port), _CONNECT_S)
                finally:
                    if alone:
                        self._looking_up.release()
                link = dialled.link = await self._link(reader, writer, host)
                if not self._wants(dialled):
                    link.end("this city hung up")
                await self._run(link)
            except asyncio.TimeoutError:
                reason = "no answer within %d s" % _CONNECT_S
            except Exception as error:  # OSError, no memory, or what an address that makes no sense raises
                reason = str(error)
            else:
                reason = link.reason
                if link.ready:
                    wait_ms = _WAIT_MS
                    said = reason  # the link has logged it
                road = self.ledger.roads.get(link.peer)
                if road is not None and road.link is not None and self._wants(dialled):
                    await road.link.ended.wait()
            if not self._wants(dialled):
                return
            if reason != said:
                said = reason
                self.log("no road to %s:%d: %s; dialling on" % (host, port, reason))
            # From half the wait to all of it, so that two cities do not meet again and again.
            await asyncio.sleep((wait_ms + wait_ms * os.urandom(1)[0] // 256) / 2000)
            wait_ms = min(2 * wait_ms, wait_max_ms)

    def _wants(self, dialled):
        """Whether nobody has hung up. That this task is cancelled may be swallowed: by a link that is stopping, and by
        wait_for() (CPython until 3.12, gh-86296)."""
        return self._dialled.get((dialled.host, dialled.port)) is dialled

    async def _link(self, reader, writer, dialled):
        """A Link for this connection. Raises MemoryError, and closes it then."""
        words = self.city.name, self._clock, self.line_max, dialled, self.log, self._key_of, self.has_memory
        try:
            return Link(reader, writer, *words)
        except MemoryError:
            await discard(writer)
            raise

    async def _run(self, link):
        """A connection's life."""
        link.task = asyncio.current_task()
        try:
            self._links.append(link)
            if self._looking is None:
                # Started with the first link, ends with the last.
                self._looking = asyncio.create_task(self._look())
            await link.start()
            await link.named.wait()
            if link.peer:
                await self._assign(link)
            await link.ended.wait()
        finally:
            link.end("this city hung up")
            try:
                await link.stop()
            finally:  # whoever hangs up while it ends cancels this
                if link in self._links:
                    self._links.remove(link)

    async def _look(self):
        """Let every link look at the clock."""
        looks = 0
        while self._links:
            looks = (looks + 1) % _LOOKS
            try:
                now_ms = self._clock.now_ms()
                for link in self._links:
                    link.look(now_ms)
                    if not looks:
                        link.stir()  # who waits for memory has nobody else to wake it
            except MemoryError:
                pass  # the next look may have it
            await asyncio.sleep(_LOOK_MS / 1000)
        self._looking = None

    async def _assign(self, link):
        """Give a connection that has just been named its road, or end it."""
        road = self.ledger.roads.get(link.peer)
        if link.peer == self.city.name:
            link.end("it is this city itself")
        elif road is None and link.peer in self.city.roads:
            link.end("there is a road to %s inside this process" % link.peer)
        elif road is not None and road.link is not None and not await self._gives_way(road.link, link):
            link.end("there is a road to %s already" % link.peer)
        if link.ended.is_set():
            return
        road = self.ledger.roads.get(link.peer) or self._new_road(link.peer)
        if road is None:
            link.end("%s remembers as many roads as it can" % self.city.name)
        elif road.link is not None:
            link.end("another connection was quicker")
        else:
            link.carry(road)

    async def _gives_way(self, holder, newcomer):
        """Whether the connection that carries a road ends for a newcomer of the same name; see above."""
        if holder.dialled != newcomer.dialled and not holder.ready:
            if newcomer.dialled != (self.city.name < newcomer.peer):
                return False
            holder.end("both cities dialled, one connection is enough")
            return True
        holder.probe()
        try:
            await asyncio.wait_for(holder.ended.wait(), _PROBE_MS / 1000)
        except asyncio.TimeoutError:
            if self._clock.now_ms() - holder.heard_ms < _LATELY_MS or holder.host != newcomer.host:
                return False
            holder.end("silent, and its city has come back")
        return True

    def _new_road(self, name):
        """A road to a city that is new here, or None if there are too many.

        One that is down, and that nobody waits on or dials, makes way for it. Of a peer that never showed to be one of
        ours, whoever is under way to it counts as arrived.
        """
        roads = self.ledger.roads
        if len(roads) >= self.connections_max:
            dialled = [dialled.name for dialled in self._dialled.values()]
            for old in roads.values():
                if old.link is None and not old.inbound and not (old.ours and old.outbound) and old.name not in dialled:
                    break
            else:
                return None
            self.ledger.forget(old.name)
            self.city.close_road(old.name)
        road = self.ledger.road(name, self.room)
        try:
            self.city.open_road(road)
        except MemoryError:  # for one more place in the city's array
            self.ledger.forget(name)
            raise
        return road


class _Dialled:
    """An address that is dialled until nobody wants it any more, by keep(self). link: the last connection to it."""

    def __init__(self, host, port, keep):
        self.host = host
        self.port = port
        self.link = None
        # Started here; hang_up() and close() end it.
        self.task = asyncio.create_task(keep(self))

    @property
    def name(self):
        """The city there, None until known."""
        return self.link and self.link.peer


async def _ended(task):
    """Wait for the end of a task, however it ends."""
    try:
        await task
    except asyncio.CancelledError:
        pass
