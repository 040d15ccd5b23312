"""A schedule: the steps of one simulated world, in which order, and what must hold after each step.

Here: the choice of steps, the invariants, the end. Not here: what is simulated (actors.py), many schedules (run.py).

After every step, whichever machines lost power now, each merchant is in exactly one place: in a city, or in a ledger if
its destination has not admitted it. Some merchants may be lost, but never be in two places: those that were sent to a
legacy city, or to a peer that was not known yet, and those on a lost disk. After the faults every merchant arrives.
"""

import random
from collections.abc import Iterator
from itertools import product

from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.wire_road import LEGACY, WireRoad
from proofs.simulation.actors import REJECTED_FROM_MILLS, InvariantError, LegacyCity, Machine, Wire, list_residents

STEPS = 140
CAPACITY = 3
CALM_MS = 120_000  # after the faults every merchant must arrive within this time
NAMES = ("RIVERWOOD", "SEASIDE", "DESKTOWN")
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
    """

    def __init__(self, seed: int, machine_class: type[Machine] = Machine) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now_ms = 1000
        self.log = []
        self.may_be_lost = set()
        self.probe_ids = set()
        self._decoded_disks = {}  # {name of a machine: (its disk, the View of it)}
        money_mills = 0
        crews = {}
        for name in NAMES[: self.random.choice((2, 2, 3))]:
            merchants = crews[name] = []
            for _ in range(self.random.randrange(1, 5)):
                money_mills += 1
                rejected = self.random.random() < 0.15
                total_mills = REJECTED_FROM_MILLS + money_mills if rejected else money_mills
                merchants.append(Merchant("chair", total_mills, owned=money_mills))
        # In some worlds there is hardly room for all merchants.
        merchants_max, capacities = money_mills, (CAPACITY,)
        if self.random.random() < 0.3:
            merchants_max, capacities = max(map(len, crews.values())), (1, CAPACITY)
        choice = self.random.choice
        self.machines = [
            machine_class(self, name, crew, merchants_max, choice(capacities), choice((0, 0, 0.3)))
            for name, crew in crews.items()
        ]
        self._all_merchants = {mills for machine in self.machines for mills in list_residents(machine.city)}
        self.legacy_cities = [LegacyCity(self, LEGACY_NAME)] if self.random.random() < 0.3 else []
        ends = self.machines + self.legacy_cities
        self.pairs = [(a, b) for i, a in enumerate(ends) for b in ends[i + 1 :] if a not in self.legacy_cities]
        self._fault_rate = self.random.choice((0.005, 0.02, 0.05))  # how often a machine crashes, or a wire is cut
        self.loses_disks = self.random.random() < 0.1

    # The steps.

    def run(self) -> None:
        """Run all steps, and then without faults until every merchant has arrived.

        Raises:
            InvariantError: an invariant does not hold; the text begins with the seed.
        """
        try:
            if self.random.random() < 0.8:
                self.open_roads()
            for _ in range(STEPS):
                self._step()
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
            self.check()
            roads = [road for machine in self.machines for road in machine.ledger.roads.values()]
            if not any(road.outbound or road.inbound for road in roads):
                break
            self.now_ms = max(self.now_ms + 10, min(self._list_deadlines(), default=0))
        else:
            raise InvariantError("a merchant never arrives")
        self.log.append("%d all have arrived" % self.now_ms)

    def _step(self) -> None:
        """Let a random thing happen."""
        random = self.random
        machine = random.choice(self.machines)
        draw = random.random()
        if not machine.running:
            if draw < 0.3:
                self._restart(machine)
            else:
                self._pass_time()
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
        elif draw < 0.88 + self._fault_rate:
            self.log.append("%d %s crashes" % (self.now_ms, machine.name))
            machine.crash()
        elif draw < 0.88 + 2 * self._fault_rate and machine.wires:
            self._cut(random.choice(machine.wires))
        else:
            self.dial(random.choice(self.pairs))
        for legacy in self.legacy_cities:
            for wire in list(legacy.wires):
                legacy.exchange(wire)
                if random.random() < 0.05:
                    legacy.send_merchant(wire)

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
            if machine.disk is not self._decoded_disks.get(machine.name, (None, None))[0]:
                self._decoded_disks[machine.name] = (machine.disk, View(machine.decode_disk()))
            disk = self._decoded_disks[machine.name][1]
            views.append([disk, View(machine.city)] if machine.running else [disk])
        for chosen in product(*views):
            cities = {view.name: view for view in chosen}
            found = [mills for legacy in self.legacy_cities for mills in legacy.merchants]
            for view in chosen:
                found += view.residents
                found += [merchant.money_mills for merchant in self._list_owed(view, cities)]
            places = set(found)
            if len(places) < len(found):
                raise InvariantError("merchants %s are in two places" % sorted(m for m in places if found.count(m) > 1))
            if not places <= self._all_merchants <= places | self.may_be_lost:
                missing = sorted(self._all_merchants - places - self.may_be_lost)
                raise InvariantError("merchants %s are nowhere" % missing)

    def _list_owed(self, view: "View", cities: "dict[str, View]") -> Iterator[Merchant]:
        """Yield the merchants in a view's ledger that have not arrived."""
        for road in view.ledger.roads.values():
            yield from road.list_returning()
            for merchant in road.list_kept():
                if road.name in cities:
                    last = cities[road.name].ledger.find_last_sequence(view.ledger.incarnation, view.name) or 0
                    has_arrived = merchant.id[1] <= last and merchant.money_mills < REJECTED_FROM_MILLS
                else:
                    has_arrived = merchant.id in self.legacy_cities[0].ids
                if not has_arrived:
                    yield merchant

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
        ledger: its ledger.
        residents: the money of its merchants, in mills.
    """

    def __init__(self, city: City) -> None:
        self.name = city.name
        self.ledger = city.ledger
        self.residents = list_residents(city)
