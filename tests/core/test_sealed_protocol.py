"""The protocol of a keyed road: when it opens, what fails it, and that nothing else is ever sent."""

import unittest

from core.forgeries import KEY, OTHER_KEY, Dice, forge_lines
from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import ProtocolMisuseError
from deskonomy.wire.codec import encode_merchant
from deskonomy.wire.protocol import (
    FAILED,
    OPEN,
    DataToSend,
    LineRejected,
    MerchantReceived,
    MessageReceived,
    PeerNamed,
    Protocol,
    ProtocolFailed,
    RoadReady,
)
from deskonomy.wire.sealed_protocol import SealedProtocol
from deskonomy.wire.sealing import SEAL_MAX_BYTES, LineSealer

UNPROVEN = "has not proven that it has our key"


def make_protocol(name="RIVERWOOD", key=KEY, line_max=8192, key_of=None):
    """Return a SealedProtocol whose name has just gone out, at 0 ms."""
    made = SealedProtocol(name, 0, line_max, key_of or (lambda peer: key))
    assert made.elapse(0) == [DataToSend(name.encode())]
    return made


def line(money_mills):
    return line_of(Merchant("chair", money_mills))


def seal_line(end, line):
    """Return a line as it is sent."""
    return b"".join(end.send([line[:-1]]))


def take_events(end, data=b"", now_ms=0):
    """Return all events of these bytes; merchants as their money."""
    end.receive(data, now_ms)
    found = end.elapse(now_ms)
    while True:
        event = end.next_event()
        if event is None:
            return found + end.elapse(now_ms)
        found.append(event.merchant.money_mills if isinstance(event, MerchantReceived) else event)


def sent_bytes(found):
    """Return the bytes to send of these events."""
    return b"".join([event.data for event in found if isinstance(event, DataToSend)])


def exchange(here, there, now_ms=200, cut=4096):
    """Let two ends whose names are out exchange lines until both are done. Return each one's events and sent bytes."""
    found = [
        take_events(here, there.name.encode() + b"\n", now_ms),
        take_events(there, here.name.encode() + b"\n", now_ms),
    ]
    sent = [b"", b""]
    at = [0, 0]
    ends = (here, there)
    while True:
        for side in (0, 1):
            sent[side] = sent_bytes(found[side])
        moved = False
        for side in (0, 1):
            piece = sent[1 - side][at[side] : at[side] + cut]
            if piece:
                at[side] += len(piece)
                found[side].extend(take_events(ends[side], piece, now_ms))
                moved = True
        if not moved:
            return found, sent


def make_open(**options):
    """Return two ends with an open road."""
    here, there = make_protocol("RIVERWOOD", **options), make_protocol("SEASIDE", **options)
    exchange(here, there)
    assert here.state == there.state == OPEN
    return here, there


def find_reason(found):
    """Return why the protocol failed."""
    failures = [event for event in found if isinstance(event, ProtocolFailed)]
    assert len(failures) == 1, found
    return failures[0].reason


class TestHandshake(unittest.TestCase):
    def test_road_opens_once_both_have_proven_the_key(self):
        for cut in (1, 7, 4096):
            here, there = make_protocol("RIVERWOOD"), make_protocol("SEASIDE")
            found, sent = exchange(here, there, 200, cut)
            for side, end, peer in ((0, here, "SEASIDE"), (1, there, "RIVERWOOD")):
                events = [event for event in found[side] if not isinstance(event, DataToSend)]
                self.assertEqual(events, [PeerNamed(peer), RoadReady()])
                self.assertTrue(end.is_sealed)
                self.assertEqual(end.peer, peer)
                self.assertEqual(len(sent[side]), 82)  # a newline, a hello, a proof
                self.assertIsNone(end.deadline_ms)

    def test_peer_has_no_name_before_its_proof(self):
        here = make_protocol()
        self.assertEqual(take_events(here, b"SEASIDE\n"), [])
        self.assertIsNone(here.peer)
        there = LineSealer(KEY, "SEASIDE", "RIVERWOOD")
        self.assertEqual(take_events(here, there.make_hello() + b"\n", 100), [])
        hello, proof = here.elapse(200)
        self.assertEqual(hello.data[:10], b'\n["hello",')
        self.assertIsNone(here.peer)
        self.assertRaises(ProtocolMisuseError, here.send, line(5))
        there.accept_hello(hello.data[1:-1])
        there.unseal(proof.data[:-1])
        self.assertEqual(take_events(here, there.seal(b"") + b"\n", 300), [PeerNamed("SEASIDE"), RoadReady()])

    def test_newline_after_bare_name_may_come_late(self):
        here = make_protocol()
        self.assertEqual(take_events(here, b"SEASIDE", 0), [])
        self.assertEqual(len(here.elapse(200)), 1)
        there = LineSealer(KEY, "SEASIDE", "RIVERWOOD")
        found = take_events(here, b"\n" + there.make_hello() + b"\n", 210)
        self.assertEqual((len(found), sent_bytes(found)[:2]), (1, b"0 "))

    def test_hello_in_segment_of_name_is_read(self):
        here = make_protocol()
        there = LineSealer(KEY, "SEASIDE", "RIVERWOOD")
        self.assertEqual(take_events(here, b"SEASIDE" + there.make_hello() + b"\n", 0), [])
        self.assertEqual(len(here.elapse(200)), 2)

    def test_peer_without_key_for_its_name_is_not_sealed(self):
        end = make_protocol(key_of=lambda peer: KEY if peer == "DESKTOWN" else None)
        self.assertEqual(take_events(end, b"SEASIDE\n" + line(5)), [PeerNamed("SEASIDE"), 5])
        self.assertEqual(end.elapse(200), [DataToSend(b"\n")])
        self.assertEqual(end.elapse(1200), [RoadReady()])
        self.assertEqual((seal_line(end, line(7)), end.is_sealed, end.pending_failure), (line(7), False, None))
        end = make_protocol(key_of=lambda peer: KEY if peer == "DESKTOWN" else None)
        self.assertIn(UNPROVEN, find_reason(take_events(end, b"DESKTOWN\n" + line(5))))

    def test_each_peer_may_have_its_own_key(self):
        keys = {"DESKTOWN": OTHER_KEY, "SEASIDE": KEY}
        for name, key in keys.items():
            here, there = make_protocol(key_of=keys.get), make_protocol(name, key=key)
            exchange(here, there)
            self.assertEqual((here.state, there.state), (OPEN, OPEN))

    def test_peer_has_no_name_if_its_key_cannot_be_read(self):
        def fail_to_read(peer):
            raise OSError("no such file")

        end = make_protocol(key_of=fail_to_read)
        end.receive(b"SEASIDE\n", 0)
        self.assertRaises(OSError, end.next_event)
        self.assertIsNone(end.peer)

    def test_peer_with_own_name_fails(self):
        self.assertIn("itself", find_reason(take_events(make_protocol(), b"RIVERWOOD\n")))

    def test_city_without_key_receives_hello_as_message(self):
        here, there = make_protocol(), Protocol("SEASIDE", 0)
        there.elapse(0)
        found, _ = exchange(here, there)
        self.assertEqual([event.fields[0] for event in found[1] if isinstance(event, MessageReceived)], ["hello"])
        self.assertIn(UNPROVEN, find_reason(here.elapse(5200)))


class TestWrongKey(unittest.TestCase):
    def test_both_fail_and_send_nothing_but_their_proofs(self):
        here, there = make_protocol("RIVERWOOD"), make_protocol("SEASIDE", OTHER_KEY)
        found, sent = exchange(here, there)
        for side, end in enumerate((here, there)):
            self.assertIn(UNPROVEN, find_reason(found[side]))
            self.assertEqual(end.state, FAILED)
            self.assertEqual(len(sent[side]), 82)  # as with the right key
            self.assertIsNone(end.peer)

    def test_silence_fails_after_5_s(self):
        here = make_protocol()
        take_events(here, b"SEASIDE\n")
        self.assertEqual(len(here.elapse(200)), 1)
        self.assertEqual(here.elapse(5199), [])
        self.assertIn(UNPROVEN, find_reason(here.elapse(5200)))

    def test_silence_after_hello_fails_after_5_s(self):
        here = make_protocol()
        take_events(here, b"SEASIDE\n" + LineSealer(KEY, "SEASIDE", "RIVERWOOD").make_hello() + b"\n")
        self.assertEqual(len(here.elapse(200)), 2)
        self.assertEqual(here.elapse(5199), [])
        self.assertIn(UNPROVEN, find_reason(here.elapse(5200)))

    def test_pending_failure_is_set_until_proof(self):
        here = make_protocol()
        self.assertIsNone(here.pending_failure)
        take_events(here, b"SEASIDE\n")
        self.assertIn(UNPROVEN, here.pending_failure)
        self.assertIsNone(make_open()[0].pending_failure)

    def test_any_line_instead_of_proof_fails(self):
        for data in (line(5), b"{}\n", b'["ping",1]\n', b"junk\n", b'["hello","00"]\n', b" \n", b"0\n", b"x" * 9000):
            here = make_protocol()
            found = take_events(here, b"SEASIDE\n" + data)
            self.assertIn(UNPROVEN, find_reason(found))
            self.assertEqual((len(found), sent_bytes(found), here.peer), (1, b"", None))
            here = make_protocol()
            take_events(here, b"SEASIDE\n" + LineSealer(KEY, "SEASIDE", "RIVERWOOD").make_hello() + b"\n")
            self.assertEqual(len(here.elapse(200)), 2)
            self.assertEqual(len(take_events(here, data + line(5), 250)), 1)
            self.assertEqual(here.state, FAILED)

    def test_reflected_lines_fail(self):
        here = make_protocol()
        take_events(here, b"SEASIDE\n")
        hello = here.elapse(200)[0].data
        proof = sent_bytes(take_events(here, hello, 210))
        self.assertIn(UNPROVEN, find_reason(take_events(here, proof, 220)))


class TestSealed(unittest.TestCase):
    def test_sealed_merchants_and_messages_are_received(self):
        here, there = make_open()
        for n in range(30):
            self.assertEqual(take_events(there, seal_line(here, line(n))), [n])
            self.assertEqual(
                take_events(here, seal_line(there, b'["ack",1,%d]\n' % n)), [MessageReceived(["ack", 1, n])]
            )
            self.assertEqual(take_events(here, seal_line(there, b"\n")), [])
            self.assertEqual(take_events(here, feed_single_bytes(seal_line(there, line(n)), here)), [n])

    def test_invalid_sealed_line_is_only_rejected(self):
        here, there = make_open()
        for bad in (b"{}\n", b"junk\n", b'{"Money":-1}\n'):
            found = take_events(there, seal_line(here, bad))
            self.assertTrue(len(found) == 1 and isinstance(found[0], LineRejected))
        self.assertEqual(take_events(there, seal_line(here, line(5))), [5])

    def test_line_in_pieces_has_one_seal(self):
        here, there = make_open()
        prices = {}
        for n in range(200):
            prices["CITY %d" % n] = n
        pieces = here.send(encode_merchant(Merchant("chair", 7, prices_mills={"bed": prices})))
        self.assertGreater(len(pieces), 2)
        self.assertEqual([event for piece in pieces for event in take_events(there, piece)], [7])
        self.assertEqual(take_events(there, seal_line(here, line(5))), [5])

    def test_longest_line_is_received(self):
        here, there = make_open(line_max=500)
        self.assertEqual(take_events(there, seal_line(here, b" " * 499 + b"\n")), [])
        self.assertEqual(take_events(there, seal_line(here, b" " * 500 + b"\n")), [])
        self.assertEqual(there.state, OPEN)
        self.assertEqual(
            len(take_events(there, seal_line(here, b" " * (500 + SEAL_MAX_BYTES) + b"\n") + seal_line(here, line(5)))),
            1,
        )
        self.assertEqual(there.state, FAILED)

    def test_nothing_is_received_after_forged_line(self):
        for forge in (
            lambda sealed, before: b"\n" + sealed,
            lambda sealed, before: before + sealed,
            lambda sealed, before: line(5) + sealed,
            lambda sealed, before: sealed.replace(b"9", b"8") + sealed,
            lambda sealed, before: sealed[:-1] + b" \n" + sealed,
            lambda sealed, before: sealed[:-1] + b"\r\n" + sealed,
            lambda sealed, before: b"x" * 10_000 + b"\n" + sealed,
        ):
            here, there = make_open()
            before = seal_line(here, line(1))
            self.assertEqual(take_events(there, before), [1])
            found = take_events(there, forge(seal_line(here, line(999)), before))
            self.assertEqual(find_reason(found), "what came was not as the peer had sealed it")
            self.assertEqual(len(found), 1)
            self.assertEqual(take_events(there, seal_line(here, line(7))), [])

    def test_forged_lines_fail(self):
        """The forgeries of test_sealing.py, read by a protocol."""
        dice = Dice(11)
        for _, attack, data in forge_lines(dice, 300):
            here, there = make_open()
            found = take_events(there, data + b"\n" + seal_line(here, line(5)))
            self.assertEqual([type(event) for event in found], [ProtocolFailed], attack)


def feed_single_bytes(data, end):
    """Feed all bytes but the last, each alone. Return the last."""
    for at in range(len(data) - 1):
        assert take_events(end, data[at : at + 1]) == []
    return data[-1:]
