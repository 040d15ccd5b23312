"""A schedule: the steps of one simulated world, in which order, and what must hold after each step.

Here: the choice of steps, the invariants, the end. Not here: what is simulated (actors.py), many schedules (run.py).

After every step, whichever machines lost power now, each merchant is in exactly one place: in a city, or in a ledger if
its destination has not admitted it. Some merchants may be lost, but never be in two places: those that were sent to a
legacy city, or to a peer that was not known yet, those on a lost disk, and those of visitors. After the faults every
merchant arrives, and no saved ledger holds one any more. No road holds more merchants than it may, and none starves.

In a keyed world machines remember few roads and few incarnations, and visitors come that have the key. In an open world
there are legacy cities, and peers that lie about ids.
"""

import random
from collections.abc import Iterator
from itertools import product

from core.lines import line_of
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY, WireRoad
from deskonomy.wire.codec import ID_MAX
from deskonomy.wire.vacancy import forget_road
from proofs.simulation.actors import (
    GOOD,
    REJECTED_FROM_MILLS,
    InvariantError,
    LegacyCity,
    Machine,
    Visitor,
    Wire,
    list_residents,
)

STEPS = 140
CHECK_EACH = 3  # steps; what is in two places, or nowhere, stays so for longer
CAPACITY = 3
CALM_MS = 120_000  # after the faults every merchant must arrive within this time
NAMES = ("RIVERWOOD", "SEASIDE", "DESKTOWN", "WINTERHOLD")
VISITORS_MILLS = 1_000_000  # a visitor's merchant has this and the visitor's number
LIES_MILLS = 2_000_000
PILE = 5  # merchants that a legacy peer leaves at a full city, on each of its connections
CROWD = 12  # merchants of each of two peers that crowd a full city
LEGACY_NAME = "PORTSVILLE"


class Schedule:
    """A world and its steps, drawn from a seed.

    Attributes:
        now_ms: the simulated time.
        machines: the machines with cities of this project.
        legacy_cities: a legacy city, or none.
        pairs: the pairs of machines that may be connected, the dialling one first.
        log: what has happened, a line each.
        may_be_lost: merchants (by their money) that may be lost.
        probe_ids: ids of merchants that were sent while the peer was unknown.
        loses_disks: whether machines may lose their disks, too.
        keyed: whether all peers have proven that they have the key.
        dialled_names: (name of a machine, name of a machine that it dials).
    """

    def __init__(self, seed: int, machine_class: type[Machine] = Machine) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now_ms = 1000
        self.log = []
        self.may_be_lost = set()
        self.probe_ids = set()
        self.keyed = self.random.random() < 0.5
        self.dialled_names = set()
        self.visitors = 0
        self._decoded_disks = {}  # {name of a machine: (its disk, the View of it)}
        money_mills = 0
        crews = {}
        for name in NAMES[: self.random.choice((2, 2, 2, 3, 3, 4) if self.keyed else (2, 2, 3))]:
            merchants = crews[name] = []
            for _ in range(self.random.randrange(1, 5)):
                money_mills += 1
                rejected = self.random.random() < 0.15
                total_mills = REJECTED_FROM_MILLS + money_mills if rejected else money_mills
                merchants.append(Merchant(GOOD[0].name, total_mills, owned=money_mills))
        # In some worlds there is hardly room for all merchants.
        merchants_max, capacities = None, (CAPACITY,)
        if self.random.random() < 0.3:
            merchants_max, capacities = max(map(len, crews.values())), (1, CAPACITY)
        choice = self.random.choice
        self.machines = [
            machine_class(self, name, crew, merchants_max, choice(capacities), choice((0, 0, 0.3)))
            for name, crew in crews.items()
        ]
        self._all_merchants = {mills for machine in self.machines for mills in list_residents(machine.city)}
        self.legacy_cities = [LegacyCity(self, LEGACY_NAME)] if not self.keyed and self.random.random() < 0.5 else []
        ends = self.machines + self.legacy_cities
        self.pairs = [(a, b) for i, a in enumerate(ends) for b in ends[i + 1 :] if a not in self.legacy_cities]
        self.dialled_names.update((a.name, b.name) for a, b in self.pairs)
        self._fault_rate = self.random.choice((0.005, 0.02, 0.05))  # how often a machine crashes, or a wire is cut
        self.loses_disks = self.random.random() < 0.15
        self.has_visitors = self.random.random() < 0.5

    def draw_limits(self) -> tuple[int, int]:
        """Return how many roads and how many incarnations a machine remembers: few in a keyed world."""
        return self.random.choice(((2, 4), (4, 5), (5, 6))) if self.keyed else (99, 99)

    # The steps.

    def run(self) -> None:
        """Run all steps, and then without faults until every merchant has arrived.

        Raises:
            InvariantError: an invariant does not hold; the text begins with the seed.
        """
        try:
            if self.random.random() < 0.8:
                self.open_roads()
            for step in range(STEPS):
                if self._step() and step % CHECK_EACH == 0:
                    self.check()
            self.run_without_faults()
        except Exception as error:
            raise InvariantError("seed %d: %s\n%s" % (self.seed, error, "\n".join(self.log[-40:]))) from error

    def open_roads(self) -> None:
        """Connect all pairs and let them exchange lines undisturbed for a while."""
        for pair in self.pairs:
            self.dial(pair)
        until_ms = self.now_ms + 2500
        while self.now_ms < until_ms:
            self.now_ms += 100
            self._work_all()

    def dial(self, pair: tuple) -> None:
        """Let the first machine dial the second, unless it knows a connection to it."""
        dialling, dialled = pair
        connected = any(wire.get_other_end(dialling) is dialled for wire in dialling.wires)
        if dialling.running and dialled.running and not connected:
            Wire(self, pair)

    def work(self, machine: Machine) -> None:
        """Let a machine exchange lines on all its wires."""
        for wire in list(machine.wires):
            if wire.is_open(machine):
                bound = [(road, road.outbound[:]) for road in machine.ledger.roads.values()]
                machine.exchange(wire)
                self._permit_losses(bound)

    def send_resident(self, machine: Machine) -> None:
        """Let a merchant leave a machine's city."""
        machine.send_resident()
        self._permit_losses([(road, road.outbound) for road in machine.ledger.roads.values()])

    def run_without_faults(self) -> None:
        """Run without faults until every merchant has arrived. Raises InvariantError if that takes too long."""
        self.log.append("%d no more faults" % self.now_ms)
        until_ms = self.now_ms + CALM_MS
        for machine in self.machines:
            machine.memory_failure_rate = 0
            if not machine.running:
                machine.restart()
            if self.has_visitors:  # there may be more merchants than room
                machine.merchants_max = machine.city.merchants_max = None
            machine.connections_max = machine.arrivals_max = machine.ledger.arrivals_max = 99
            self._forget_visitors(machine)
        self.check()
        while self.now_ms < until_ms:
            for pair in self.pairs:
                self.dial(pair)
            self._work_all()
            for machine in self.machines:
                if machine.is_full and any(road.inbound for road in machine.ledger.roads.values()):
                    self.send_resident(machine)
                machine.admit_merchants()
                machine.begin_checkpoint()
                machine.end_checkpoint()
            roads = [road for machine in self.machines for road in machine.ledger.roads.values()]
            disks = [self._view_disk(machine) for machine in self.machines]
            if not any(road.outbound or road.inbound for road in roads) and not any(view.owed for view in disks):
                break
            self.now_ms = max(self.now_ms + 10, min(self._list_deadlines(), default=0))
        else:
            raise InvariantError("a merchant never arrives")
        self.check()
        self.log.append("%d all have arrived" % self.now_ms)

    def _step(self) -> bool:
        """Let a random thing happen. Return whether more than time has passed."""
        random = self.random
        machine = random.choice(self.machines)
        draw = random.random()
        if not machine.running:
            others = [other for other in self.machines if other.running]
            if draw < 0.3:
                self._restart(machine)
            elif draw < 0.5 and self.has_visitors and others:
                self._receive_visitors(random.choice(others))
            else:
                self._pass_time()
                return False
        elif draw < 0.40:
            self._pass_time()
            self._work_all()
        elif draw < 0.52:
            self.work(machine)
        elif draw < 0.62:
            self.send_resident(machine)
        elif draw < 0.72:
            machine.admit_merchants()
        elif draw < 0.80:
            machine.begin_checkpoint()
        elif draw < 0.88:
            machine.end_checkpoint()
        elif draw < 0.91 and self.has_visitors:
            self._receive_visitors(machine)
        elif draw < 0.88 + self._fault_rate:
            self.log.append("%d %s crashes" % (self.now_ms, machine.name))
            machine.crash()
            for other in self.machines:
                if other.running and self.has_visitors:
                    self._receive_visitors(other)
        elif draw < 0.88 + 2 * self._fault_rate and machine.wires:
            self._cut(random.choice(machine.wires))
        else:
            self.dial(random.choice(self.pairs))
        for legacy in self.legacy_cities:
            for wire in list(legacy.wires):
                legacy.exchange(wire)
                if random.random() < 0.05:
                    legacy.send_merchant(wire)
        return True

    def _receive_visitors(self, machine: Machine) -> None:
        """Let visitors come to a machine and leave, a peer lie to it, or two peers crowd it."""
        if not self.keyed and machine.merchants_max is not None and machine.is_full:
            self._pile(machine)
        elif not self.keyed:
            self._lie(machine)
        elif machine.merchants_max is not None and machine.is_full:
            self._crowd(machine)
        else:
            self._deliver(machine)

    def _deliver(self, machine: Machine) -> None:
        """Let visitors deliver a merchant each, which may get lost: a visitor is gone before it is saved."""
        visitors = [self._invite(machine) for _ in range(self.random.choice((1, 2, 6)))]
        self._greet(visitors)
        saves = self.random.random() < 0.5
        for visitor in visitors:
            visitor.send(self._load(visitor, 1))
        if machine.merchants_max is None:
            machine.admit_merchants()
        if self.random.random() < 0.2:
            self.send_resident(machine)
        if saves:
            machine.begin_checkpoint()
            machine.end_checkpoint()
        for visitor in visitors:
            visitor.send()
            numbers = b"%d,1]" % visitor.incarnation
            if b'["ack",' + numbers in visitor.received and self.random.random() < 0.8:
                visitor.send(b'["settled",' + numbers + b"\n")
            visitor.leave()
        self.log.append("%d %d visitors of %s" % (self.now_ms, len(visitors), machine.name))

    def _crowd(self, machine: Machine) -> None:
        """Let two peers send merchants to a full city, one of which leaves for each that enters."""
        visitors = [self._invite(machine) for _ in range(2)]
        self._greet(visitors)
        sent = dict.fromkeys(visitors, 0)
        for _ in range(CROWD):
            for visitor in visitors:
                road = visitor.session.road
                if road is not None and len(road.inbound) < road.capacity:
                    sent[visitor] += 1
                    visitor.send(self._load(visitor, sent[visitor]))
            machine.send_resident([visitor.name for visitor in visitors])
            self._take_leaving(machine, visitors)
            machine.admit_merchants()
        for visitor in visitors:
            visitor.leave()
        self.log.append("%d two peers crowd %s" % (self.now_ms, machine.name))

    def _take_leaving(self, machine: Machine, visitors: list[Visitor]) -> None:
        """Let the merchants that leave for visitors arrive there, and be lost to this world."""
        machine.begin_checkpoint()
        machine.end_checkpoint()
        for visitor in visitors:
            road = visitor.session.road
            if road is not None:
                self.may_be_lost.update(merchant.money_mills for merchant in road.outbound)
                visitor.send()
                visitor.send(b'["ack",%d,%d]\n' % (machine.ledger.incarnation, road.sent_sequence))
        machine.begin_checkpoint()
        machine.end_checkpoint()

    def _pile(self, machine: Machine) -> None:
        """Let a legacy peer leave merchants at a full city, again and again."""
        for _ in range(3):
            visitor = Visitor(machine, "TUTORIAL")
            self._greet([visitor])
            visitor.send(b"".join(self._load(visitor, None) for _ in range(PILE)))
            visitor.leave()
            self._check_roads(machine)
        self.log.append("%d a legacy peer leaves merchants at %s" % (self.now_ms, machine.name))

    def _greet(self, visitors: list[Visitor]) -> None:
        """Let time pass until the handshakes are complete."""
        for wait_ms in (300, 1100):
            self.now_ms += wait_ms
            for visitor in visitors:
                visitor.send()

    def _invite(self, machine: Machine) -> Visitor:
        """Return a visitor with a name and an incarnation of its own."""
        self.visitors += 1
        visitor = Visitor(machine, "P%d" % self.visitors)
        visitor.incarnation = (1 << 31) + self.visitors
        return visitor

    def _load(self, visitor: Visitor, sequence: int | None) -> bytes:
        """Return the line of a visitor's merchant; without an id if the sequence is None."""
        money_mills = VISITORS_MILLS + len(self._all_merchants)
        self._all_merchants.add(money_mills)
        self.may_be_lost.add(money_mills)
        id = None if sequence is None else (visitor.incarnation, sequence)
        return line_of(Merchant(GOOD[0].name, money_mills, id=id))

    def _lie(self, machine: Machine) -> None:
        """Let a peer come under the name of a machine without a connection, with an id of that machine's."""
        for incarnation, sequence, name, _ in machine.ledger.arrivals:
            road = machine.ledger.roads.get(name)
            if road is not None and road.connection is None and road.peer_state == ACKNOWLEDGING:
                liar = Visitor(machine, name)
                self._greet([liar])
                wrong = self.random.choice((sequence + 2, ID_MAX))
                liar.send(line_of(Merchant(GOOD[0].name, LIES_MILLS, id=(incarnation, wrong))))
                machine.admit_merchants()
                liar.send()
                liar.leave()
                self.log.append("%d a peer lies to %s that it is %s" % (self.now_ms, machine.name, name))
                return

    def _forget_visitors(self, machine: Machine) -> None:
        """Forget all visitors by command; what they hold returns."""
        known = {end.name for end in self.machines + self.legacy_cities}
        names = set(machine.ledger.roads) | {arrival[2] for arrival in machine.ledger.arrivals}
        for name in sorted(names - known):
            forget_road(machine, name)

    def _restart(self, machine: Machine) -> None:
        disk_lost = self.loses_disks and self.random.random() < 0.2
        self.log.append("%d %s restarts%s" % (self.now_ms, machine.name, ", its disk lost" if disk_lost else ""))
        if disk_lost:
            self._permit_losses_of_disk(machine)
        machine.restart(disk_lost)

    def _cut(self, wire: Wire) -> None:
        self.log.append("%d %s - %s is cut" % (self.now_ms, wire.ends[0].name, wire.ends[1].name))
        wire.cut_at_random_byte()
        for end in wire.ends:
            if self.random.random() < 0.4:  # this end notices by itself
                wire.close(end)

    def _pass_time(self) -> None:
        """Advance to the next deadline, or by a random time."""
        if self.random.random() < 0.05:
            self.now_ms += self.random.choice((10, 500, 3000, 6000))
        else:
            self.now_ms = max(self.now_ms, min(self._list_deadlines(), default=self.now_ms))

    def _list_deadlines(self) -> Iterator[int]:
        """Yield the times at which any machine has something to do."""
        for machine in self.machines:
            for wire in machine.wires:
                if wire.is_open(machine):
                    deadline_ms = wire.sessions[machine].deadline_ms()
                    if deadline_ms is not None:
                        yield deadline_ms
                    if wire.arriving[machine]:
                        yield wire.arriving[machine][0][0]
                    if machine in wire.timeouts_ms:
                        yield wire.timeouts_ms[machine]

    def _work_all(self) -> None:
        for machine in self.machines:
            if machine.running:
                self.work(machine)
        for legacy in self.legacy_cities:
            for wire in list(legacy.wires):
                legacy.exchange(wire)

    # What must hold.

    def check(self) -> None:
        """Raise InvariantError unless every merchant is in exactly one place, whichever machines lost power now."""
        views = []
        for machine in self.machines:
            disk = self._view_disk(machine)
            views.append([disk, View(machine.city)] if machine.running else [disk])
            self._check_roads(machine)
        others = [mills for legacy in self.legacy_cities for mills in legacy.merchants]
        arrived = self.legacy_cities[0].ids if self.legacy_cities else ()
        for chosen in product(*views):
            lasts = {view.name: view.lasts for view in chosen}
            found = others[:]
            for view in chosen:
                found += view.residents
                for mills, name, id in view.owed:
                    if name not in lasts:
                        has_arrived = id in arrived
                    else:
                        has_arrived = id[1] <= lasts[name].get((id[0], view.name), 0) and mills < REJECTED_FROM_MILLS
                    if not has_arrived:
                        found.append(mills)
            places = set(found)
            if len(places) < len(found):
                raise InvariantError("merchants %s are in two places" % sorted(m for m in places if found.count(m) > 1))
            if not places <= self._all_merchants <= places | self.may_be_lost:
                missing = sorted(self._all_merchants - places - self.may_be_lost)
                unknown = sorted(places - self._all_merchants)
                raise InvariantError("merchants %s are nowhere, and %s do not exist" % (missing, unknown))

    def _view_disk(self, machine: Machine) -> "View":
        """Return the view of a machine's disk, decoded once."""
        if machine.disk is not self._decoded_disks.get(machine.name, (None, None))[0]:
            self._decoded_disks[machine.name] = (machine.disk, View(machine.decode_disk()))
        return self._decoded_disks[machine.name][1]

    def _check_roads(self, machine: Machine) -> None:
        """Raise InvariantError if a road holds more merchants of its peer than it may."""
        for road in machine.ledger.roads.values():
            count = len(road.inbound)
            if count > road.capacity + 1 and count - len(road.list_returning()) > road.capacity + 1:
                raise InvariantError("%d merchants wait on the road from %s to %s" % (count, road.name, machine.name))

    def _permit_losses(self, bound: list[tuple[WireRoad, list[Merchant]]]) -> None:
        """Permit the loss of merchants that are bound for a legacy peer. bound: pairs of a road and its merchants."""
        for road, merchants in bound:
            if road.peer_state == LEGACY:
                self.may_be_lost.update(merchant.money_mills for merchant in merchants)

    def _permit_losses_of_disk(self, machine: Machine) -> None:
        """Permit the loss of merchants that were, or may have been, on a lost disk."""
        self.may_be_lost.update(list_residents(machine.decode_disk()))
        cities: list[City] = [other.city for other in self.machines]
        for city in cities + [other.decode_disk() for other in self.machines]:
            for road in city.ledger.roads.values():
                if machine.name in (city.name, road.name):
                    merchants = road.outbound + road.list_returning()
                    self.may_be_lost.update(merchant.money_mills for merchant in merchants)


class View:
    """Where merchants are according to one city.

    Attributes:
        name: the city's name.
        residents: the money of its merchants, in mills; also of those that return to it.
        lasts: {(incarnation, name): sequence} of the last arrivals.
        owed: (money, name of the peer, id) of the merchants in its ledger that may have arrived.
    """

    def __init__(self, city: City) -> None:
        self.name = city.name
        self.residents = list_residents(city)
        self.lasts = {(arrival[0], arrival[2]): arrival[1] for arrival in city.ledger.arrivals}
        self.owed = []
        for road in city.ledger.roads.values():
            if road.inbound:
                self.residents += [merchant.money_mills for merchant in road.list_returning()]
            self.owed += [(merchant.money_mills, road.name, merchant.id) for merchant in road.list_kept()]
