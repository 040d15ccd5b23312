"""One schedule: what happens in a world, in which order, and what must hold after each step.

Here: the choice of steps, the invariants, the end. Not here: what is pretended (world.py), many schedules (run.py).

After every step, whichever machines lost their power now, each merchant would be in exactly one place: in a city, or in
a ledger unless its new city has had it. A merchant is let off that (it may be lost, but never be there twice) once it
set out to a peer that is no city of ours, or was not known as one; and whoever was in a city that lost its disk.
When the faults stop, everybody arrives.
"""

import random
from itertools import product

from deskonomy.economy.merchant import Merchant
from proofs.simulation.world import REFUSED_FROM, Broken, Machine, Stranger, Wire, residents

STEPS = 140
ROOM = 3
CALM_MS = 120_000  # in which everybody must have arrived
NAMES = ("RIVERWOOD", "SEASIDE", "DESKTOWN")


class Schedule:
    """A world and what happens in it, drawn from `seed`. run() raises Broken with the seed and what went wrong."""

    def __init__(self, seed, machine=Machine):
        self.seed = seed
        self.chance = random.Random(seed)
        self.now_ms = 1000
        self.log = []
        self.loose = set()  # merchants that may be lost
        self.seen = {}  # a machine's disk, and the View of it
        self.probes = set()  # ids of those sent before it was known to whom
        money = 0
        crews = {}
        for name in NAMES[: self.chance.choice((2, 2, 3))]:
            merchants = crews[name] = []
            for _ in range(self.chance.randrange(1, 5)):
                money += 1
                refused = self.chance.random() < 0.15
                merchants.append(Merchant("chair", REFUSED_FROM + money if refused else money, owned=money))
        # In some worlds there is hardly room for all of them.
        most, rooms = money, (ROOM,)
        if self.chance.random() < 0.3:
            most, rooms = max(map(len, crews.values())), (1, ROOM)
        choice = self.chance.choice
        self.machines = [
            machine(self, name, crew, most, choice(rooms), choice((0, 0, 0.3))) for name, crew in crews.items()
        ]
        self.everybody = {mills for one in self.machines for mills in residents(one.city)}
        self.strangers = [Stranger(self, "PORTSVILLE")] if self.chance.random() < 0.3 else []
        ends = self.machines + self.strangers
        self.pairs = [(a, b) for i, a in enumerate(ends) for b in ends[i + 1 :] if a not in self.strangers]
        self.faults = self.chance.choice((0.005, 0.02, 0.05))  # how often a machine crashes, or a wire is cut
        self.disks = self.chance.random() < 0.1  # whether disks are lost, too

    # The story.

    def run(self):
        """Faults first, calm then."""
        try:
            if self.chance.random() < 0.8:
                self.open_roads()
            for _ in range(STEPS):
                self.step()
                self.check()
            self.calm()
        except Exception as error:
            raise Broken("seed %d: %s\n%s" % (self.seed, error, "\n".join(self.log[-40:]))) from error

    def open_roads(self):
        """Connect everybody, undisturbed."""
        for pair in self.pairs:
            self.dial(pair)
        until_ms = self.now_ms + 2500
        while self.now_ms < until_ms:
            self.now_ms += 100
            self.live()

    def live(self):
        """Everybody works."""
        for machine in self.machines:
            if machine.running:
                self.work(machine)
        for stranger in self.strangers:
            for wire in list(stranger.wires):
                stranger.pump(wire)

    def step(self):
        chance = self.chance
        machine = chance.choice(self.machines)
        draw = chance.random()
        if not machine.running:
            if draw < 0.3:
                lost = self.disks and chance.random() < 0.2
                self.log.append("%d %s restarts%s" % (self.now_ms, machine.name, ", its disk lost" if lost else ""))
                if lost:
                    self.loosen(machine)
                machine.restart(lost)
            else:
                self.pass_time()
        elif draw < 0.40:
            self.pass_time()
            self.live()
        elif draw < 0.52:
            self.work(machine)
        elif draw < 0.62:
            self.leave(machine)
        elif draw < 0.72:
            machine.enter()
        elif draw < 0.80:
            machine.begin_checkpoint()
        elif draw < 0.88:
            machine.end_checkpoint()
        elif draw < 0.88 + self.faults:
            self.log.append("%d %s crashes" % (self.now_ms, machine.name))
            machine.crash()
        elif draw < 0.88 + 2 * self.faults and machine.wires:
            wire = chance.choice(machine.wires)
            self.log.append("%d %s - %s is cut" % (self.now_ms, wire.ends[0].name, wire.ends[1].name))
            wire.cut_now()
            for end in wire.ends:
                if chance.random() < 0.4:  # this end finds out by itself
                    wire.close(end)
        else:
            self.dial(chance.choice(self.pairs))
        for stranger in self.strangers:
            for wire in list(stranger.wires):
                stranger.pump(wire)
                if chance.random() < 0.05:
                    stranger.send_home(wire)

    def pass_time(self):
        """Go on to something that is due, or some time."""
        if self.chance.random() < 0.05:
            self.now_ms += self.chance.choice((10, 500, 3000, 6000))
        else:
            self.now_ms = max(self.now_ms, min(self.due(), default=self.now_ms))

    def due(self):
        """When something comes due, anywhere."""
        for machine in self.machines:
            for wire in machine.wires:
                if wire.is_open(machine):
                    deadline_ms = wire.sessions[machine].deadline_ms()
                    if deadline_ms is not None:
                        yield deadline_ms
                    if wire.arriving[machine]:
                        yield wire.arriving[machine][0][0]
                    if machine in wire.given_up_ms:
                        yield wire.given_up_ms[machine]

    def work(self, machine):
        for wire in list(machine.wires):
            if wire.is_open(machine):
                bound = [(road, road.outbound[:]) for road in machine.ledger.roads.values()]
                machine.pump(wire)
                self.let_off(bound)

    def leave(self, machine):
        machine.leave()
        self.let_off([(road, road.outbound) for road in machine.ledger.roads.values()])

    def let_off(self, bound):
        """Who is bound for a peer that is none of ours may be lost from now on. bound: (road, merchants) pairs."""
        for road, merchants in bound:
            if road.ours is False:
                self.loose.update(merchant.money_mills for merchant in merchants)

    def dial(self, pair):
        """The first dials the second, unless it believes that they are connected."""
        one, other = pair
        if one.running and other.running and not any(wire.other(one) is other for wire in one.wires):
            Wire(self, pair)

    def calm(self):
        """No more faults: everybody arrives."""
        self.log.append("%d calm" % self.now_ms)
        until_ms = self.now_ms + CALM_MS
        for machine in self.machines:
            machine.short = 0
            if not machine.running:
                machine.restart()
        while self.now_ms < until_ms:
            for pair in self.pairs:
                self.dial(pair)
            self.live()
            for machine in self.machines:
                if machine.full and any(road.inbound for road in machine.ledger.roads.values()):
                    self.leave(machine)
                machine.enter()
                machine.begin_checkpoint()
                machine.end_checkpoint()
            self.check()
            if not any(road.outbound or road.inbound for one in self.machines for road in one.ledger.roads.values()):
                break
            self.now_ms = max(self.now_ms + 10, min(self.due(), default=0))
        else:
            raise Broken("somebody never arrives")
        self.log.append("%d all have arrived" % self.now_ms)

    # What must hold.

    def check(self):
        """Whichever machines lost their power now, nobody is lost, nobody is there twice."""
        views = []
        for machine in self.machines:
            if machine.disk is not self.seen.get(machine.name, (None, None))[0]:
                self.seen[machine.name] = (machine.disk, View(machine.thawed()))
            disk = self.seen[machine.name][1]
            views.append([disk, View(machine.city)] if machine.running else [disk])
        for chosen in product(*views):
            cities = {view.name: view for view in chosen}
            there = [mills for stranger in self.strangers for mills in stranger.merchants]
            for view in chosen:
                there += view.residents
                there += [merchant.money_mills for merchant in self.owed(view, cities)]
            places = set(there)
            if len(places) < len(there):
                raise Broken("merchants %s are in two places" % sorted(one for one in places if there.count(one) > 1))
            if not places <= self.everybody <= places | self.loose:
                raise Broken("merchants %s are nowhere" % sorted(self.everybody - places - self.loose))

    def owed(self, view, cities):
        """Those in a view's ledger who have not arrived."""
        for road in view.ledger.roads.values():
            yield from road.home()
            for merchant in road.kept():
                if road.name in cities:
                    last = cities[road.name].ledger.last_of(view.ledger.incarnation, view.name) or 0
                    has_arrived = merchant.id[1] <= last and merchant.money_mills < REFUSED_FROM
                else:
                    has_arrived = merchant.id in self.strangers[0].ids
                if not has_arrived:
                    yield merchant

    def loosen(self, machine):
        """A disk is lost, and whoever was, or may have been, on it."""
        self.loose.update(residents(machine.thawed()))
        for one in [other.city for other in self.machines] + [other.thawed() for other in self.machines]:
            for road in one.ledger.roads.values():
                if one.name == machine.name or road.name == machine.name:
                    self.loose.update(merchant.money_mills for merchant in road.outbound + road.home())


class View:
    """Where everybody is, as one city knows it."""

    def __init__(self, city):
        self.name = city.name
        self.ledger = city.ledger
        self.residents = residents(city)
