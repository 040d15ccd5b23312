"""Planted faults: the simulation must find each of them, else it proves nothing.

Here: each fault, as a context in which the code is wrong. Not here: finding them (test_simulation.py).
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads import remedies
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import WireRoad
from deskonomy.wire.inbound import Inbound
from deskonomy.wire.protocol import LineRejected, MerchantReceived, Protocol
from deskonomy.wire.session import Session
from proofs.simulation.actors import Machine


@contextlib.contextmanager
def acknowledge_before_checkpoint() -> Iterator[None]:
    """An arrival is acknowledged even if no checkpoint holds it."""

    def find_last_sequence(self, incarnation):
        return max([sequence for known, sequence, *_ in self.arrivals if known == incarnation], default=0)

    with mock.patch.object(Ledger, "find_saved_sequence", find_last_sequence):
        yield


@contextlib.contextmanager
def forget_arrivals_at_restart() -> Iterator[None]:
    """A restart forgets which merchants have arrived."""
    decode_disk = Machine.decode_disk

    def decode_without_arrivals(self):
        city = decode_disk(self)
        city.ledger.arrivals.clear()
        city.ledger.saved_arrivals.clear()
        return city

    with mock.patch.object(Machine, "decode_disk", decode_without_arrivals):
        yield


@contextlib.contextmanager
def save_ledger_later_than_residents() -> Iterator[None]:
    """A checkpoint saves the residents; their ledger is saved only by the next one."""
    decode_disk, end_checkpoint = Machine.decode_disk, Machine.end_checkpoint

    def end_and_keep_earlier_disk(self):
        if self.pending is not None:
            self.earlier_disk = self.disk
        end_checkpoint(self)

    def decode_with_earlier_ledger(self):
        city = decode_disk(self)
        if hasattr(self, "earlier_disk"):
            with mock.patch.object(self, "disk", self.earlier_disk):
                earlier = decode_disk(self)
            city.roads, city.ledger = earlier.roads, earlier.ledger
        return city

    with (
        mock.patch.object(Machine, "end_checkpoint", end_and_keep_earlier_disk),
        mock.patch.object(Machine, "decode_disk", decode_with_earlier_ledger),
    ):
        yield


@contextlib.contextmanager
def save_no_departures() -> Iterator[None]:
    """A checkpoint does not hold the merchants that have left."""
    with mock.patch.object(WireRoad, "list_kept", lambda self: []):
        yield


@contextlib.contextmanager
def save_no_residents() -> Iterator[None]:
    """A checkpoint holds only the ledger; the residents are those of the first checkpoint."""
    decode_disk, init = Machine.decode_disk, Machine.__init__

    def init_and_keep_first_disk(self, *arguments):
        init(self, *arguments)
        self.first_disk = self.disk

    def decode_with_first_residents(self):
        city = decode_disk(self)
        with mock.patch.object(self, "disk", self.first_disk):
            first = decode_disk(self)
        first.roads, first.ledger = city.roads, city.ledger
        first.places = city.places
        return first

    with (
        mock.patch.object(Machine, "__init__", init_and_keep_first_disk),
        mock.patch.object(Machine, "decode_disk", decode_with_first_residents),
    ):
        yield


@contextlib.contextmanager
def read_nothing_when_full() -> Iterator[None]:
    """A full city reads nothing, not even the acknowledgements of merchants that it has sent."""

    def is_full(self):
        return len(self._road.inbound) >= self._road.capacity

    with mock.patch.object(Inbound, "is_full", is_full):
        yield


@contextlib.contextmanager
def reject_without_memory() -> Iterator[None]:
    """A merchant is rejected if there is no memory for it, even if it arrives again after it was admitted."""
    merchant_event = Protocol._merchant_event

    def merchant_event_or_rejection(self, line):
        event = merchant_event(self, line)
        if isinstance(event, MerchantReceived) and not event.whole:
            return LineRejected("no memory", event.merchant.id)
        return event

    with mock.patch.object(Protocol, "_merchant_event", merchant_event_or_rejection):
        yield


@contextlib.contextmanager
def evict_oldest_arrival() -> Iterator[None]:
    """A ledger that is full of arrivals forgets the oldest, whichever peer may need it."""
    with mock.patch.object(remedies, "find_evictable", lambda ledger, name, proven: 0):
        yield


@contextlib.contextmanager
def remove_arrivals_with_road() -> Iterator[None]:
    """A road that gives way to another takes its peer's arrival along."""
    remove_road = Ledger.remove_road

    def remove_road_and_arrivals(self, name):
        remove_road(self, name)
        self.arrivals[:] = [arrival for arrival in self.arrivals if arrival[2] != name]

    with mock.patch.object(Ledger, "remove_road", remove_road_and_arrivals):
        yield


@contextlib.contextmanager
def permit_gaps() -> Iterator[None]:
    """The first merchant of a connection may have any sequence, also far beyond the last arrival."""

    def check_order(self, id):
        if self.incarnation is None:
            self.incarnation = id[0]
        elif id[0] != self.incarnation or id[1] != self._sequence + 1:
            return "a merchant is missing"
        self._sequence = id[1]
        return None

    with mock.patch.object(Inbound, "_check_order", check_order):
        yield


@contextlib.contextmanager
def keep_ledger_clean_at_acknowledgement() -> Iterator[None]:
    """An acknowledgement leads to no checkpoint."""

    def acknowledge(self, sequence):
        while self.outbound and self.outbound[0].id[1] <= sequence:
            self.outbound.pop(0)

    with mock.patch.object(WireRoad, "acknowledge", acknowledge):
        yield


@contextlib.contextmanager
def keep_merchants_beyond_capacity() -> Iterator[None]:
    """Each connection leaves what has come on the road, however full it is."""
    end = Session.end

    def end_with_room(self, redialled):
        with contextlib.ExitStack() as patches:
            if self.road is not None:
                patches.enter_context(mock.patch.object(self.road, "capacity", 1000))
            end(self, redialled)

    with mock.patch.object(Session, "end", end_with_room):
        yield


@contextlib.contextmanager
def admit_in_order_of_places() -> Iterator[None]:
    """A full city admits merchants from its first road for as long as any wait there."""

    def admit_waiting(self):
        for place in self.places[1:]:
            road = self.roads.get(place)
            if road is not None and road.inbound and self.state[kernel.MERCHANTS] < (self.merchants_max or 1 << 29):
                self.admit(road.take())
        return False

    with mock.patch.object(City, "_admit_waiting", admit_waiting):
        yield


FAULTS = (
    acknowledge_before_checkpoint,
    forget_arrivals_at_restart,
    save_ledger_later_than_residents,
    save_no_departures,
    save_no_residents,
    read_nothing_when_full,
    reject_without_memory,
    evict_oldest_arrival,
    remove_arrivals_with_road,
    permit_gaps,
    keep_ledger_clean_at_acknowledgement,
    keep_merchants_beyond_capacity,
    admit_in_order_of_places,
)
