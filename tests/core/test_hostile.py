"""Hostile input does no harm: both interpreters agree on it, the city goes on, and no memory is lost."""

import gc
import unittest

from core.hostile import CORPUS, VALID_LINE
from deskonomy.economy.city import City
from deskonomy.roads.ledger import Ledger
from deskonomy.wire.codec import decode_merchant, decode_name
from deskonomy.wire.protocol import Protocol
from deskonomy.wire.session import Session

LINE_MAX = 8192


def receive(data, size):
    """Let a city receive bytes, so many at a time. Returns (city, road, session)."""
    city = City("RIVERWOOD", 1, 3, 2)
    city.ledger = Ledger(1001)
    session = Session(Protocol("RIVERWOOD", 0, LINE_MAX), 0, lambda event, text: None)
    road = city.ledger.ensure_road("SEASIDE", 1000)
    city.open_road(road)
    for now_ms in (0, 200, 1200):
        session.advance(now_ms)
        if now_ms == 0:
            session.receive(b"SEASIDE\n", 0)
            session.advance(0)
            session.attach_road(road)
        while session.next_bytes(now_ms):
            pass
    for at in range(0, len(data), size):
        if session.failure is None:
            session.receive(data[at : at + size], 1200)
            session.advance(1200)
            while session.next_bytes(1200):
                pass
    return city, road, session


class TestHostile(unittest.TestCase):
    def test_input_has_the_same_effect_whole_and_in_pieces(self):
        for data, accepted, rejected, end in CORPUS:
            for size in (1 << 20, 61):
                _, road, session = receive(data, size)
                found = (len(road.inbound), road.rejected, session.failure or "")
                self.assertEqual(found[:2], (accepted, rejected), "%r: %r" % (data[:80], found))
                self.assertTrue(end in found[2] and bool(end) == bool(found[2]), "%r: %r" % (data[:80], found))

    def test_accepted_merchants_can_enter(self):
        for data, accepted, _, _ in CORPUS:
            if accepted:
                city, road, _ = receive(data, 1024)
                city.run(accepted + 3)
                self.assertEqual((road.received, road.inbound), (accepted, []))

    def test_merchant_after_hostile_input_is_accepted(self):
        for data, accepted, _, end in CORPUS:
            if not end:
                start = b"" if data.endswith(b"\n") else b"\n"
                _, road, _ = receive(data + start + VALID_LINE, 1024)
                self.assertEqual(len(road.inbound), accepted + 1 + len(start), data[:80])

    def test_rejected_merchant_with_id_is_recorded_as_arrival(self):
        _, road, _ = receive(VALID_LINE.replace(b'"Mills":7', b'"Mills":-7,"Id":[2002,5]'), 1024)
        self.assertEqual((road.rejected, road.ledger.find_last_sequence(2002, "SEASIDE")), (1, 5))

    def test_new_characters_leave_nothing_in_memory(self):
        """MicroPython interns a character of a str that is indexed, and keeps it: these would be 50 KB."""
        used = []
        for code in range(0x4E00, 0x5800):
            char = bytes([0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63])
            for text in (char, b"\\u%04x" % code):
                decode_merchant(VALID_LINE.replace(b'"bed"', b'"%s"' % text))
            decode_name(char)
            if hasattr(gc, "mem_alloc") and code & 0xFF == 0:
                gc.collect()
                used.append(gc.mem_alloc())
        if used:
            self.assertLess(used[-1] - used[1], 10_000)


if __name__ == "__main__":
    unittest.main()
