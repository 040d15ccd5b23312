"""Faults planted on purpose: a harness that does not find these finds nothing.

Here: each as a context in which the code is wrong. Not here: finding them (test_simulation.py).
"""

import contextlib
from unittest import mock

from deskonomy.roads.ledger import Ledger, WireRoad
from deskonomy.wire.protocol import Arrived, Connection, Refusal
from deskonomy.wire.session import Session
from proofs.simulation.world import Machine


@contextlib.contextmanager
def acknowledging_before_saving():
    """Whoever has entered is acknowledged, whether or not a checkpoint holds them."""

    def safe_of(self, incarnation):
        return max([sequence for known, sequence, _ in self.arrivals if known == incarnation], default=0)

    with mock.patch.object(Ledger, "safe_of", safe_of):
        yield


@contextlib.contextmanager
def dedupe_in_memory_only():
    """A restart forgets who has come."""
    thawed = Machine.thawed

    def forgetful(self):
        city = thawed(self)
        city.ledger.arrivals.clear()
        city.ledger.safe.clear()
        return city

    with mock.patch.object(Machine, "thawed", forgetful):
        yield


@contextlib.contextmanager
def saved_in_two_steps():
    """The residents are saved first, the ledger with the next checkpoint."""
    thawed, end_checkpoint = Machine.thawed, Machine.end_checkpoint

    def end_in_two_steps(self):
        if self.pending is not None:
            self.disk_before = self.disk
        end_checkpoint(self)

    def mixed(self):
        city = thawed(self)
        if hasattr(self, "disk_before"):
            with mock.patch.object(self, "disk", self.disk_before):
                before = thawed(self)
            city.roads, city.ledger = before.roads, before.ledger
        return city

    with mock.patch.object(Machine, "end_checkpoint", end_in_two_steps), mock.patch.object(Machine, "thawed", mixed):
        yield


@contextlib.contextmanager
def no_ledger():
    """Who has left is not saved."""
    with mock.patch.object(WireRoad, "kept", lambda self: []):
        yield


@contextlib.contextmanager
def snapshot_without_residents():
    """Only the ledger is saved; the residents are those of the first day."""
    thawed, init = Machine.thawed, Machine.__init__

    def first_day(self, *args):
        init(self, *args)
        self.first_disk = self.disk

    def without(self):
        city = thawed(self)
        with mock.patch.object(self, "disk", self.first_disk):
            first = thawed(self)
        first.roads, first.ledger = city.roads, city.ledger
        first.places = city.places
        return first

    with mock.patch.object(Machine, "__init__", first_day), mock.patch.object(Machine, "thawed", without):
        yield


@contextlib.contextmanager
def full_and_deaf():
    """Whoever is full reads nothing, not even that those who left have arrived."""

    def is_full(self):
        return self.road is not None and len(self.road.inbound) >= self.road.room

    with mock.patch.object(Session, "_is_full", is_full):
        yield


@contextlib.contextmanager
def refused_for_want_of_memory():
    """Whoever comes when there is no memory is sent home, also who is here already and comes again."""
    event_of = Connection._merchant_event

    def refusing(self, line):
        event = event_of(self, line)
        if isinstance(event, Arrived) and not event.whole:
            return Refusal("no memory", event.merchant.id)
        return event

    with mock.patch.object(Connection, "_merchant_event", refusing):
        yield


FAULTS = (
    acknowledging_before_saving,
    dedupe_in_memory_only,
    saved_in_two_steps,
    no_ledger,
    snapshot_without_residents,
    full_and_deaf,
    refused_for_want_of_memory,
)
