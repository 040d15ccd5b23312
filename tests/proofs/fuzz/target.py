"""The fuzz target: whatever bytes come, nothing raises, nothing grows beyond its bounds, and the city ticks on.

Here: a single input. Not here: where inputs come from: run.py (guided by coverage), test_target.py (Hypothesis).
"""

from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.wire.protocol import Protocol
from deskonomy.wire.session import Session

LINE_MAX_BYTES = 8192
CAPACITY = 8
STEP_MS = 100  # between two pieces


def feed_city(data: bytes) -> None:
    """Feed these bytes to a city. The first byte is the size of the pieces in which they arrive, minus one."""
    city = City("RIVERWOOD", 1, 3, 2)
    city.ledger = Ledger(1001)
    session = Session(Protocol("RIVERWOOD", 0, LINE_MAX_BYTES), 0, lambda event, text: None)
    road = None
    size = 1 + data[0] if data else 1
    now_ms = 0
    for at in range(0, len(data), size):
        session.advance(now_ms)  # the city sends its name before anything arrives
        session.receive(data[at : at + size], now_ms)
        session.advance(now_ms)
        if session.peer is not None and road is None and session.failure is None:
            road = city.ledger.ensure_road(session.peer, CAPACITY)
            city.open_road(road)
            session.attach_road(road)
            road.send(Merchant("chair", 5))
            session.advance(now_ms)
        while session.next_bytes(now_ms) is not None:
            pass
        now_ms += STEP_MS
        if road is not None and at % 3 == 0:
            city.run(1)
        assert sum(map(len, session.protocol._line or ())) <= LINE_MAX_BYTES
        assert len(session.protocol._data) <= size + 1024
        assert road is None or len(road.inbound) <= CAPACITY + 1
        if session.failure is not None:
            break
    session.end(False)
    city.run(5)
    assert min(city.state) >= 0
