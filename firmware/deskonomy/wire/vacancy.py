"""Roads that are forgotten: their peers have vanished, and their merchants return.

Here: which road gives its place to a new one, and what becomes of its merchants. Not here: when a place is needed
(wire/arbitration.py), the arrivals that a ledger remembers (roads/ledger.py). A board loads this module when it first
needs it.

A merchant that was sent and not acknowledged returns, too. It exists twice only if it has arrived after all, and its
city has not vanished. So a road with such a merchant is forgotten by command, or after a day; sooner only if its peer
has proven no key, and its place is needed.
"""

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.economy import kernel as k
from deskonomy.roads.wire_road import ACKNOWLEDGING, VANISHED_MS

if TYPE_CHECKING:
    from deskonomy.roads.wire_road import WireRoad
    from deskonomy.wire.network import Network

_STRANGER_MS = const(60_000)  # without a connection; a peer that was merely restarted is back sooner


def forget_road(network: "Network", name: str) -> int:
    """Forget the road to a city; see Network.forget()."""
    city = network.city
    road = network.ledger.roads.get(name)
    arrivals = [arrival for arrival in network.ledger.arrivals if arrival[2] != name]
    if road is None and len(arrivals) == len(network.ledger.arrivals):
        raise ValueError("%s has no road to %s over the network" % (city.name, name))
    if road is not None and road.connection is not None:
        raise ValueError("%s is connected to %s: only a road that is down can be forgotten" % (name, city.name))
    network.ledger.arrivals[:] = arrivals
    network.ledger.dirty = not network.ledger.volatile
    if road is None:
        return 0
    count = len(road.outbound)
    _return_outbound(road)
    while road.inbound and (city.merchants_max is None or city.state[k.MERCHANTS] < city.merchants_max):
        merchant = road.take()
        if merchant is None:
            break
        city.admit(merchant)
    _remove(network, road)
    return count


def return_merchants(network: "Network", road: "WireRoad") -> None:
    """Forget a road whose peer has been away for VANISHED_MS: its merchants return."""
    _return_outbound(road)
    _remove(network, road)


def make_room(network: "Network") -> bool:
    """Forget the road that is needed least, of equal ones the one that is down for longest.

    Returns:
        Whether there was one.
    """
    found = None
    lowest = (0, 0, 0)
    for road in network.ledger.roads.values():
        in_doubt = road.peer_state == ACKNOWLEDGING and bool(road.outbound)
        rank = 1 if road.inbound else 0
        if in_doubt and not road.proven:
            rank = 2
        elif in_doubt:
            rank = 3
        need = (rank, road.received, road.down_ms)
        is_least = found is None or need < lowest
        if is_least and _is_down(network, road, (0, 0, _STRANGER_MS, VANISHED_MS)[rank]):
            found, lowest = road, need
    if found is None:
        return False
    if found.peer_state == ACKNOWLEDGING:
        _return_outbound(found)
    return _remove(network, found)


def _is_down(network: "Network", road: "WireRoad", ms: int) -> bool:
    """Return whether a road is not dialled and has been without a connection for so long."""
    is_free = road.connection is None and not network.find_address(road.name)
    return is_free and network.clock.now_ms() - road.down_ms >= ms


def _return_outbound(road: "WireRoad") -> None:
    """Let all outbound merchants return."""
    road.return_unsent()
    while road.outbound:
        road.inbound.append(road.outbound[0])  # first, because it may raise MemoryError
        road.outbound.pop(0)
    road.ledger.mark_dirty(road)


def _remove(network: "Network", road: "WireRoad") -> bool:
    """Remove a road; its inbound merchants wait on another one. Return False if there is no other one."""
    ledger = network.ledger
    heir = None
    for other in ledger.roads.values():
        if other is not road and (heir is None or len(other.inbound) < len(heir.inbound)):
            heir = other
    if road.inbound and heir is None:
        return False
    while road.inbound and heir is not None:
        merchant = road.inbound[0]
        if merchant.id is None and len(heir.inbound) >= heir.capacity:
            heir.lost += 1
        else:
            heir.inbound.append(merchant)
            if merchant.id is None:
                merchant.id = (ledger.incarnation, 0)  # from now on it is this city's own, as those that return
        road.inbound.pop(0)
    ledger.remove_road(road.name)
    network.city.close_road(road.name)
    ledger.dirty = not ledger.volatile
    return True
