"""What hostile.py holds does no harm: the same verdict on both interpreters, the city lives on, nothing is kept."""

import gc
import unittest

from core.hostile import CORPUS, M
from deskonomy.economy.city import City
from deskonomy.roads.ledger import Ledger
from deskonomy.wire.codec import decode, name
from deskonomy.wire.protocol import Connection
from deskonomy.wire.session import Session

LINE_MAX = 8192


def meet(data, size):
    """A city hears these bytes, so many at a time. Returns (city, road, session)."""
    city = City("RIVERWOOD", 1, 3, 2)
    city.ledger = Ledger(1001)
    session = Session(Connection("RIVERWOOD", 0, LINE_MAX), 0, lambda line: None)
    road = city.ledger.road("SEASIDE", 1000)
    city.open_road(road)
    for now_ms in (0, 200, 1200):
        session.advance(now_ms)
        if now_ms == 0:
            session.receive(b"SEASIDE\n", 0)
            session.advance(0)
            session.carry(road)
        while session.next_bytes(now_ms):
            pass
    for at in range(0, len(data), size):
        if session.broken is None:
            session.receive(data[at : at + size], 1200)
            session.advance(1200)
            while session.next_bytes(1200):
                pass
    return city, road, session


class TestHostile(unittest.TestCase):
    def test_the_same_verdict_whole_and_in_pieces(self):
        for data, let_in, refused, end in CORPUS:
            for size in (1 << 20, 61):
                _, road, session = meet(data, size)
                found = (len(road.inbound), road.refused, session.broken or "")
                self.assertEqual(found[:2], (let_in, refused), "%r: %r" % (data[:80], found))
                self.assertTrue(end in found[2] and bool(end) == bool(found[2]), "%r: %r" % (data[:80], found))

    def test_who_is_let_in_can_live_here(self):
        for data, let_in, _, _ in CORPUS:
            if let_in:
                city, road, _ = meet(data, 1024)
                city.run(let_in + 3)
                self.assertEqual((road.received, road.inbound), (let_in, []))

    def test_what_comes_after_is_let_in(self):
        for data, let_in, _, end in CORPUS:
            if not end:
                start = b"" if data.endswith(b"\n") else b"\n"
                _, road, _ = meet(data + start + M, 1024)
                self.assertEqual(len(road.inbound), let_in + 1 + len(start), data[:80])

    def test_a_refused_line_of_ours_counts_as_come(self):
        _, road, _ = meet(M.replace(b'"Mills":7', b'"Mills":-7,"Id":[2002,5]'), 1024)
        self.assertEqual((road.refused, road.ledger.last_of(2002, "SEASIDE")), (1, 5))

    def test_characters_that_nobody_has_seen_leave_nothing_behind(self):
        """MicroPython makes a name of a character that is looked at by itself, and keeps it: 50 KB of these."""
        used = []
        for code in range(0x4E00, 0x5800):
            char = bytes([0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63])
            for text in (char, b"\\u%04x" % code):
                decode(M.replace(b'"bed"', b'"%s"' % text))
            name(char)
            if hasattr(gc, "mem_alloc") and code & 0xFF == 0:
                gc.collect()
                used.append(gc.mem_alloc())
        if used:
            self.assertLess(used[-1] - used[1], 10_000)


if __name__ == "__main__":
    unittest.main()
