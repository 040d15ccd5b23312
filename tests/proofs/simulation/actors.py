"""The actors of the simulation: machines with cities, a legacy city, and the wires between them, on simulated time.

Here: what is simulated: time, wires that delay, cut and half-close, machines that crash, disks, visitors that come and
are gone. Not here: which step comes next and what must hold (schedule.py). The city, its ledger, its checkpoints,
sessions, the protocol, and which road gives way to a new one are the real ones. The cities have no locals, so no
merchant trades: each keeps its money, which identifies it. They know one good, because less is faster.
"""

import json
from typing import TYPE_CHECKING

from core.lines import line_of
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import UNKNOWN
from deskonomy.storage.decode import decode_city
from deskonomy.storage.encode import encode_city
from deskonomy.wire.arbitration import open_road
from deskonomy.wire.protocol import Protocol
from deskonomy.wire.session import Session

if TYPE_CHECKING:
    from collections.abc import Container

    from proofs.simulation.schedule import Schedule

TCP_TIMEOUT_MS = 30_000  # after which an end of a cut wire learns that nothing gets through
GOOD = GOODS[:1]
STARVING = 3  # times as many merchants as there are busy roads enter from others: then a road that waits starves
NAME_MAX_BYTES = 12  # a name is never cut in two: the part before a silence would be the name of another city
REJECTED_FROM_MILLS = 1_000_000_001  # no city admits a merchant with more than a million coins
GREETING_MS = 2000  # a legacy city sends merchants only this long after its name


class InvariantError(AssertionError):
    """An invariant of the simulation does not hold."""


class Wire:
    """A TCP connection between two machines.

    Attributes:
        ends: the two machines, the one that dialled first.
        sessions: {machine: its Session}, of the ends that have not closed.
        arriving: {machine: [[due_ms, bytes], ...]} on its way there; b"" is the end of the connection.
        timeouts_ms: {machine: when it learns that nothing gets through}.
        cut: nothing gets through any more, and no end knows it.
    """

    def __init__(self, schedule: "Schedule", ends: "tuple[Machine | LegacyCity, Machine | LegacyCity]") -> None:
        self.schedule = schedule
        self.ends = ends
        self.sessions = {}
        self.arriving = {end: [] for end in ends}
        self.timeouts_ms = {}
        self.cut = False
        for end in ends:
            end.wires.append(self)
            if end.running:
                self.sessions[end] = end.open_session()

    def get_other_end(self, end):
        """Return the machine at the other end."""
        return self.ends[1 - self.ends.index(end)]

    def is_open(self, end) -> bool:
        """Return whether this end has not closed the wire."""
        return end in self.sessions

    def send(self, sender, data: bytes) -> None:
        """Put bytes on their way, with a random delay."""
        if not self.cut:
            queue = self.arriving[self.get_other_end(sender)]
            due_ms = self.schedule.now_ms + self.schedule.random.choice((0, 1, 20, 300))
            queue.append([max(due_ms, queue[-1][0] if queue else 0), data])

    def cut_at_random_byte(self) -> None:
        """Lose what is on its way from a random byte on; from now on nothing gets through."""
        random = self.schedule.random
        self.cut_silently()
        for queue in self.arriving.values():
            kept = random.randrange(len(queue) + 1)
            if kept < len(queue) and len(queue[kept][1]) > NAME_MAX_BYTES:
                data = queue[kept][1]
                queue[kept][1] = data[: random.randrange(len(data)) or 1]
                kept += 1
            del queue[kept:]

    def cut_silently(self) -> None:
        """Let nothing through from now on; TCP reports it after its timeout."""
        self.cut = True
        for end in self.ends:
            self.timeouts_ms.setdefault(end, self.schedule.now_ms + TCP_TIMEOUT_MS)

    def close(self, end) -> None:
        """Close this end. The other end learns of it, unless the wire is cut."""
        session = self.sessions.pop(end, None)
        if session is not None:
            end.end_session(session, end is self.ends[0])
            self.send(end, b"")
        if self in end.wires:
            end.wires.remove(self)


class Machine:
    """A machine with a city, which may crash.

    Attributes:
        merchants_max: with so many merchants in the city, further ones wait on the road.
        capacity: merchants that a road holds each way.
        memory_failure_rate: how often there is no memory for an arriving merchant, 0 to 1.
        connections_max: roads that are remembered.
        arrivals_max: incarnations that are remembered.
        disk: the bytes of the last checkpoint, which survive a crash.
        pending: a checkpoint that is being written: (bytes, mark of the ledger), or None.
    """

    def __init__(
        self,
        schedule: "Schedule",
        name: str,
        merchants: list[Merchant],
        merchants_max: int,
        capacity: int,
        memory_failure_rate: float = 0,
    ) -> None:
        self.schedule = schedule
        self.name = name
        self.wires = []
        self.running = True
        self.pending = None
        self.merchants_max = merchants_max
        self.capacity = capacity
        self.memory_failure_rate = memory_failure_rate
        self.connections_max, self.arrivals_max = schedule.draw_limits()
        self.clock = self
        self._passed = {}  # {name of a road on which merchants wait: how many have entered from others meanwhile}
        self.city = self.create_city()
        for merchant in merchants:
            self.city.admit(merchant)
        self.disk = encode_city(self.city)

    def create_city(self) -> City:
        """Return a new city with a new incarnation and no residents."""
        city = City(self.name, 1, 0, 0, goods=GOOD, merchants_max=self.merchants_max)
        city.ledger = Ledger(self.schedule.random.randrange(1, 1 << 30), volatile=False)
        city.ledger.arrivals_max = self.arrivals_max
        return city

    @property
    def ledger(self) -> Ledger:
        """The ledger of its city."""
        return self.city.ledger

    @property
    def is_full(self) -> bool:
        """Whether the city admits no merchant now."""
        return self.merchants_max is not None and self.city.state[kernel.MERCHANTS] >= self.merchants_max

    # What the real code asks of a network.

    def now_ms(self) -> int:
        """Return the time."""
        return self.schedule.now_ms

    def find_address(self, name: str) -> "tuple[str, int] | None":
        """Return an address if the machine of this name is dialled."""
        return (name, 1) if (self.name, name) in self.schedule.dialled_names else None

    # Its connections.

    def open_session(self) -> Session:
        """Return a session for a new wire."""
        protocol = Protocol(self.name, self.schedule.now_ms)
        protocol.is_sealed = self.schedule.keyed  # its seals are left out: no line is altered on its way
        if self.memory_failure_rate:
            protocol.has_memory = lambda bytes_: self.schedule.random.random() >= self.memory_failure_rate
        return Session(protocol, self.schedule.now_ms, lambda event, text: None)

    def exchange(self, wire: Wire) -> None:
        """Read what has arrived on a wire, and send everything that there is to send."""
        session, now_ms, queue = wire.sessions[self], self.schedule.now_ms, wire.arriving[self]
        if now_ms >= wire.timeouts_ms.get(self, now_ms + 1):
            session.failure = "timed out"
        session.advance(now_ms)
        self._attach_road(wire, session)
        while queue and queue[0][0] <= now_ms and (session.wants_bytes() or not queue[0][1]):
            data = queue[0][1]
            size = len(data) if session.peer is None else self.schedule.random.choice((1, 7, 64, 1024))
            queue[0][1] = data[size:]
            if not queue[0][1]:
                queue.pop(0)
            if not data:
                session.failure = "hung up"
                break
            session.receive(data[:size], now_ms)
            session.advance(now_ms)
            self._attach_road(wire, session)
        while session.failure is None:
            line = session.next_bytes(now_ms)
            if line is None:
                break
            wire.send(self, line)
            if session.road is not None and session.road.peer_state == UNKNOWN:
                self.schedule.probe_ids.update(merchant.id for merchant in session.road.outbound[:1])
        if session.failure is not None:
            wire.close(self)

    def _attach_road(self, wire: Wire, session: Session) -> None:
        """Give a wire its road once the peer is known. The newest wire gets it, because its other end is alive."""
        if session.peer is None or session.road is not None or session.failure is not None:
            return
        for older in list(self.wires):
            if older is not wire and older.is_open(self) and older.get_other_end(self) is wire.get_other_end(self):
                older.close(self)
        self.attach_road(session)

    def attach_road(self, session: Session) -> None:
        """Give a session its road, or end it if there are too many roads."""
        road = self.ledger.roads.get(session.peer) or open_road(self, session.peer)
        if road is None:
            session.failure = "it remembers as many roads as it can"
            return
        road.connection = self
        session.attach_road(road)
        session.advance(self.schedule.now_ms)

    def end_session(self, session: Session, redialled: bool) -> None:
        """End a session."""
        road = session.road
        session.end(redialled)
        if road is not None:
            road.down_ms = self.schedule.now_ms

    def wake(self) -> None:
        """Do nothing: a road wakes its connection, but the simulation asks every machine again and again."""

    # Its merchants.

    def send_resident(self, names: "Container[str] | None" = None) -> None:
        """Let a random merchant leave by a random road that is up and has one of these names (None for any), if any."""
        roads = [road for road in self.ledger.roads.values() if road.state == "up" and road.credit() > 0]
        if names is not None:
            roads = [road for road in roads if road.name in names]
        count = self.city.state[kernel.MERCHANTS]
        if roads and count:
            state, index = self.city.state, self.schedule.random.randrange(count)
            record = state[kernel.AT_MERCHANTS] + index * state[kernel.MERCHANT_SIZE]
            road = self.schedule.random.choice(sorted(roads, key=lambda road: road.name))
            state[record + kernel.ROAD] = self.city.places.index(road.name)
            state[record + kernel.NEXT] = 0
            state[kernel.LEAVING] = index + 1
            self.city.send_leaving_merchants()

    def admit_merchants(self) -> None:
        """Admit the merchant that has waited longest on each road, while there is room."""
        waiting = {road.name: road.received for road in self.ledger.roads.values() if road.inbound}
        if not waiting:
            return
        count = self.city.state[kernel.MERCHANTS]
        self.city._admit_waiting()
        count = self.city.state[kernel.MERCHANTS] - count
        starving = STARVING * max(2, len(waiting))
        self._passed = {
            name: self._passed.get(name, 0) + count
            for name, received in waiting.items()
            if self.ledger.roads[name].received == received
        }
        if any(passed > starving for passed in self._passed.values()):
            raise InvariantError("a road to %s starves: %s" % (self.name, self._passed))

    # Its disk.

    def begin_checkpoint(self) -> None:
        """Encode the city, unless a checkpoint is being written, or a restart would lose nothing."""
        if self.pending is None and self.ledger.dirty:
            self.pending = (encode_city(self.city), self.ledger.begin_checkpoint())

    def end_checkpoint(self) -> None:
        """Finish writing the checkpoint."""
        if self.pending is not None:
            (self.disk, mark), self.pending = self.pending, None
            self.ledger.commit_checkpoint(mark)

    def crash(self) -> None:
        """Lose power, perhaps after the checkpoint that was being written is safe."""
        random = self.schedule.random
        if self.pending is not None and random.random() < 0.5:
            self.disk = self.pending[0]
        self.pending = None
        self.running = False
        self._passed = {}
        for wire in list(self.wires):
            silent = random.random() < 0.5
            wire.sessions.pop(self, None)
            self.wires.remove(wire)
            if silent:
                wire.cut_silently()
            else:
                wire.send(self, b"")

    def restart(self, disk_lost: bool = False) -> None:
        """Run again, with the city on the disk, or with a new city if the disk is lost."""
        self.running = True
        if disk_lost:
            self.city = self.create_city()
            self.disk = encode_city(self.city)
        else:
            self.city = self.decode_disk()

    def decode_disk(self) -> City:
        """Return the city that is on the disk."""
        city = decode_city(self.disk, goods=GOOD, merchants_max=self.merchants_max)
        city.ledger.arrivals_max = self.arrivals_max
        for road in city.ledger.roads.values():
            road.capacity = self.capacity
        return city


class LegacyCity:
    """A city of the tutorial on its own machine, which never crashes.

    A merchant may arrive twice only while its city cannot know that this peer never acknowledges.

    Attributes:
        merchants: the money of each merchant that is there now, in mills.
        ids: of all merchants that ever came.
    """

    def __init__(self, schedule: "Schedule", name: str) -> None:
        self.schedule = schedule
        self.name = name
        self.wires = []
        self.running = True
        self.merchants = []
        self.ids = set()
        self._partial_lines = {}  # {wire: the beginning of a line}
        self._named_ms = {}  # {wire: when this city sent its name}

    def open_session(self) -> "LegacyCity":
        """Return itself: it has no session."""
        return self

    def end_session(self, session: "LegacyCity", redialled: bool) -> None:
        """Do nothing at the end of a wire."""

    def exchange(self, wire: Wire) -> None:
        """Send the name, then read what has arrived on a wire."""
        queue, now_ms = wire.arriving[self], self.schedule.now_ms
        if wire not in self._partial_lines:
            self._partial_lines[wire] = b""
            self._named_ms[wire] = now_ms
            wire.send(self, self.name.encode() + b"\n")
        while queue and queue[0][0] <= now_ms:
            data = queue.pop(0)[1]
            if not data:
                wire.close(self)
                return
            *lines, self._partial_lines[wire] = (self._partial_lines[wire] + data).split(b"\n")
            for line in lines:
                if line.startswith(b"["):
                    raise InvariantError("a message to a legacy city: %r" % line)
                if line.startswith(b"{"):
                    self._admit(json.loads(line))

    def _admit(self, merchant: dict) -> None:
        id = tuple(merchant["Id"])
        if id not in self.ids:
            self.ids.add(id)
            self.schedule.may_be_lost.add(merchant["Mills"])  # a legacy city keeps no ledger
            self.merchants.append(merchant["Mills"])
        elif id not in self.schedule.probe_ids:
            raise InvariantError("merchant %d came twice to a legacy city" % merchant["Mills"])

    def send_merchant(self, wire: Wire) -> None:
        """Send a random merchant, if there is one and the name was sent long enough ago."""
        now_ms = self.schedule.now_ms
        if self.merchants and wire in self._named_ms and now_ms - self._named_ms[wire] > GREETING_MS:
            money_mills = self.merchants.pop(self.schedule.random.randrange(len(self.merchants)))
            wire.send(self, line_of(Merchant(GOOD[0].name, money_mills)))


class Visitor:
    """A peer that comes, sends lines, and is gone; or a peer that lies. The test writes its bytes, without a wire.

    Attributes:
        machine: the machine that it visits.
        session: the machine's session.
        received: the lines that it has got.
    """

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine = machine
        self.name = name
        self.session = machine.open_session()
        self.received = []
        self.send(name.encode() + b"\n")
        if self.session.failure is None and self.session.peer is not None:
            machine.attach_road(self.session)

    def send(self, *lines: bytes) -> None:
        """Send lines, and receive what the machine sends now."""
        session, now_ms = self.session, self.machine.schedule.now_ms
        session.advance(now_ms)
        for line in lines:
            session.receive(line, now_ms)
            session.advance(now_ms)
        data = b""
        while session.failure is None:
            piece = session.next_bytes(now_ms)
            if piece is None:
                break
            data += piece
        self.received += data.split(b"\n")

    def leave(self) -> None:
        """End the connection."""
        self.machine.end_session(self.session, False)


def list_residents(city: City) -> list[int]:
    """Return the money of each merchant that lives in a city, in mills; no two merchants have the same."""
    return list(city.merchants_column(kernel.MONEY))
