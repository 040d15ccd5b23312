"""The road between two cities of one process.

Here: when a merchant gets from one end to the other. Not here: what a city needs of any road (roads/road.py).

A merchant that leaves in one tick may enter in the next, and a city knows how full the other end was when the last tick
ended. So nothing depends on which of two cities runs first in a tick. A tick has ended for both cities as soon as one
of them begins the next, so no call has to end it.
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy.roads.road import Road

if TYPE_CHECKING:
    from deskonomy.economy.city import City


class LocalRoad(Road):
    """One end of a road inside a process. far_end: the LocalRoad at its other end."""

    def __init__(self, name: str) -> None:
        Road.__init__(self, name)
        self.far_end = self
        self._in_tick = False  # the city at this end has begun a tick that has not ended
        self._far_inbound = 0  # merchants that waited to enter at the far end when the last tick ended

    def begin_tick(self) -> None:
        """Begin a tick of the city at this end."""
        if self._in_tick:
            self._end_tick()
            self.far_end._end_tick()
        self._in_tick = True

    def resume(self, road: Road) -> None:
        """Continue where that end of the same road has stopped, between two ticks."""
        self.outbound, self.inbound = road.outbound, road.inbound
        self.sent, self.received = road.sent, road.received
        self._in_tick = True

    def _end_tick(self) -> None:
        if self.outbound:
            self.far_end.inbound.extend(self.outbound)
            del self.outbound[:]
        self._far_inbound = len(self.far_end.inbound)
        self._in_tick = False

    def credit(self) -> int:
        """Return how many more merchants may leave now."""
        return self.capacity - self._far_inbound - len(self.outbound)

    def status(self) -> "dict[str, str | int]":
        """Return the road's part of a status line."""
        row = Road.status(self)
        row["waiting"] = len(self.outbound) + len(self.far_end.inbound)
        return row


def connect(first: "City", second: "City") -> None:
    """Open a road between two cities of one process; it continues where a checkpoint of both has left it."""
    there, back = LocalRoad(second.name), LocalRoad(first.name)
    there.far_end, back.far_end = back, there
    for city, road in ((first, there), (second, back)):
        if road.name in city.roads:
            road.resume(city.roads[road.name])
        city.open_road(road)
        city.local_roads.append(road)
