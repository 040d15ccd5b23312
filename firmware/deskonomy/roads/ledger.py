"""The ledger: merchants that left this city by wire and have not arrived yet, and the last arrivals from each peer.

Here: the roads over the wire of one city, and the part of them that a checkpoint saves. Not here: which arrival is
forgotten (roads/remedies.py), a single road (roads/wire_road.py), the dialogue on a connection (wire/session.py),
connections (wire/network.py), saving (storage/encode.py and its callers).

A merchant is sent, and an arrival is acknowledged, only after a checkpoint:

    a merchant is sent           after a checkpoint that holds it in the ledger, and not in the city
    an arrival is acknowledged   after a checkpoint that holds it in the city

A checkpoint saves a city and its ledger in one step: its writer calls begin_checkpoint() when it reads the city, and
commit_checkpoint() once the bytes are safe. A volatile ledger has no checkpoints: it ends with this process, and
nothing waits.
"""

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.roads.wire_road import PROVEN, SETTLED, WireRoad

if TYPE_CHECKING:
    Arrival = tuple[int, int, str, int]
    Checkpoint = tuple[list[tuple[WireRoad, int, int, bool]], list[Arrival]]

_ARRIVALS_MAX = const(24)  # incarnations whose last arrival is remembered; a network sets it by its connections
_FORMER_MAX = const(24)  # names of removed roads whose last sequence is remembered


class Ledger:
    """The ledger of one city.

    Attributes:
        incarnation: a whole number drawn when the city is born, at most codec.ID_MAX.
        volatile: whether nothing is ever saved.
        roads: {name of the peer: WireRoad}.
        arrivals: (incarnation, sequence, name of the peer, flags) of the last arrival from each incarnation, the latest
            last.
        arrivals_max: at how many arrivals a new incarnation needs the place of another one.
        former: (name, sequence) of roads that were removed, the latest last.
        saved_arrivals: the same as of the last checkpoint.
        highest_sequence: the highest sequence that any merchant ever got.
        dirty: whether a merchant has left, arrived, returned or been acknowledged since the last begin_checkpoint().
    """

    def __init__(self, incarnation: int, volatile: bool = True) -> None:
        self.incarnation = incarnation
        self.volatile = volatile
        self.roads: dict[str, WireRoad] = {}
        self.arrivals: list[Arrival] = []
        self.arrivals_max = _ARRIVALS_MAX
        self.former: list[tuple[str, int]] = []
        self.saved_arrivals = self.arrivals if volatile else []
        self.highest_sequence = 0
        self.dirty = False

    def ensure_road(self, name: str, capacity: int) -> WireRoad:
        """Return the road to the city of this name, a new road if there is none.

        The sequences of a road that was removed go on where they ended.
        """
        if name not in self.roads:
            road = self.roads[name] = WireRoad(name, capacity, self)
            for index, (former, sequence) in enumerate(self.former):
                if former == name:
                    road.restore(road.peer_state, sequence)
                    self.former.pop(index)
                    break
        return self.roads[name]

    def remove_road(self, name: str) -> None:
        """Remove a road, with the merchants that may have arrived at its other end."""
        road = self.roads.pop(name)
        if road.sent:
            self.former.append((name, road.sequence))
            del self.former[:-_FORMER_MAX]

    def find_last_sequence(self, incarnation: int, name: str) -> "int | None":
        """Return the sequence of the last arrival from this incarnation of the city of that name.

        Returns:
            0 for an incarnation that no merchant has come from; None for an incarnation of this city or of a third one.
        """
        if incarnation == self.incarnation:
            return None
        for known, sequence, known_name, _ in self.arrivals:
            if known == incarnation:
                return sequence if known_name == name else None
        return 0

    def find_saved_sequence(self, incarnation: int) -> int:
        """Return the sequence of the last arrival from this incarnation that a checkpoint holds, 0 for none."""
        for known, sequence, _, _ in self.saved_arrivals:
            if known == incarnation:
                return sequence
        return 0

    def record_arrival(self, id: "tuple[int, int]", name: str, proven: bool = False) -> None:
        """Remember that the merchant of this id has come from the city of that name, or was rejected."""
        arrivals = self.arrivals
        for index in range(len(arrivals) - 1, -1, -1):
            if arrivals[index][0] == id[0]:
                arrivals.pop(index)
                break
        else:
            if len(arrivals) >= self.arrivals_max:
                from deskonomy.roads.remedies import find_evictable

                index = find_evictable(self, name, proven)
                if index is not None:
                    arrivals.pop(index)
        arrivals.append((id[0], id[1], name, PROVEN if proven else 0))

    def mark_settled(self, incarnation: int, sequence: int, name: str) -> None:
        """Note that a peer sends no merchant up to this sequence again, if it is the last that came from there."""
        for index, arrival in enumerate(self.arrivals):
            if arrival[:3] == (incarnation, sequence, name):
                self.arrivals[index] = arrival[:3] + (arrival[3] | SETTLED,)

    def has_place(self, name: str, proven: bool) -> bool:
        """Return whether the first arrival of an incarnation of that city can be remembered."""
        if len(self.arrivals) < self.arrivals_max:
            return True
        from deskonomy.roads.remedies import find_evictable  # it takes memory, and is seldom needed

        return find_evictable(self, name, proven) is not None

    def sum_money_mills(self) -> int:
        """Return the money of all merchants in the ledger, in mills."""
        roads = self.roads.values()
        return sum([merchant.money_mills for road in roads for merchant in road.outbound + road.list_returning()])

    def sum_waiting_mills(self) -> int:
        """Return the money of the merchants without an id that wait to enter, in mills: no other city has them."""
        roads = self.roads.values()
        return sum([merchant.money_mills for road in roads for merchant in road.inbound if merchant.id is None])

    # Checkpoints.

    def mark_dirty(self, road: WireRoad) -> None:
        """Note a change of this road that a restart would lose."""
        if self.volatile:
            road.saved_sequence = road.sequence
            if not road.outbound:
                road.settled_sequence = road.sequence
        else:
            self.dirty = True
        road.wake()

    def begin_checkpoint(self) -> "Checkpoint":
        """Return what a checkpoint of this moment holds, for commit_checkpoint()."""
        self.dirty = False
        roads = [(road, road.sequence, road.epoch, not road.outbound) for road in self.roads.values()]
        return roads, self.arrivals[:]

    def commit_checkpoint(self, checkpoint: "Checkpoint") -> None:
        """Send and acknowledge what this checkpoint permits: its bytes are safe."""
        departures, self.saved_arrivals = checkpoint
        for road, sequence, epoch, is_settled in departures:
            if road.epoch == epoch:
                road.saved_sequence = sequence
                if is_settled:
                    road.settled_sequence = sequence
                road.wake()
