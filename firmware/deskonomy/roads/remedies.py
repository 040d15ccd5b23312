"""What a ledger seldom needs: which arrival gives its place to another one, and numbering merchants again.

Here: functions of a ledger and of a wire road that a board loads when it first needs them. Not here: the ledger itself
(roads/ledger.py), roads that are forgotten (wire/vacancy.py).
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy.roads.wire_road import PROVEN, SETTLED

if TYPE_CHECKING:
    from deskonomy.roads.ledger import Ledger
    from deskonomy.roads.wire_road import WireRoad


def find_evictable(ledger: "Ledger", name: str, proven: bool) -> "int | None":
    """Return the index of the arrival that is needed least, None if each may be needed.

    These are not needed, in this order: settled ones of peers without a connection, the oldest first; ones of an
    earlier incarnation of a city; ones of strangers, which are peers without a connection, without a proof, and not
    dialled: those of the fewest merchants first, then the latest.

    Args:
        ledger: the ledger.
        name, proven: the city that needs a place, and whether it has proven that it has our key.
    """
    found = None
    lowest = 0
    later = [(name, proven)]
    for index in range(len(ledger.arrivals) - 1, -1, -1):
        _, _, known, flags = ledger.arrivals[index]
        road = ledger.roads.get(known)
        is_proven = bool(flags & PROVEN)
        if (known, True) in later or (not is_proven and (known, False) in later):
            rank = 1
        elif road is not None and (road.connection is not None or road.dialled):
            rank = None
        elif flags & SETTLED:
            rank = 0
        elif is_proven:
            rank = None
        else:
            rank = 2 + (road.received if road is not None else 0)
        later.append((known, is_proven))
        if rank is not None and (found is None or rank < lowest or rank == lowest < 2):
            found, lowest = index, rank
    return found


def renumber(road: "WireRoad", sequence: int) -> None:
    """Number the outbound merchants from this sequence on: the peer has none of them, and none between."""
    road.require_checkpoint(sequence - 1)
    road.sent_sequence = road.sequence = sequence - 1
    for merchant in road.outbound:
        road.sequence += 1
        merchant.id = (road.ledger.incarnation, road.sequence)
    road.ledger.mark_dirty(road)
