"""The receiving side of a session: merchants in order, and the answers that they get.

Here: merchants that a peer sends over one connection, those that are rejected, and the acknowledgements. Not here:
when a line is sent (wire/session.py), what makes a line invalid (wire/codec.py), the memory of all arrivals
(roads/ledger.py).

Both ends first announce their window, how many merchants they take before they save them (the message "room"). A peer
that knows the window never sends more, so even a full city reads on: else the acknowledgements that let its merchants
go would lie behind the peer's merchants, and the peer's acknowledgements behind its own.

The first merchant with an id is answered at once, with what is saved so far: a slow checkpoint must not make a peer
look like one that never acknowledges. Only faults of a line itself may reject a merchant, so that it is rejected
whenever it is sent again.
"""

from deskonomy.compat import TYPE_CHECKING, const

if TYPE_CHECKING:
    from deskonomy.economy.merchant import Merchant
    from deskonomy.roads.wire_road import WireRoad

_REJECTIONS_MAX = const(8)  # that wait for their answer; reading pauses at this number


class Inbound:
    """What has come from the peer on one connection.

    Attributes:
        incarnation: the peer's incarnation, None until a merchant with an id has come.
        window_sent: whether the peer was sent this city's window: how many merchants it takes before it saves them.
        missing: the sequence that should have come in place of the first one, None if that was in order.
    """

    def __init__(self, road: "WireRoad") -> None:
        self.incarnation: int | None = None
        self.window_sent = False
        self.missing: int | None = None
        self._road = road
        self._sequence = 0  # of the last merchant that came
        self._answered = -1  # the last sequence that was acknowledged or rejected; -1 before the first answer
        self._rejections: list[tuple[int, str]] = []  # (sequence, reason) of rejected merchants without an answer

    def is_full(self) -> bool:
        """Return whether to stop reading.

        Merchants returning home do not count against the peer's window. A peer that knows our window never exceeds it;
        from any other peer at most one merchant more is accepted before reading stops.
        """
        road = self._road
        if len(self._rejections) >= _REJECTIONS_MAX or self.missing is not None:
            return True
        if len(road.inbound) < road.capacity:
            return False
        return len(road.inbound) - len(road.list_returning()) >= road.capacity + self.window_sent

    def is_numbered(self, id: "tuple[int, int] | None") -> bool:
        """Return whether an id is the peer's own; legacy peers pass on the ids of other cities."""
        return id is not None and self._road.ledger.find_last_sequence(id[0], self._road.name) is not None

    def receive(self, merchant: "Merchant") -> "str | None":
        """Let a merchant wait to enter, unless it has entered before.

        Returns:
            Why the connection has to end, None if it need not.
        """
        if self.is_numbered(merchant.id):
            assert merchant.id is not None
            failure = self._check_order(merchant.id)
            if failure is not None or self.missing is not None or merchant.id[1] <= self._find_last_sequence():
                return failure
        else:
            merchant.id = None
        self._road.inbound.append(merchant)
        return None

    def reject(self, id: "tuple[int, int] | None", reason: str) -> "str | None":
        """Reject a line; id: the merchant on it, None if unknown. Returns as receive()."""
        if not self.is_numbered(id):
            return None
        assert id is not None
        failure = self._check_order(id)
        if failure is None and self.missing is None:
            self._rejections.append((id[1], reason))
        return failure

    def record_rejections(self) -> None:
        """Record rejected merchants in the ledger, once every merchant before them has entered."""
        road = self._road
        for sequence, _ in self._rejections:
            assert self.incarnation is not None  # rejections have ids
            for merchant in road.inbound:
                if merchant.id is not None and merchant.id[0] == self.incarnation:
                    if merchant.id[1] < sequence:
                        return
                    break
            if sequence > self._find_last_sequence():
                road.ledger.record_arrival((self.incarnation, sequence), road.name, road.proven)
                road.ledger.mark_dirty(road)

    def next_answer(self) -> "tuple[str | int, ...] | None":
        """Return the next rejection or acknowledgement that a checkpoint permits, None if there is none."""
        if self.incarnation is None:
            return None
        if self.missing is not None:
            return "missing", self.incarnation, self.missing
        saved = min(self._road.ledger.find_saved_sequence(self.incarnation), self._sequence)
        if self._rejections:
            sequence, reason = self._rejections[0]
            if sequence <= saved:
                self._rejections.pop(0)
                self._answered = sequence
                return "refuse", self.incarnation, sequence, reason
            saved = min(saved, sequence - 1)
        if saved <= self._answered:
            return None
        self._answered = saved
        return "ack", self.incarnation, saved

    def _check_order(self, id: "tuple[int, int]") -> "str | None":
        """Note the id of a merchant. Return why the connection has to end if it is not the next."""
        if self.incarnation is None:
            road = self._road
            last = road.ledger.find_last_sequence(id[0], road.name)
            if last:
                if id[1] > last + 1:
                    self.missing = last + 1
            elif not road.ledger.has_place(road.name, road.proven):
                return "this city remembers as many cities as it can"
            self.incarnation = id[0]
        elif id[0] != self.incarnation or id[1] != self._sequence + 1:
            return "a merchant is missing before number %d" % id[1]
        self._sequence = id[1]
        return None

    def _find_last_sequence(self) -> int:
        """Return the sequence of the peer's last merchant that entered or was rejected."""
        assert self.incarnation is not None
        return self._road.ledger.find_last_sequence(self.incarnation, self._road.name) or 0
