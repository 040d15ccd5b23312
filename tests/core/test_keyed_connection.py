"""Connections between cities with a key: when they open, what ends them, and that nothing else is ever said."""

import unittest

from core.forgeries import KEY, OTHER_KEY, Dice, forged
from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import ProtocolMisuseError
from deskonomy.wire.codec import encode
from deskonomy.wire.protocol import BROKEN, OPEN, Arrived, Broken, Connection, Message, Named, Ready, Refusal, Send
from deskonomy.wire.sealed_protocol import KeyedConnection
from deskonomy.wire.sealing import LINE_MORE, Keyed

UNPROVEN = "has not proven that it has our key"


def connection(name="RIVERWOOD", key=KEY, line_max=8192, key_of=None):
    """A connection whose name has just gone out, at 0 ms."""
    made = KeyedConnection(name, 0, line_max, key_of or (lambda peer: key))
    assert made.elapse(0) == [Send(name.encode())]
    return made


def line(money_mills):
    return line_of(Merchant("chair", money_mills))


def send(end, line):
    """A line as it goes out there."""
    return b"".join(end.send([line[:-1]]))


def events(end, data=b"", now_ms=0):
    """All that this brings; merchants as their money."""
    end.receive(data, now_ms)
    found = end.elapse(now_ms)
    while True:
        event = end.next_event()
        if event is None:
            return found + end.elapse(now_ms)
        found.append(event.merchant.money_mills if isinstance(event, Arrived) else event)


def sent(found):
    return b"".join([event.data for event in found if isinstance(event, Send)])


def talk(one, other, now_ms=200, cut=4096):
    """Let two ends whose names are out talk until neither has more to say; what each had: events, and bytes sent."""
    found = [events(one, other.name.encode() + b"\n", now_ms), events(other, one.name.encode() + b"\n", now_ms)]
    said = [b"", b""]
    at = [0, 0]
    ends = (one, other)
    while True:
        for side in (0, 1):
            said[side] = sent(found[side])
        moved = False
        for side in (0, 1):
            piece = said[1 - side][at[side] : at[side] + cut]
            if piece:
                at[side] += len(piece)
                found[side].extend(events(ends[side], piece, now_ms))
                moved = True
        if not moved:
            return found, said


def opened(**options):
    """Two ends between which a road is open."""
    one, other = connection("RIVERWOOD", **options), connection("SEASIDE", **options)
    talk(one, other)
    assert one.state == other.state == OPEN
    return one, other


def reason(found):
    broken = [event for event in found if isinstance(event, Broken)]
    assert len(broken) == 1, found
    return broken[0].reason


class TestHandshake(unittest.TestCase):
    def test_it_opens_as_soon_as_both_have_proven(self):
        for cut in (1, 7, 4096):
            one, other = connection("RIVERWOOD"), connection("SEASIDE")
            found, said = talk(one, other, 200, cut)
            for side, end, peer in ((0, one, "SEASIDE"), (1, other, "RIVERWOOD")):
                its, words = found[side], said[side]
                self.assertEqual([event for event in its if not isinstance(event, Send)], [Named(peer), Ready()])
                self.assertTrue(end.sealed)
                self.assertEqual(end.peer, peer)
                self.assertEqual(len(words), 82)  # a newline, a hello, a proof
                self.assertIsNone(end.deadline_ms)

    def test_nobody_is_named_before_the_proof(self):
        one = connection()
        self.assertEqual(events(one, b"SEASIDE\n"), [])
        self.assertIsNone(one.peer)
        there = Keyed(KEY, "SEASIDE", "RIVERWOOD")
        self.assertEqual(events(one, there.hello() + b"\n", 100), [])
        hello, proof = one.elapse(200)
        self.assertEqual(hello.data[:10], b'\n["hello",')
        self.assertIsNone(one.peer)
        self.assertRaises(ProtocolMisuseError, one.send, line(5))
        there.meet(hello.data[1:-1])
        there.open(proof.data[:-1])
        self.assertEqual(events(one, there.seal(b"") + b"\n", 300), [Named("SEASIDE"), Ready()])

    def test_a_bare_name_whose_newline_comes_late(self):
        one = connection()
        self.assertEqual(events(one, b"SEASIDE", 0), [])
        self.assertEqual(len(one.elapse(200)), 1)
        there = Keyed(KEY, "SEASIDE", "RIVERWOOD")
        found = events(one, b"\n" + there.hello() + b"\n", 210)
        self.assertEqual((len(found), sent(found)[:2]), (1, b"0 "))

    def test_a_hello_in_the_segment_of_the_name(self):
        one = connection()
        there = Keyed(KEY, "SEASIDE", "RIVERWOOD")
        self.assertEqual(events(one, b"SEASIDE" + there.hello() + b"\n", 0), [])
        self.assertEqual(len(one.elapse(200)), 2)

    def test_without_a_key_for_its_name_a_peer_is_as_any(self):
        end = connection(key_of=lambda peer: KEY if peer == "DESKTOWN" else None)
        self.assertEqual(events(end, b"SEASIDE\n" + line(5)), [Named("SEASIDE"), 5])
        self.assertEqual(end.elapse(200), [Send(b"\n")])
        self.assertEqual(end.elapse(1200), [Ready()])
        self.assertEqual((send(end, line(7)), end.sealed, end.excuse), (line(7), False, None))
        end = connection(key_of=lambda peer: KEY if peer == "DESKTOWN" else None)
        self.assertIn(UNPROVEN, reason(events(end, b"DESKTOWN\n" + line(5))))

    def test_each_peer_has_its_own_key(self):
        keys = {"DESKTOWN": OTHER_KEY, "SEASIDE": KEY}
        for name, key in keys.items():
            one, other = connection(key_of=keys.get), connection(name, key=key)
            talk(one, other)
            self.assertEqual((one.state, other.state), (OPEN, OPEN))

    def test_who_cannot_tell_the_key_names_nobody(self):
        def broken(peer):
            raise OSError("no such file")

        end = connection(key_of=broken)
        end.receive(b"SEASIDE\n", 0)
        self.assertRaises(OSError, end.next_event)
        self.assertIsNone(end.peer)

    def test_its_own_name(self):
        self.assertIn("itself", reason(events(connection(), b"RIVERWOOD\n")))

    def test_a_city_without_a_key_hears_that_one_is_wanted(self):
        one, other = connection(), Connection("SEASIDE", 0)
        other.elapse(0)
        found, _ = talk(one, other)
        self.assertEqual([event.words[0] for event in found[1] if isinstance(event, Message)], ["hello"])
        self.assertIn(UNPROVEN, reason(one.elapse(5200)))


class TestTheWrongKey(unittest.TestCase):
    def test_both_say_so_and_neither_says_more(self):
        one, other = connection("RIVERWOOD"), connection("SEASIDE", OTHER_KEY)
        found, said = talk(one, other)
        for side, end in enumerate((one, other)):
            self.assertIn(UNPROVEN, reason(found[side]))
            self.assertEqual(end.state, BROKEN)
            self.assertEqual(len(said[side]), 82)  # what one with the right key says
            self.assertIsNone(end.peer)

    def test_silence(self):
        one = connection()
        events(one, b"SEASIDE\n")
        self.assertEqual(len(one.elapse(200)), 1)
        self.assertEqual(one.elapse(5199), [])
        self.assertIn(UNPROVEN, reason(one.elapse(5200)))

    def test_a_hello_and_then_silence(self):
        one = connection()
        events(one, b"SEASIDE\n" + Keyed(KEY, "SEASIDE", "RIVERWOOD").hello() + b"\n")
        self.assertEqual(len(one.elapse(200)), 2)
        self.assertEqual(one.elapse(5199), [])
        self.assertIn(UNPROVEN, reason(one.elapse(5200)))

    def test_a_peer_that_goes(self):
        one = connection()
        self.assertIsNone(one.excuse)
        events(one, b"SEASIDE\n")
        self.assertIn(UNPROVEN, one.excuse)
        self.assertIsNone(opened()[0].excuse)

    def test_whatever_comes_in_place_of_a_proof(self):
        for words in (line(5), b"{}\n", b'["ping",1]\n', b"junk\n", b'["hello","00"]\n', b" \n", b"0\n", b"x" * 9000):
            one = connection()
            found = events(one, b"SEASIDE\n" + words)
            self.assertIn(UNPROVEN, reason(found))
            self.assertEqual((len(found), sent(found), one.peer), (1, b"", None))
            one = connection()
            events(one, b"SEASIDE\n" + Keyed(KEY, "SEASIDE", "RIVERWOOD").hello() + b"\n")
            self.assertEqual(len(one.elapse(200)), 2)
            self.assertEqual(len(events(one, words + line(5), 250)), 1)
            self.assertEqual(one.state, BROKEN)

    def test_a_mirror(self):
        one = connection()
        events(one, b"SEASIDE\n")
        hello = one.elapse(200)[0].data
        proof = sent(events(one, hello, 210))
        self.assertIn(UNPROVEN, reason(events(one, proof, 220)))


class TestSealed(unittest.TestCase):
    def test_merchants_and_messages(self):
        one, other = opened()
        for n in range(30):
            self.assertEqual(events(other, send(one, line(n))), [n])
            self.assertEqual(events(one, send(other, b'["ack",1,%d]\n' % n)), [Message(["ack", 1, n])])
            self.assertEqual(events(one, send(other, b"\n")), [])
            self.assertEqual(events(one, one_by_one(send(other, line(n)), one)), [n])

    def test_a_sealed_line_that_is_no_good_is_only_refused(self):
        one, other = opened()
        for bad in (b"{}\n", b"junk\n", b'{"Money":-1}\n'):
            found = events(other, send(one, bad))
            self.assertTrue(len(found) == 1 and isinstance(found[0], Refusal))
        self.assertEqual(events(other, send(one, line(5))), [5])

    def test_a_line_in_pieces_has_one_seal(self):
        one, other = opened()
        prices = {}
        for n in range(200):
            prices["CITY %d" % n] = n
        pieces = one.send(encode(Merchant("chair", 7, prices_mills={"bed": prices})))
        self.assertGreater(len(pieces), 2)
        self.assertEqual([event for piece in pieces for event in events(other, piece)], [7])
        self.assertEqual(events(other, send(one, line(5))), [5])

    def test_the_longest_line(self):
        one, other = opened(line_max=500)
        self.assertEqual(events(other, send(one, b" " * 499 + b"\n")), [])
        self.assertEqual(events(other, send(one, b" " * 500 + b"\n")), [])
        self.assertEqual(other.state, OPEN)
        self.assertEqual(len(events(other, send(one, b" " * (500 + LINE_MORE) + b"\n") + send(one, line(5)))), 1)
        self.assertEqual(other.state, BROKEN)

    def test_after_one_forged_line_nothing_is_taken(self):
        for forge in (
            lambda sealed, before: b"\n" + sealed,
            lambda sealed, before: before + sealed,
            lambda sealed, before: line(5) + sealed,
            lambda sealed, before: sealed.replace(b"9", b"8") + sealed,
            lambda sealed, before: sealed[:-1] + b" \n" + sealed,
            lambda sealed, before: sealed[:-1] + b"\r\n" + sealed,
            lambda sealed, before: b"x" * 10_000 + b"\n" + sealed,
        ):
            one, other = opened()
            before = send(one, line(1))
            self.assertEqual(events(other, before), [1])
            found = events(other, forge(send(one, line(999)), before))
            self.assertEqual(reason(found), "what came was not as the peer had sealed it")
            self.assertEqual(len(found), 1)
            self.assertEqual(events(other, send(one, line(7))), [])

    def test_nothing_forged_comes_in(self):
        """The same forgeries as in test_keyed.py, through all that a connection makes of bytes."""
        dice = Dice(11)
        for _, kind, words in forged(dice, 300):
            one, other = opened()
            found = events(other, words + b"\n" + send(one, line(5)))
            self.assertEqual([type(event) for event in found], [Broken], kind)


def one_by_one(data, end):
    """Feed all but the last byte alone; the last is left to the caller."""
    for at in range(len(data) - 1):
        assert events(end, data[at : at + 1]) == []
    return data[-1:]
