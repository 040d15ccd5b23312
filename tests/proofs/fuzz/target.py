"""What is fuzzed: whatever bytes come, nothing raises, nothing grows beyond its bounds, and the city lives on.

Here: one input. Not here: where inputs come from: run.py (guided by coverage), test_target.py (Hypothesis).
"""

from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.wire.protocol import Connection
from deskonomy.wire.session import Session

LINE_MAX = 8192
ROOM = 8


def one_input(data):
    """Feed these bytes to a city: the first byte says in which pieces, and how often somebody enters meanwhile."""
    city = City("RIVERWOOD", 1, 3, 2)
    city.ledger = Ledger(1001)
    session = Session(Connection("RIVERWOOD", 0, LINE_MAX), 0, lambda line: None)
    road = None
    size = 1 + data[0] if data else 1
    now_ms = 0
    for at in range(0, len(data), size):
        session.advance(now_ms)  # its name goes out before anything comes
        session.receive(data[at : at + size], now_ms)
        session.advance(now_ms)
        if session.peer is not None and road is None and session.broken is None:
            road = city.ledger.road(session.peer, ROOM)
            city.open_road(road)
            session.carry(road)
            road.send(Merchant("chair", 5))
            session.advance(now_ms)
        while session.next_bytes(now_ms) is not None:
            pass
        now_ms += 100
        if road is not None and at % 3 == 0:
            city.run(1)
        assert (
            sum(map(len, session.connection._line or ())) <= LINE_MAX and len(session.connection._data) <= size + 1024
        )
        assert road is None or len(road.inbound) <= ROOM + 1
        if session.broken is not None:
            break
    session.end(False)
    city.run(5)
    assert min(city.words) >= 0
