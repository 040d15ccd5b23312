"""Arbitration: which of two connections to one city carries its road.

Here: the road of a connection whose peer has just sent its name. Not here: the life of a connection (wire/network.py).

- If both cities dialled each other at once, the connection that the city whose name sorts first has dialled stays, so
  that both choose alike.
- Else the first connection holds the road, and is probed: with a ping if its peer answers pings, else with a blank
  line. If it ends (a machine that was off answers with a reset), the new connection gets the road. If a ping has no
  answer for some seconds, the first connection is dead, too. In any other case the new one is rejected: a quiet peer
  without keepalive is no dead peer. This takes less than a second, and a rejected city of this project dials again.
"""

import asyncio

from deskonomy.compat import TYPE_CHECKING, const

if TYPE_CHECKING:
    from deskonomy.roads.wire_road import WireRoad
    from deskonomy.wire.connection import Connection
    from deskonomy.wire.network import Network

_PROBE_MS = const(800)  # for a reset to come back, before the new peer may send merchants (1 s after its name)
_ANSWER_MS = const(3000)  # for a pong: longer than any pause of a busy board, and a restarted peer dials on meanwhile


async def assign_road(network: "Network", connection: "Connection") -> None:
    """Give a connection whose peer is known its road, or end it."""
    name = connection.peer
    assert name is not None
    city = network.city
    road = network.ledger.roads.get(name)
    if name == city.name:
        connection.end("both cities are called %s: rename one" % name)
    elif road is None and name in city.roads:
        connection.end("there is a road to %s inside this process" % name)
    elif road is not None and road.connection is not None and not await _yields(network, road.connection, connection):
        connection.end("there is a road to %s already" % name)
    if connection.ended.is_set():
        return
    road = network.ledger.roads.get(name) or open_road(network, name)
    if road is None:
        connection.end("%s remembers as many roads as it can" % city.name)
    elif road.connection is not None:
        connection.end("another connection was quicker")
    else:
        connection.attach_road(road)


async def _yields(network: "Network", holder: "Connection", newcomer: "Connection") -> bool:
    """Return whether the connection that carries a road has ended for a new one to the same city."""
    assert newcomer.peer is not None
    if holder.dialled != newcomer.dialled and not holder.ready:
        if newcomer.dialled != (network.city.name < newcomer.peer):
            return False
        holder.end("both cities dialled, one connection is enough")
        return True
    holder.probe()
    try:
        await asyncio.wait_for(holder.ended.wait(), _PROBE_MS / 1000)
    except asyncio.TimeoutError:
        if holder.unanswered_ms() < _ANSWER_MS:
            return False
        holder.end("it answers no ping, and its city has come back")
    return True


def open_road(network: "Network", name: str) -> "WireRoad | None":
    """Return a new road to a city, None if there are too many.

    A new road replaces the one that is needed least. Merchants in flight to a peer that has never acknowledged count as
    arrived then.
    """
    city, ledger = network.city, network.ledger
    if len(ledger.roads) >= network.connections_max:
        from deskonomy.wire.vacancy import make_room  # it takes memory, and is seldom needed

        if not make_room(network):
            return None
    road = ledger.ensure_road(name, network.capacity)
    try:
        city.open_road(road)
    except MemoryError:  # one more place in the city's state array
        ledger.remove_road(name)
        raise
    return road
