"""The road between two cities of one process.

Here: when a merchant gets from one end to the other. Not here: what a city needs of any road (road.py).

Who sets out in one tick may enter in the next, and a city knows how full the other end was when the last tick ended. So
nothing depends on which of two cities is run first in a tick. Nobody need say when a tick ends: it has ended for both
as soon as one of them begins another.
"""

from deskonomy.roads.road import Road


class Lane(Road):
    """One end of such a road. far: the Lane at its other end."""

    def __init__(self, name):
        Road.__init__(self, name)
        self.far = self
        self._begun = False  # the city at this end has begun a tick that has not ended
        self._ahead = 0  # merchants who waited to enter at the far end when the last tick ended

    def begin(self):
        """The city at this end begins a tick."""
        if self._begun:
            self._hand_over()
            self.far._hand_over()
        self._begun = True

    def resume(self, road):
        """Go on where that end of the same road had stopped, between two ticks."""
        self.outbound, self.inbound = road.outbound, road.inbound
        self.sent, self.received = road.sent, road.received
        self._begun = True

    def _hand_over(self):
        if self.outbound:
            self.far.inbound.extend(self.outbound)
            del self.outbound[:]
        self._ahead = len(self.far.inbound)
        self._begun = False

    def space(self):
        """How many more merchants may set out now."""
        return self.room - self._ahead - len(self.outbound)

    def status(self):
        """The road's part of a status line."""
        row = Road.status(self)
        row["waiting"] += len(self.far.inbound)
        return row


def connect(one, other):
    """Open a road between two cities of one process; it goes on where a checkpoint of both has left it."""
    there, back = Lane(other.name), Lane(one.name)
    there.far, back.far = back, there
    for city, lane in ((one, there), (other, back)):
        if lane.name in city.roads:
            lane.resume(city.roads[lane.name])
        city.open_road(lane)
        city.lanes.append(lane)
