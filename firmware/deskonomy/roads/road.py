"""One end of a road, as its city sees it: two short queues, one for each direction.

Here: what a city needs of any road. Not here: roads inside one process (roads/local.py), roads over the wire
(roads/wire_road.py). Nothing here ever waits: a full road has no credit, and the merchant stays in its city.
"""

from deskonomy.compat import TYPE_CHECKING, const

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from deskonomy.economy.merchant import Merchant

    class Observer(Protocol):
        """Counts the merchants of a road."""

        def count_sent(self, merchant: Merchant) -> None:
            """Count a merchant that leaves its city by this road."""

        def count_received(self, merchant: Merchant) -> None:
            """Count a merchant that enters its city by this road."""


CAPACITY = const(100)  # merchants that a road holds each way: all that live in a large city; a board has memory for 4


class Road:
    """One end of a road.

    Attributes:
        name: the name of the city at the other end.
        type: "in-process", "ours" (over the wire to a city of this project) or "legacy" (to any other).
        capacity: merchants that the road holds each way.
        state: "up" or "down".
        outbound: merchants that leave.
        inbound: merchants that wait to enter.
        sent, received, lost: merchants, counted since the road was first opened.
        rejected: merchants and lines that this city has rejected.
        observer: the Observer that send() and take() call for each merchant, None for none.
        gate: function of the road, whether the merchant that has waited longest may enter now; None for always.
    """

    gate: "Callable[[Road], bool] | None" = None

    def __init__(self, name: str, type: str = "in-process", capacity: int = CAPACITY) -> None:
        self.name = name
        self.type = type
        self.capacity = capacity
        self.state = "up"
        self.outbound: list[Merchant] = []
        self.inbound: list[Merchant] = []
        self.sent = 0
        self.received = 0
        self.lost = 0
        self.rejected = 0
        self.observer: Observer | None = None

    def credit(self) -> int:
        """Return how many more merchants may leave now."""
        return self.capacity - len(self.outbound)

    def accepts(self, good: "str | None") -> bool:
        """Return whether merchants that trade this good may leave by this road."""
        return True

    def send(self, merchant: "Merchant") -> None:
        """Let a merchant leave. The caller has checked credit() and accepts()."""
        self.outbound.append(merchant)
        self.sent += 1
        if self.observer is not None:
            self.observer.count_sent(merchant)

    def take(self) -> "Merchant | None":
        """Remove and return the merchant that has waited longest to enter, None if none waits."""
        if not self.inbound or (self.gate is not None and not self.gate(self)):
            return None
        self.received += 1
        merchant = self.inbound.pop(0)
        if self.observer is not None:
            self.observer.count_received(merchant)
        return merchant

    def return_unsent(self) -> None:
        """Return the merchants that wait to leave: they count as sent and as received."""
        self.inbound.extend(self.outbound)
        del self.outbound[:]

    def status(self) -> "dict[str, str | int]":
        """Return the road's part of a status line."""
        return {
            "state": self.state,
            "kind": self.type,
            "sent": self.sent,
            "received": self.received,
            "waiting": len(self.outbound),
            "waiting_to_enter": len(self.inbound),
            "lost": self.lost,
            "refused": self.rejected,
        }
