"""The ledger: who has left this city by wire and is not known to have arrived, and who has come from whom.

Here: the roads over the wire as their city sees them, and what of them is saved with the city. Not here: what is said
on such a road (session.py), connections (link.py, tcp.py), writing anything down (checkpoint.py and whoever stores it).

A merchant that leaves is given its id, (incarnation, sequence), and stays in the ledger until its new city says that it
has saved it; if that city refuses it, it comes home. Nobody leaves this machine before that is saved:

    a merchant may be sent       after a checkpoint that holds it in the ledger, and no more in the city
    its arrival is acknowledged  after a checkpoint that holds it in the city

A checkpoint is whatever saves the city and its ledger in one step: it takes a mark() at that moment, and calls
release() with it once all is safe. Without one (volatile) nothing outlives this machine, and nothing waits.

A peer that is none of ours never acknowledges. Whoever goes there is saved nowhere, so that nobody is ever doubled.
"""

from deskonomy.compat import const
from deskonomy.roads.road import Road

_ARRIVALS_MAX = const(16)  # incarnations whose last merchant is remembered, beside one for each road


class Ledger:
    """One city's ledger. incarnation: a whole number drawn at the city's birth, at most codec.ID_MAX.

    roads: the WireRoads, by name. arrivals: (incarnation, sequence, name) of the last who came from each, the latest
    last; safe: the same as of the last checkpoint. highest: no sequence above this was ever given. volatile: nothing is
    ever saved. crossed: somebody has crossed the border since the last mark(), so that a checkpoint is due.
    """

    def __init__(self, incarnation, volatile=True):
        self.incarnation = incarnation
        self.volatile = volatile
        self.roads = {}
        self.arrivals = []
        self.safe = self.arrivals if volatile else []
        self.highest = 0
        self.crossed = False

    def road(self, name, room):
        """The road to the city of this name, a new one if there is none."""
        if name not in self.roads:
            self.roads[name] = WireRoad(name, room, self)
        return self.roads[name]

    def forget(self, name):
        """Forget a road and whoever may have arrived there."""
        del self.roads[name]

    def last_of(self, incarnation, name):
        """The sequence of the last who came from this incarnation of the city of that name, 0 for nobody.

        None if it is no incarnation of that city: it is this city's own, or another's.
        """
        if incarnation == self.incarnation:
            return None
        for known, sequence, its_name in self.arrivals:
            if known == incarnation:
                return sequence if its_name == name else None
        return 0

    def safe_of(self, incarnation):
        """The sequence of the last who came from this incarnation, as of the last checkpoint; 0 for nobody."""
        for known, sequence, _ in self.safe:
            if known == incarnation:
                return sequence
        return 0

    def arrive(self, id, name):
        """Remember that this merchant has come, or was refused."""
        arrivals = self.arrivals
        for at in range(len(arrivals) - 1, -1, -1):
            if arrivals[at][0] == id[0]:
                arrivals.pop(at)
                break
        if len(arrivals) > _ARRIVALS_MAX + len(self.roads):
            arrivals.pop(0)
        arrivals.append((id[0], id[1], name))

    def mills(self):
        """The money of everybody in the ledger."""
        return sum([one.money_mills for road in self.roads.values() for one in road.outbound + road.home()])

    # Checkpoints.

    def cross(self, road):
        """Something has changed on that road that outlives a connection."""
        if self.volatile:
            road.saved = road.sequence
        else:
            self.crossed = True
        road.stir()

    def mark(self):
        """What a checkpoint of this moment holds, for release()."""
        self.crossed = False
        return [(road, road.sequence, road.epoch) for road in self.roads.values()], self.arrivals[:]

    def release(self, mark):
        """All of that is safe: let go who may go, acknowledge who has come."""
        departures, self.safe = mark
        for road, sequence, epoch in departures:
            if road.epoch == epoch:
                road.saved = sequence
                road.stir()


class WireRoad(Road):
    """A road that a connection carries.

    outbound: who is in the ledger, bound there; their sequences have no gap. inbound: who waits to enter, those among
    them who come home still in the ledger. ours: True once the peer has shown to be one of ours, False if it has shown
    that it is not, None before. sequence: of the last who left. saved: of the last whom a checkpoint holds. tried: of
    the last who ever set out; nobody beyond can have arrived. epoch: counts how often a checkpoint's word on those
    beyond became worthless. link: what carries the road, with a stir(); None while it is down.
    """

    def __init__(self, name, room, ledger):
        Road.__init__(self, name, "legacy", room)
        self.state = "down"
        self.ledger = ledger
        self.ours = None
        self.sequence = self.saved = self.tried = ledger.highest
        self.epoch = 0
        self.link = None

    def send(self, merchant):
        """Write a merchant into the ledger. The caller has looked at space()."""
        self.sequence += 1
        self.ledger.highest = max(self.ledger.highest, self.sequence)
        merchant.id = (self.ledger.incarnation, self.sequence)
        Road.send(self, merchant)
        self.ledger.cross(self)

    def take(self):
        """Who has waited longest to enter, and now does."""
        merchant = Road.take(self)
        if merchant is not None:
            if self._is_foreign(merchant):
                self.ledger.arrive(merchant.id, self.name)
            self.ledger.cross(self)
        return merchant

    def home(self):
        """Those who come home."""
        return [one for one in self.inbound if one.id is not None and not self._is_foreign(one)]

    def kept(self):
        """Those of outbound whom a checkpoint keeps: nobody who is bound for a peer that is none of ours."""
        return [] if self.ours is False else self.outbound

    def turn(self, ours):
        """The peer has shown to be one of ours, or to be none."""
        if self.ours is not ours:
            if not ours or self.ours is False:  # what a checkpoint holds of those who wait changes with this
                self._unsave(self.sequence - len(self.outbound))
            self.ours = ours
            self.kind = "ours" if ours else "legacy"
            self.ledger.cross(self)

    def acknowledge(self, sequence):
        """Everybody up to this sequence is safe where they are now."""
        while self.outbound and self.outbound[0].id[1] <= sequence:
            self.outbound.pop(0)

    def refuse(self, sequence):
        """The peer has saved everybody before this one, whom it does not take. Returns whether anybody comes home."""
        self.acknowledge(sequence - 1)
        comes_home = bool(self.outbound) and self.outbound[0].id[1] == sequence
        if comes_home:
            self.inbound.append(self.outbound[0])  # which may take memory, and then nobody has moved
            self.outbound.pop(0)
            self.ledger.cross(self)
        return comes_home

    def turn_back(self):
        """Nobody will carry on those who have not set out: they come home, as if they had not left."""
        self._unsave(self.tried)
        while self.outbound and self.outbound[-1].id[1] > self.tried:
            self.inbound.append(self.outbound[-1])
            self.outbound.pop()
            self.sequence -= 1
        self.ledger.cross(self)

    def drop_unsettled(self):
        """The connection is gone: who came by it and has not entered comes again with the next."""
        for at in range(len(self.inbound) - 1, -1, -1):  # which takes no memory
            if self._is_foreign(self.inbound[at]):
                self.inbound.pop(at)

    def stir(self):
        """The link has something to look at."""
        if self.link is not None:
            self.link.stir()

    def _is_foreign(self, merchant):
        return merchant.id is not None and merchant.id[0] != self.ledger.incarnation

    def _unsave(self, beyond):
        """Those beyond this sequence wait for another checkpoint."""
        self.saved = min(self.saved, beyond)
        self.epoch += 1
