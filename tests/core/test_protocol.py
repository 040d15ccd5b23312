"""The wire protocol without sockets: the events that bytes and time bring."""

import unittest

from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import ProtocolMisuseError
from deskonomy.wire import protocol
from deskonomy.wire.codec import encode_merchant
from deskonomy.wire.protocol import (
    DataToSend,
    LineRejected,
    MerchantReceived,
    MessageReceived,
    PeerNamed,
    Protocol,
    ProtocolFailed,
    RoadReady,
)


def line(money_mills):
    return line_of(Merchant("chair", money_mills, prices_mills={"bed": {"SEASIDE": 2500}}))


def make_naming(now_ms=0, **options):
    """Return a Protocol whose name has just gone out."""
    end = Protocol("RIVERWOOD", now_ms, **options)
    end.elapse(now_ms)
    return end


def make_named(**options):
    """Return a Protocol that knows its peer."""
    end = make_naming(**options)
    end.receive(b"SEASIDE\n", 0)
    assert end.next_event() == PeerNamed("SEASIDE")
    return end


def take_events(end):
    """Return all events of the bytes so far; merchants as their money."""
    found = []
    while True:
        event = end.next_event()
        if event is None:
            return found
        found.append(event.merchant.money_mills if isinstance(event, MerchantReceived) else event)


def feed(end, data, now_ms=0):
    """Return all events of these bytes."""
    end.receive(data, now_ms)
    return take_events(end)


class TestHandshake(unittest.TestCase):
    def test_name_newline_and_pause_come_before_road_is_ready(self):
        end = Protocol("RIVERWOOD", 1000)
        self.assertEqual(end.deadline_ms, 1000)
        self.assertEqual(end.elapse(1000), [DataToSend(b"RIVERWOOD")])
        self.assertEqual(end.elapse(1000), [])
        self.assertEqual(feed(end, b"SEASIDE\n", 1050), [PeerNamed("SEASIDE")])
        self.assertEqual(end.deadline_ms, 1200)
        self.assertEqual(end.elapse(1199), [])
        self.assertEqual(end.elapse(1230), [DataToSend(b"\n")])
        self.assertEqual(end.deadline_ms, 2230)
        self.assertRaises(ProtocolMisuseError, end.send, encode_merchant(Merchant("bed")))
        self.assertEqual(end.elapse(2230), [RoadReady()])
        self.assertIsNone(end.deadline_ms)
        self.assertEqual(end.send(encode_merchant(Merchant("bed"))), [line_of(Merchant("bed"))])

    def test_newline_waits_for_peers_name(self):
        end = make_naming()
        self.assertEqual(end.elapse(3000), [])
        self.assertEqual(feed(end, b"SEASIDE", 3000), [])
        self.assertEqual(end.elapse(3199), [])
        self.assertEqual(end.elapse(3200), [PeerNamed("SEASIDE"), DataToSend(b"\n")])

    def test_bare_name_ends_with_silence(self):
        end = make_naming()
        self.assertEqual(feed(end, b"SEA", 10), [])
        self.assertEqual(feed(end, b"SIDE", 150), [])
        self.assertEqual(end.elapse(349), [])
        self.assertEqual(end.elapse(350), [PeerNamed("SEASIDE"), DataToSend(b"\n")])
        self.assertEqual(feed(end, b"\n" + line(5), 360), [5])

    def test_lines_after_name_in_one_segment_are_read(self):
        for between in (b"", b"\n", b"\r\n", b" \n\n"):
            end = make_naming()
            self.assertEqual(feed(end, b"SEASIDE" + between + line(5) + line(6)), [PeerNamed("SEASIDE"), 5, 6])
        self.assertEqual(
            feed(make_naming(), b'SEASIDE["ping",1]\n'), [PeerNamed("SEASIDE"), MessageReceived(["ping", 1])]
        )

    def test_every_split_gives_the_same_events(self):
        for name in (b"SEASIDE\n", b"SEASIDE\r\n", b"SEASIDE", "ÅRHUS".encode()):
            stream = name + line(5) + b"\n" + b'["ack",1,2]\n' + line(1_000_000) + b"junk\n" + line(7)[:-1]
            whole = feed(make_naming(), stream)
            self.assertEqual(len(whole), 5)
            for cut in range(1, len(stream)):
                end = make_naming()
                self.assertEqual(feed(end, stream[:cut], 1) + feed(end, stream[cut:], 2), whole, cut)
            end = make_naming()
            found = []
            for at in range(len(stream)):
                found += feed(end, stream[at : at + 1], at // 10)
            self.assertEqual(found, whole)

    def test_web_client_is_no_city_however_its_request_is_cut(self):
        merchant = line(1_000_000_000)
        for start in (b"POST / HTTP/1.1\r\n", b"GET /[ HTTP/1.1\r\n", b"GET /?{ HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n"):
            data = start + b"Content-Type: text/plain\r\n\r\n\n" + merchant
            for cut in (len(data), len(start), len(start) - 2):
                end = make_naming()
                found = feed(end, data[:cut]) + end.elapse(300) + feed(end, data[cut:], 300) + end.elapse(600)
                self.assertEqual(found, [ProtocolFailed(protocol.HTTP)], (start, cut))
        self.assertEqual(feed(make_naming(), b"GET /" + b"x" * 2000), [ProtocolFailed(protocol.HTTP)])

    def test_tls_client_is_no_city(self):
        end = make_naming()
        (event,) = feed(end, b"\x16\x03\x01\x02\x00\x01\n")
        self.assertTrue(isinstance(event, ProtocolFailed) and "invalid" in event.reason)

    def test_connection_fails_after_5_s_without_name(self):
        end = make_naming()
        self.assertEqual(end.elapse(4999), [])
        self.assertEqual(end.elapse(5000), [ProtocolFailed("it sent no name within 5 s")])
        self.assertEqual(feed(end, b"SEASIDE\n", 5001), [])
        self.assertIsNone(end.deadline_ms)

    def test_connection_fails_if_name_does_not_end_within_5_s(self):
        end = make_naming()
        for now_ms in range(0, 5000, 100):
            self.assertEqual(feed(end, b"x", now_ms), [])
            self.assertEqual(end.elapse(now_ms), [])
        self.assertEqual(end.elapse(5000), [ProtocolFailed("it sent no name within 5 s")])

    def test_connection_fails_if_name_is_longer_than_1024_bytes(self):
        end = make_naming()
        self.assertEqual(feed(end, b"x" * 1024), [])
        self.assertEqual(feed(end, b"x"), [ProtocolFailed("its name does not end within 1024 bytes")])
        self.assertEqual(
            feed(make_naming(), b"x" * 2000 + b"\n"), [ProtocolFailed("its name does not end within 1024 bytes")]
        )

    def test_invalid_name_fails_connection(self):
        for name in (b"\n", b" \r\n", line(5), b"x" * 65 + b"\n", b"\xff\n", b"a\x00b\n", b'"SEASIDE"\n'):
            found = feed(make_naming(), name + line(5))
            self.assertEqual(len(found), 1, name)
            self.assertTrue(isinstance(found[0], ProtocolFailed), name)

    def test_two_cities_of_this_project_open_a_road(self):
        river, sea = Protocol("RIVERWOOD", 0), Protocol("SEASIDE", 0)
        found = {river: river.elapse(0), sea: sea.elapse(0)}
        found[river] += feed(river, b"SEASIDE", 0)
        found[sea] += feed(sea, b"RIVERWOOD", 0)
        for now_ms in range(0, 1500, 10):
            for sender, receiver in ((river, sea), (sea, river)):
                for event in sender.elapse(now_ms):
                    found[sender].append(event)
                    if isinstance(event, DataToSend):
                        found[receiver] += feed(receiver, event.data, now_ms)
        ending = [DataToSend(b"\n"), RoadReady()]
        self.assertEqual(found[river], [DataToSend(b"RIVERWOOD"), PeerNamed("SEASIDE")] + ending)
        self.assertEqual(found[sea], [DataToSend(b"SEASIDE"), PeerNamed("RIVERWOOD")] + ending)
        self.assertEqual(feed(sea, river.send(encode_merchant(Merchant("bed", 7)))[0], 1500), [7])

    def test_misuse_raises_protocol_misuse_error(self):
        for name in ("", "x" * 65, "a\n", "a{", "[", '"'):
            self.assertRaises(ProtocolMisuseError, Protocol, name, 0)
        self.assertRaises(ProtocolMisuseError, Protocol("RIVERWOOD", 0).receive, b"SEASIDE", 0)


class TestLines(unittest.TestCase):
    def test_lines_are_merchants_messages_or_blank(self):
        data = b"\n \r\n" + line(5) + b'\t["ack", 7, 8]\r\n' + b"\n" + line(6)
        self.assertEqual(feed(make_named(), data), [5, MessageReceived(["ack", 7, 8]), 6])

    def test_other_line_is_rejected_and_next_line_is_read(self):
        for bad in (
            b"5",
            b"null",
            b'"x"',
            b"hello",
            b"\x00\xff",
            b"}",
            b"{",
            b"[",
            b"{}",
            b"[]",
            b"[[1]]",
            b'{"ack":5}',
        ):
            found = feed(make_named(), bad + b"\n" + line(5))
            self.assertEqual(len(found), 2, bad)
            self.assertTrue(isinstance(found[0], LineRejected), bad)
            self.assertEqual(found[1], 5)

    def test_partial_line_is_no_merchant(self):
        end = make_named()
        self.assertEqual(feed(end, line(5)[:-1]), [])
        self.assertEqual(end.elapse(100_000), [DataToSend(b"\n")])
        self.assertEqual(feed(end, b"\n", 100_000), [5])

    def test_line_that_is_too_long_is_skipped_to_its_end(self):
        long = line(5)
        size = len(long) - 1
        self.assertEqual(feed(make_named(line_max=size), long + line(6)), [5, 6])
        rejected = LineRejected("a line of more than %d bytes" % (size - 1), None)
        self.assertEqual(feed(make_named(line_max=size - 1), long + line(6)[:20]), [rejected])
        end = make_named(line_max=size - 1)
        found = []
        for at in range(len(long)):
            found += feed(end, long[at : at + 1])
        self.assertEqual(found + feed(end, b"\n" + b'["a"]\n'), [rejected, MessageReceived(["a"])])

    def test_endless_line_takes_no_memory(self):
        end = make_named(line_max=2000)
        found = []
        for _ in range(1000):
            found += feed(end, b"x" * 1024)
            self.assertLessEqual(sum(map(len, end._line or ())) + len(end._data), 2000 + 1024)
        self.assertEqual(found, [LineRejected("a line of more than 2000 bytes", None)])
        self.assertEqual(feed(end, b"\n" + line(5)), [5])

    def test_event_that_is_not_taken_is_kept(self):
        end = make_named()
        end.receive(line(5) + line(6), 0)
        self.assertEqual(end.next_event().merchant.money_mills, 5)
        end.receive(line(7), 0)
        self.assertEqual(take_events(end), [6, 7])

    def test_line_that_comes_byte_by_byte_is_kept_in_few_pieces(self):
        end = make_named(line_max=8192)
        for _ in range(8000):
            self.assertEqual(feed(end, b" "), [])
        self.assertLessEqual(len(end._line), 8000 // 512 + 1)
        self.assertEqual(feed(end, line(5)), [5])

    def test_merchant_is_received_as_soon_as_peer_is_named(self):
        end = make_named()
        self.assertEqual(end.state, protocol.GREETING)
        self.assertEqual(feed(end, line(5)), [5])


class TestMemory(unittest.TestCase):
    def test_merchant_without_id_waits_for_memory_with_all_later_lines(self):
        free = [0]
        end = make_named()
        end.has_memory = lambda bytes_: bytes_ <= free[0]
        self.assertEqual(feed(end, line(5) + b'["ping",1]\n' + line(6)), [])
        self.assertEqual(take_events(end), [])
        self.assertEqual(end.waiting + b"\n", line(5))
        free[0] = 6 * len(line(5))
        self.assertEqual(take_events(end), [5, MessageReceived(["ping", 1]), 6])
        self.assertIsNone(end.waiting)

    def test_merchant_with_id_forgets_prices_without_memory(self):
        for free in (False, True):
            end = make_named()
            end.has_memory = lambda bytes_, free=free: free
            end.receive(line(5)[:-2] + b',"Id":[7,8]}\n', 0)
            event = end.next_event()
            known = {"bed": {"SEASIDE": 2500}} if free else {}
            self.assertEqual((event.merchant.money_mills, event.merchant.id), (5, (7, 8)))
            self.assertEqual((event.merchant.prices_mills, event.whole, end.waiting), (known, free, None))
