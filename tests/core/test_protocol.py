"""The wire without sockets: what bytes and time make of a connection."""

import unittest

from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import ProtocolMisuseError
from deskonomy.wire import protocol
from deskonomy.wire.codec import encode
from deskonomy.wire.protocol import Arrived, Broken, Connection, Message, Named, Ready, Refusal, Send


def line(money_mills):
    return line_of(Merchant("chair", money_mills, prices_mills={"bed": {"SEASIDE": 2500}}))


def begun(now_ms=0, **options):
    """A connection whose name has just gone out."""
    connection = Connection("RIVERWOOD", now_ms, **options)
    connection.elapse(now_ms)
    return connection


def named(**options):
    connection = begun(**options)
    connection.receive(b"SEASIDE\n", 0)
    assert connection.next_event() == Named("SEASIDE")
    return connection


def events(connection):
    """All that the bytes so far bring; merchants as their money."""
    found = []
    while True:
        event = connection.next_event()
        if event is None:
            return found
        found.append(event.merchant.money_mills if isinstance(event, Arrived) else event)


def fed(connection, data, now_ms=0):
    connection.receive(data, now_ms)
    return events(connection)


class TestHandshake(unittest.TestCase):
    def test_name_then_newline_then_a_second_of_nothing(self):
        connection = Connection("RIVERWOOD", 1000)
        self.assertEqual(connection.deadline_ms, 1000)
        self.assertEqual(connection.elapse(1000), [Send(b"RIVERWOOD")])
        self.assertEqual(connection.elapse(1000), [])
        self.assertEqual(fed(connection, b"SEASIDE\n", 1050), [Named("SEASIDE")])
        self.assertEqual(connection.deadline_ms, 1200)
        self.assertEqual(connection.elapse(1199), [])
        self.assertEqual(connection.elapse(1230), [Send(b"\n")])
        self.assertEqual(connection.deadline_ms, 2230)
        self.assertRaises(ProtocolMisuseError, connection.send, encode(Merchant("bed")))
        self.assertEqual(connection.elapse(2230), [Ready()])
        self.assertIsNone(connection.deadline_ms)
        self.assertEqual(connection.send(encode(Merchant("bed"))), [line_of(Merchant("bed"))])

    def test_the_newline_waits_for_the_peers_name(self):
        connection = begun()
        self.assertEqual(connection.elapse(3000), [])
        self.assertEqual(fed(connection, b"SEASIDE", 3000), [])
        self.assertEqual(connection.elapse(3199), [])
        self.assertEqual(connection.elapse(3200), [Named("SEASIDE"), Send(b"\n")])

    def test_a_bare_name_ends_with_silence(self):
        connection = begun()
        self.assertEqual(fed(connection, b"SEA", 10), [])
        self.assertEqual(fed(connection, b"SIDE", 150), [])
        self.assertEqual(connection.elapse(349), [])
        self.assertEqual(connection.elapse(350), [Named("SEASIDE"), Send(b"\n")])
        self.assertEqual(fed(connection, b"\n" + line(5), 360), [5])

    def test_a_name_and_what_follows_in_one_segment(self):
        for between in (b"", b"\n", b"\r\n", b" \n\n"):
            connection = begun()
            self.assertEqual(fed(connection, b"SEASIDE" + between + line(5) + line(6)), [Named("SEASIDE"), 5, 6])
        self.assertEqual(fed(begun(), b'SEASIDE["ping",1]\n'), [Named("SEASIDE"), Message(["ping", 1])])

    def test_every_split_gives_the_same_merchants(self):
        for name in (b"SEASIDE\n", b"SEASIDE\r\n", b"SEASIDE", "ÅRHUS".encode()):
            stream = name + line(5) + b"\n" + b'["ack",1,2]\n' + line(1_000_000) + b"junk\n" + line(7)[:-1]
            whole = fed(begun(), stream)
            self.assertEqual(len(whole), 5)
            for cut in range(1, len(stream)):
                connection = begun()
                self.assertEqual(fed(connection, stream[:cut], 1) + fed(connection, stream[cut:], 2), whole, cut)
            connection = begun()
            found = []
            for at in range(len(stream)):
                found += fed(connection, stream[at : at + 1], at // 10)
            self.assertEqual(found, whole)

    def test_silence_is_a_name_that_never_comes(self):
        connection = begun()
        self.assertEqual(connection.elapse(4999), [])
        self.assertEqual(connection.elapse(5000), [Broken("it said no name within 5 s")])
        self.assertEqual(fed(connection, b"SEASIDE\n", 5001), [])
        self.assertIsNone(connection.deadline_ms)

    def test_a_name_that_drips_on_and_on(self):
        connection = begun()
        for now_ms in range(0, 5000, 100):
            self.assertEqual(fed(connection, b"x", now_ms), [])
            self.assertEqual(connection.elapse(now_ms), [])
        self.assertEqual(connection.elapse(5000), [Broken("it said no name within 5 s")])

    def test_a_name_without_end(self):
        connection = begun()
        self.assertEqual(fed(connection, b"x" * 1024), [])
        self.assertEqual(fed(connection, b"x"), [Broken("its name does not end within 1024 bytes")])
        self.assertEqual(fed(begun(), b"x" * 2000 + b"\n"), [Broken("its name does not end within 1024 bytes")])

    def test_names_that_are_none(self):
        for name in (b"\n", b" \r\n", line(5), b"x" * 65 + b"\n", b"\xff\n", b"a\x00b\n", b'"SEASIDE"\n'):
            found = fed(begun(), name + line(5))
            self.assertEqual(len(found), 1, name)
            self.assertTrue(isinstance(found[0], Broken), name)

    def test_two_of_ours(self):
        ours, theirs = Connection("RIVERWOOD", 0), Connection("SEASIDE", 0)
        found = {ours: ours.elapse(0), theirs: theirs.elapse(0)}
        found[ours] += fed(ours, b"SEASIDE", 0)
        found[theirs] += fed(theirs, b"RIVERWOOD", 0)
        for now_ms in range(0, 1500, 10):
            for one, other in ((ours, theirs), (theirs, ours)):
                for event in one.elapse(now_ms):
                    found[one].append(event)
                    if isinstance(event, Send):
                        found[other] += fed(other, event.data, now_ms)
        ending = [Send(b"\n"), Ready()]
        self.assertEqual(found[ours], [Send(b"RIVERWOOD"), Named("SEASIDE")] + ending)
        self.assertEqual(found[theirs], [Send(b"SEASIDE"), Named("RIVERWOOD")] + ending)
        self.assertEqual(fed(theirs, ours.send(encode(Merchant("bed", 7)))[0], 1500), [7])

    def test_our_misuse(self):
        for name in ("", "x" * 65, "a\n", "a{", "[", '"'):
            self.assertRaises(ProtocolMisuseError, Connection, name, 0)
        self.assertRaises(ProtocolMisuseError, Connection("RIVERWOOD", 0).receive, b"SEASIDE", 0)


class TestLines(unittest.TestCase):
    def test_merchants_messages_and_blank_lines(self):
        data = b"\n \r\n" + line(5) + b'\t["ack", 7, 8]\r\n' + b"\n" + line(6)
        self.assertEqual(fed(named(), data), [5, Message(["ack", 7, 8]), 6])

    def test_anything_else_is_refused_and_the_next_line_is_read(self):
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
            found = fed(named(), bad + b"\n" + line(5))
            self.assertEqual(len(found), 2, bad)
            self.assertTrue(isinstance(found[0], Refusal), bad)
            self.assertEqual(found[1], 5)

    def test_a_partial_line_is_never_a_merchant(self):
        connection = named()
        self.assertEqual(fed(connection, line(5)[:-1]), [])
        self.assertEqual(connection.elapse(100_000), [Send(b"\n")])
        self.assertEqual(fed(connection, b"\n", 100_000), [5])

    def test_a_line_that_is_too_long_is_skipped_to_its_end(self):
        long = line(5)
        size = len(long) - 1
        self.assertEqual(fed(named(line_max=size), long + line(6)), [5, 6])
        refused = Refusal("a line of more than %d bytes" % (size - 1), None)
        self.assertEqual(fed(named(line_max=size - 1), long + line(6)[:20]), [refused])
        connection = named(line_max=size - 1)
        found = []
        for at in range(len(long)):
            found += fed(connection, long[at : at + 1])
        self.assertEqual(found + fed(connection, b"\n" + b'["a"]\n'), [refused, Message(["a"])])

    def test_an_endless_line_takes_no_memory(self):
        connection = named(line_max=2000)
        found = []
        for _ in range(1000):
            found += fed(connection, b"x" * 1024)
            self.assertLessEqual(sum(map(len, connection._line or ())) + len(connection._data), 2000 + 1024)
        self.assertEqual(found, [Refusal("a line of more than 2000 bytes", None)])
        self.assertEqual(fed(connection, b"\n" + line(5)), [5])

    def test_who_takes_no_event_keeps_it_here(self):
        connection = named()
        connection.receive(line(5) + line(6), 0)
        self.assertEqual(connection.next_event().merchant.money_mills, 5)
        connection.receive(line(7), 0)
        self.assertEqual(events(connection), [6, 7])

    def test_a_line_that_comes_byte_by_byte_lies_in_few_pieces(self):
        connection = named(line_max=8192)
        for _ in range(8000):
            self.assertEqual(fed(connection, b" "), [])
        self.assertLessEqual(len(connection._line), 8000 // 512 + 1)
        self.assertEqual(fed(connection, line(5)), [5])

    def test_merchants_come_as_soon_as_the_peer_is_named(self):
        connection = named()
        self.assertEqual(connection.state, protocol.GREETING)
        self.assertEqual(fed(connection, line(5)), [5])


class TestMemory(unittest.TestCase):
    def test_who_cannot_be_sent_home_waits_and_so_do_those_behind(self):
        free = [0]
        one = named()
        one.has_memory = lambda bytes_: bytes_ <= free[0]
        self.assertEqual(fed(one, line(5) + b'["ping",1]\n' + line(6)), [])
        self.assertEqual(events(one), [])
        self.assertEqual(one.waiting + b"\n", line(5))
        free[0] = 6 * len(line(5))
        self.assertEqual(events(one), [5, Message(["ping", 1]), 6])
        self.assertIsNone(one.waiting)

    def test_one_of_ours_forgets_what_it_knows(self):
        for free in (False, True):
            one = named()
            one.has_memory = lambda bytes_, free=free: free
            one.receive(line(5)[:-2] + b',"Id":[7,8]}\n', 0)
            event = one.next_event()
            known = {"bed": {"SEASIDE": 2500}} if free else {}
            self.assertEqual((event.merchant.money_mills, event.merchant.id), (5, (7, 8)))
            self.assertEqual((event.merchant.prices_mills, event.whole, one.waiting), (known, free, None))
