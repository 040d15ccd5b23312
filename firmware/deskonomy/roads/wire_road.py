"""The road over the wire, as its city and the ledger see it.

Here: the merchants that leave by a connection and have not arrived yet, and those that return. Not here: all roads of a
city and its checkpoints (roads/ledger.py), the dialogue on a connection (wire/session.py).

A merchant that leaves gets an id, (incarnation, sequence), and stays in `outbound` until its new city acknowledges it.
If that city rejects it, it returns: it moves to `inbound`. So each merchant is in one place at any time.
"""

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.roads.road import Road

if TYPE_CHECKING:
    from deskonomy.economy.merchant import Merchant
    from deskonomy.roads.ledger import Ledger
    from deskonomy.wire.connection import Connection

# What is known of the peer at the other end; wire/session.py has the transitions. A checkpoint saves the numbers of the
# first three.
UNKNOWN = const(0)
ACKNOWLEDGING = const(1)  # it acknowledges merchants: it is a city of this project
LEGACY = const(2)  # it does not: merchants are sent to it at most once
PROBING = const(3)  # of a session only: one merchant is in flight, and its acknowledgement decides
# Flags of an arrival in the ledger.
SETTLED = const(1)  # its sender sends no merchant again: a checkpoint there holds all acknowledgements
PROVEN = const(2)  # its sender has proven that it has our key
VANISHED_MS = const(86_400_000)  # without a connection; a city that is switched off for the night keeps its road
_TYPES = ("legacy", "ours", "legacy")  # the type of a road, by its peer's state
# The tutorial's cities crash when a line names a good that they do not have. All of them have these three.
_TUTORIAL_GOODS = ("bed", "chair", "wood")
_GOODS_MAX = const(32)  # goods of a peer that are remembered: as many as a line names


class WireRoad(Road):
    """A road over the wire.

    Attributes:
        outbound: merchants of the ledger that are bound for the peer; their sequences have no gap.
        inbound: merchants that wait to enter. Those that return are still part of the ledger.
        ledger: the Ledger that the road belongs to.
        peer_state: UNKNOWN, ACKNOWLEDGING or LEGACY; kept from one connection to the next.
        sequence: the sequence of the last merchant that left.
        saved_sequence: the sequence of the last merchant that a checkpoint holds.
        sent_sequence: the highest sequence that was ever sent; merchants beyond it cannot have arrived.
        settled_sequence: the sequence at the last checkpoint that held no outbound merchant, -1 before there is one.
        proven: whether the peer has ever proven that it has our key.
        dialled: whether this city dials the peer again after the end of a connection.
        down_ms: when the last connection ended, by the network's clock.
        peer_goods: the goods that merchants of a peer that is not acknowledging have named.
        barred: whether a merchant could not leave because nothing is known of the peer; the session asks the peer then.
        epoch: a number that grows whenever a checkpoint that is being written does not count for this road any more.
        connection: the Connection that carries the road, None while it is down.
    """

    def __init__(self, name: str, capacity: int, ledger: "Ledger") -> None:
        Road.__init__(self, name, "legacy", capacity)
        self.state = "down"
        self.ledger = ledger
        self.peer_state: int = UNKNOWN
        self.sequence = self.saved_sequence = self.sent_sequence = ledger.highest_sequence
        self.settled_sequence = -1
        self.proven = self.dialled = False
        self.down_ms = 0
        self.peer_goods: tuple[str, ...] = ()
        self.barred = False
        self.epoch = 0
        self.connection: Connection | None = None

    def restore(self, peer_state: int, sequence: int) -> None:
        """Set the road to what a checkpoint holds of it: any merchant in it may have been sent."""
        self.peer_state = peer_state
        self.type = _TYPES[peer_state]
        self.sequence = self.saved_sequence = self.sent_sequence = sequence

    def list_goods(self) -> "tuple[str, ...] | None":
        """Return the goods that a line to the peer may name, None for all."""
        return None if self.peer_state == ACKNOWLEDGING else self.peer_goods or _TUTORIAL_GOODS

    def accepts(self, good: "str | None") -> bool:
        """Return whether the peer is known to accept merchants that trade this good."""
        goods = self.list_goods()
        if goods is None or good in goods:
            return True
        if not self.barred and self.peer_state == UNKNOWN:
            self.barred = True
            self.wake()
        return False

    def learn_goods(self, merchant: "Merchant") -> None:
        """Remember the goods that a merchant of the peer names."""
        if self.peer_state != ACKNOWLEDGING:
            for good in [merchant.good] + [good for good, _, _ in merchant.iterate_prices()]:
                if good is not None and good not in self.peer_goods and len(self.peer_goods) < _GOODS_MAX:
                    self.peer_goods += (good,)

    def send(self, merchant: "Merchant") -> None:
        """Give a merchant its id and write it into the ledger. The caller has checked credit() and accepts()."""
        self.sequence += 1
        self.ledger.highest_sequence = max(self.ledger.highest_sequence, self.sequence)
        merchant.id = (self.ledger.incarnation, self.sequence)
        Road.send(self, merchant)
        self.ledger.mark_dirty(self)

    def take(self) -> "Merchant | None":
        """Remove and return the merchant that has waited longest to enter, None if none waits."""
        merchant = Road.take(self)
        if merchant is not None:
            if self._is_from_peer(merchant):
                assert merchant.id is not None
                self.ledger.record_arrival(merchant.id, self.name, self.proven)
            self.ledger.mark_dirty(self)
        return merchant

    def list_returning(self) -> "list[Merchant]":
        """Return the merchants that return to this city and have not entered it yet."""
        return [merchant for merchant in self.inbound if merchant.id is not None and not self._is_from_peer(merchant)]

    def list_kept(self) -> "list[Merchant]":
        """Return the merchants of `outbound` that a checkpoint keeps.

        Merchants sent to a legacy peer are not kept, because a restart must not send them twice.
        """
        return [] if self.peer_state == LEGACY else self.outbound

    def set_peer_state(self, peer_state: int) -> None:
        """Set what is known of the peer: ACKNOWLEDGING or LEGACY."""
        if peer_state != self.peer_state:
            if LEGACY in (peer_state, self.peer_state):  # what a checkpoint keeps of `outbound` changes
                self.require_checkpoint(self.sequence - len(self.outbound))
            self.peer_state = peer_state
            self.type = _TYPES[peer_state]
            self.ledger.mark_dirty(self)

    def acknowledge(self, sequence: int) -> None:
        """Remove the merchants up to this sequence: the peer has saved them."""
        count = len(self.outbound)
        while self.outbound and self.outbound[0].id[1] <= sequence:
            self.outbound.pop(0)
        if len(self.outbound) < count:
            self.ledger.mark_dirty(self)

    def end_probe(self) -> None:
        """Remove the merchant that may have arrived at a peer that does not acknowledge: at most one was ever sent."""
        if self.outbound and self.outbound[0].id[1] <= self.sent_sequence:
            self.outbound.pop(0)

    def reject(self, sequence: int) -> bool:
        """Take a merchant back that the peer rejects; the peer has saved all merchants before it.

        Returns:
            Whether the merchant returns: it was still outbound.
        """
        self.acknowledge(sequence - 1)
        is_outbound = bool(self.outbound) and self.outbound[0].id[1] == sequence
        if is_outbound:
            self.inbound.append(self.outbound[0])  # first, because it may raise MemoryError
            self.outbound.pop(0)
            self.ledger.mark_dirty(self)
        return is_outbound

    def return_unsent(self) -> None:
        """Return the merchants that were never sent, as if they had not left: no connection will carry them."""
        self.require_checkpoint(self.sent_sequence)
        while self.outbound and self.outbound[-1].id[1] > self.sent_sequence:
            self.inbound.append(self.outbound[-1])
            self.outbound.pop()
            self.sequence -= 1
        self.ledger.mark_dirty(self)

    def drop_unadmitted(self) -> None:
        """Drop the peer's merchants that have not entered: the peer sends them again on its next connection."""
        for index in range(len(self.inbound) - 1, -1, -1):  # this loop takes no memory
            if self._is_from_peer(self.inbound[index]):
                self.inbound.pop(index)

    def wake(self) -> None:
        """Wake the connection, if there is one: the road has changed."""
        if self.connection is not None:
            self.connection.wake()

    def _is_from_peer(self, merchant: "Merchant") -> bool:
        return merchant.id is not None and merchant.id[0] != self.ledger.incarnation

    def require_checkpoint(self, sequence: int) -> None:
        """Let the merchants beyond this sequence wait for another checkpoint."""
        self.saved_sequence = min(self.saved_sequence, sequence)
        self.epoch += 1
