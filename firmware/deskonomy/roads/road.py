"""A road's end, as its city sees it: two short queues, one each way.

Here: what a city needs of any road. Not here: the one inside a process (lane.py), the one over the wire (ledger.py).
Nothing here ever waits: a full road says so, and the merchant stays where it is.
"""

from deskonomy.compat import const

ROOM = const(100)  # merchants that a road holds each way (shared by every city; a board takes fewer)


class Road:
    """One end of a road to the city called `name`.

    kind: "in-process", "ours" or "legacy". state: "up" or "down". sent, received, lost: merchants, counted since the
    road was first opened. refused: merchants and lines that the wire turned away.
    """

    def __init__(self, name, kind="in-process", room=ROOM):
        self.name = name
        self.kind = kind
        self.room = room
        self.state = "up"
        self.outbound = []
        self.inbound = []
        self.sent = 0
        self.received = 0
        self.lost = 0
        self.refused = 0

    def space(self):
        """How many more merchants may set out now."""
        return self.room - len(self.outbound)

    def send(self, merchant):
        """Let a merchant set out. The caller has looked at space()."""
        self.outbound.append(merchant)
        self.sent += 1

    def take(self):
        """The merchant that has waited longest to enter, or None."""
        if not self.inbound:
            return None
        self.received += 1
        return self.inbound.pop(0)

    def turn_back(self):
        """Nobody will carry on those who still wait to set out: they come home, counted as sent and as received."""
        self.inbound.extend(self.outbound)
        del self.outbound[:]

    def status(self):
        """The road's part of a status line."""
        return {
            "state": self.state,
            "kind": self.kind,
            "sent": self.sent,
            "received": self.received,
            "waiting": len(self.outbound),
            "lost": self.lost,
            "refused": self.refused,
        }
