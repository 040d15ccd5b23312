"""A world of cities, links and disks on fake time, all of it drawn from one seed.

Here: what is pretended: time, wires that delay, cut and half-close, machines that crash, disks. Not here: what is
chosen to happen and what must hold (schedule.py). Real are the city, its ledger, its checkpoints, sessions and the
protocol. Nobody trades: the cities have no locals, so that every merchant keeps its money, which tells who it is.
"""

import json

from core.lines import line_of
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.status import merchants_column
from deskonomy.storage import encode as checkpoint
from deskonomy.storage.decode import thaw
from deskonomy.wire import protocol
from deskonomy.wire.session import Session

TCP_GIVES_UP_MS = 30_000
NAME_BYTES = 12  # a name is never cut in two: one that silence ends would be another city's
REFUSED_FROM = 1_000_000_001  # mills; nobody is let in with more than a million coins


class Broken(AssertionError):
    """An invariant does not hold."""


class Wire:
    """A TCP connection between two machines. ends: (Machine, Machine), the one that dialled first."""

    def __init__(self, world, ends):
        self.world = world
        self.ends = ends
        self.sessions = {}
        self.arriving = {end: [] for end in ends}  # [due_ms, bytes], b"" for the end of the connection
        self.given_up_ms = {}  # when an end finds out that nothing gets through
        self.cut = False  # nothing gets through any more, and nobody knows
        for end in ends:
            end.wires.append(self)
            if end.running:
                self.sessions[end] = end.open_session()

    def other(self, end):
        return self.ends[1 - self.ends.index(end)]

    def push(self, sender, data):
        """Put bytes on their way."""
        if not self.cut:
            queue = self.arriving[self.other(sender)]
            due_ms = self.world.now_ms + self.world.chance.choice((0, 1, 20, 300))
            queue.append([max(due_ms, queue[-1][0] if queue else 0), data])

    def cut_now(self):
        """Lose what is under way from some byte on; from now on nothing gets through."""
        self.go_silent()
        for queue in self.arriving.values():
            keep = self.world.chance.randrange(len(queue) + 1)
            if keep < len(queue) and len(queue[keep][1]) > NAME_BYTES:
                data = queue[keep][1]
                queue[keep][1] = data[: self.world.chance.randrange(len(data)) or 1]
                keep += 1
            del queue[keep:]

    def go_silent(self):
        """From now on nothing gets through, which TCP finds out in the end."""
        self.cut = True
        for end in self.ends:
            self.given_up_ms.setdefault(end, self.world.now_ms + TCP_GIVES_UP_MS)

    def close(self, end):
        """This end hangs up. The other learns of it, unless the wire is cut."""
        session = self.sessions.pop(end, None)
        if session is not None:
            session.end(end is self.ends[0])
            self.push(end, b"")
        if self in end.wires:
            end.wires.remove(self)

    def is_open(self, end):
        return end in self.sessions


class Machine:
    """A machine with a city, that may crash. disk: what survives, bytes. pending: a checkpoint being written.

    merchants_max: who comes when so many live here waits on the road. room: merchants that a road holds each way.
    short: how often there is no memory for who comes.
    """

    def __init__(self, world, name, merchants, merchants_max, room, short=0):
        self.world = world
        self.name = name
        self.wires = []
        self.running = True
        self.pending = None
        self.merchants_max = merchants_max
        self.room = room
        self.short = short
        self.city = self.born()
        for merchant in merchants:
            self.city.admit(merchant)
        self.disk = checkpoint.freeze(self.city)

    def born(self):
        """A new city with a new incarnation and nobody in it."""
        city = City(self.name, 1, 0, 0)
        city.ledger = Ledger(self.world.chance.randrange(1, 1 << 30), volatile=False)
        return city

    @property
    def ledger(self):
        return self.city.ledger

    # What it does.

    def open_session(self):
        connection = protocol.Connection(self.name, self.world.now_ms)
        connection.has_memory = lambda bytes_: self.world.chance.random() >= self.short
        return Session(connection, self.world.now_ms, lambda line: None)

    def pump(self, wire):
        """Read what has arrived on a wire, and say what there is to say."""
        session, now_ms, queue = wire.sessions[self], self.world.now_ms, wire.arriving[self]
        if now_ms >= wire.given_up_ms.get(self, now_ms + 1):
            session.broken = "timed out"
        session.advance(now_ms)
        self.carry(wire, session)
        while queue and queue[0][0] <= now_ms and session.wants_bytes():
            data = queue[0][1]
            size = len(data) if session.peer is None else self.world.chance.choice((1, 7, 64, 1024))
            queue[0][1] = data[size:]
            if not queue[0][1]:
                queue.pop(0)
            if not data:
                session.broken = "hung up"
                break
            session.receive(data[:size], now_ms)
            session.advance(now_ms)
            self.carry(wire, session)
        while session.broken is None:
            line = session.next_bytes(now_ms)
            if line is None:
                break
            wire.push(self, line)
            if session.road is not None and session.road.ours is None:
                self.world.probes.update(one.id for one in session.road.outbound[:1])
        if session.broken is not None:
            wire.close(self)

    def carry(self, wire, session):
        """Give a connection its road once the peer is known; the newest has it, as its other end is surely alive."""
        if session.peer is None or session.road is not None or session.broken is not None:
            return
        for older in list(self.wires):
            if older is not wire and older.is_open(self) and older.other(self) is wire.other(self):
                older.close(self)
        road = self.ledger.road(session.peer, self.room)
        if session.peer not in self.city.roads:
            self.city.open_road(road)
        road.link = self  # a link is woken; here everybody is asked again and again
        session.carry(road)
        session.advance(self.world.now_ms)

    def stir(self):
        pass

    @property
    def full(self):
        return self.city.words[kernel.MERCHANTS] >= self.merchants_max

    def leave(self):
        """One of the residents leaves by a road that is up, if there are both."""
        roads = [road for road in self.ledger.roads.values() if road.state == "up" and road.space() > 0]
        count = self.city.words[kernel.MERCHANTS]
        if roads and count:
            words, index = self.city.words, self.world.chance.randrange(count)
            record = words[kernel.AT_MERCHANTS] + index * words[kernel.MERCHANT_WORDS]
            road = self.world.chance.choice(sorted(roads, key=lambda road: road.name))
            words[record + kernel.ROAD] = self.city.places.index(road.name)
            words[record + kernel.NEXT] = 0
            words[kernel.LEAVING] = index + 1
            self.city._depart()

    def enter(self):
        """Let in one who waits, from each road."""
        for road in self.ledger.roads.values():
            if road.inbound and not self.full:
                self.city.admit(road.take())

    # Its disk.

    def begin_checkpoint(self):
        if self.pending is None:
            self.pending = (checkpoint.freeze(self.city), self.ledger.mark())

    def end_checkpoint(self):
        if self.pending is not None:
            (self.disk, mark), self.pending = self.pending, None
            self.ledger.release(mark)

    def crash(self):
        """The power fails, perhaps after what was being written is safe."""
        if self.pending is not None and self.world.chance.random() < 0.5:
            self.disk = self.pending[0]
        self.pending = None
        self.running = False
        for wire in list(self.wires):
            silent = self.world.chance.random() < 0.5
            wire.sessions.pop(self, None)
            self.wires.remove(wire)
            if silent:
                wire.go_silent()
            else:
                wire.push(self, b"")

    def restart(self, disk_lost=False):
        """The power is back."""
        self.running = True
        if disk_lost:
            self.city = self.born()
            self.disk = checkpoint.freeze(self.city)
        else:
            self.city = self.thawed()

    def thawed(self):
        """The city that is on the disk."""
        city = thaw(self.disk)
        for road in city.ledger.roads.values():
            road.room = self.room
        return city


class Stranger:
    """A city of the tutorial on its own machine, which never crashes.

    merchants: who is there now, by their money. ids: of those who ever came. A merchant may come twice only as long as
    its city cannot know that nobody here ever acknowledges.
    """

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.wires = []
        self.running = True
        self.merchants = []
        self.ids = set()
        self.lines = {}  # the beginning of a line, by wire
        self.named_ms = {}

    def open_session(self):
        return self

    def end(self, redialled):
        pass

    def pump(self, wire):
        queue, now_ms = wire.arriving[self], self.world.now_ms
        if wire not in self.lines:
            self.lines[wire] = b""
            self.named_ms[wire] = now_ms
            wire.push(self, self.name.encode() + b"\n")
        while queue and queue[0][0] <= now_ms:
            data = queue.pop(0)[1]
            if not data:
                wire.close(self)
                return
            *lines, self.lines[wire] = (self.lines[wire] + data).split(b"\n")
            for line in lines:
                if line.startswith(b"["):
                    raise Broken("a message to a stranger: %r" % line)
                if line.startswith(b"{"):
                    self.let_in(json.loads(line))

    def let_in(self, merchant):
        id = tuple(merchant["Id"])
        if id not in self.ids:
            self.ids.add(id)
            self.world.loose.add(merchant["Mills"])  # strangers keep no ledger
            self.merchants.append(merchant["Mills"])
        elif id not in self.world.probes:
            raise Broken("merchant %d came twice to a stranger" % merchant["Mills"])

    def send_home(self, wire):
        if self.merchants and wire in self.named_ms and self.world.now_ms - self.named_ms[wire] > 2000:
            money_mills = self.merchants.pop(self.world.chance.randrange(len(self.merchants)))
            wire.push(self, line_of(Merchant("chair", money_mills)))


def residents(city):
    """The money of everybody who lives in a city, each of whom has another."""
    return list(merchants_column(city, kernel.MONEY))
