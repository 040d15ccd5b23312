"""Planted faults: the simulation must find each of them, else it proves nothing.

Here: each fault, as a context in which the code is wrong. Not here: finding them (test_simulation.py).
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import WireRoad
from deskonomy.wire.inbound import Inbound
from deskonomy.wire.protocol import LineRejected, MerchantReceived, Protocol
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


FAULTS = (
    acknowledge_before_checkpoint,
    forget_arrivals_at_restart,
    save_ledger_later_than_residents,
    save_no_departures,
    save_no_residents,
    read_nothing_when_full,
    reject_without_memory,
)
