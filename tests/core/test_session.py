"""Sessions without sockets: each rule of wire/session.py and wire/inbound.py, on both interpreters."""

import unittest

from core.event_log import EventLog
from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY, PROBING, UNKNOWN
from deskonomy.version import SOFTWARE, WIRE
from deskonomy.wire import session
from deskonomy.wire.codec import decode_merchant
from deskonomy.wire.protocol import Protocol
from deskonomy.wire.session import Session

OWN, PEERS = 1001, 2002  # incarnations


def raise_memory_error(*arguments):
    raise MemoryError


class Peer:
    """The other end of a session of RIVERWOOD's: the test writes its bytes.

    Attributes:
        session, road, ledger: those of RIVERWOOD.
        now_ms: the time.
        log: the log of RIVERWOOD, an EventLog.
        received: all that RIVERWOOD has sent, in pieces.
    """

    def __init__(self, volatile=True, capacity=5, ledger=None):
        self.ledger = ledger or Ledger(OWN, volatile)
        self.road = self.ledger.ensure_road("SEASIDE", capacity)
        self.now_ms = 0
        self.log = EventLog()
        self.received = []
        self.session = Session(Protocol("RIVERWOOD", 0), 0, self.log)
        self.wait(0)
        self.send(b"SEASIDE\n")
        self.session.attach_road(self.road)
        self.wait(1200)
        self.received[:] = []

    def wait(self, ms):
        """Let time pass in steps of 100 ms, and receive what is sent."""
        until_ms = self.now_ms + ms
        while True:
            self.session.advance(self.now_ms)
            data = self.session.next_bytes(self.now_ms)
            while data is not None:
                self.received.append(data)
                data = self.session.next_bytes(self.now_ms)
            if self.now_ms >= until_ms:
                return
            self.now_ms += 100

    def send(self, *lines):
        for line in lines:
            self.session.receive(line, self.now_ms)
            self.wait(0)

    def read_lines(self):
        """Return what has come since the last call, without version, room and settled (see the tests of each)."""
        left_out = (VERSION_LINE, room_line(self.road.capacity))
        lines = [line for line in self.received if line not in left_out and line[:9] != b'["settled']
        self.received[:] = []
        return lines

    def let_leave(self, *moneys):
        """Let merchants with this money leave RIVERWOOD."""
        for money in moneys:
            self.road.send(Merchant("bed", money))
        self.wait(0)

    def save_city(self):
        self.ledger.commit_checkpoint(self.ledger.begin_checkpoint())
        self.wait(0)


VERSION_LINE = b'["version",%d,"%s",""]\n' % (WIRE, SOFTWARE.encode())


def peers_line(sequence, money=7, incarnation=PEERS):
    return line_of(Merchant("bed", money, id=(incarnation, sequence)))


def own_line(sequence, money):
    return line_of(Merchant("bed", money, id=(OWN, sequence)))


def bed_line(sequence, money):
    """The same to a peer that has named only beds."""
    return line_of(Merchant("bed", money, id=(OWN, sequence)), ("bed",))


def first_line(sequence, money):
    """The line of the same merchant to a peer that is not known to be a city of this project."""
    return line_of(Merchant("bed", money, id=(OWN, sequence)), ("bed", "chair", "wood"))


def ack_line(sequence, incarnation=OWN):
    return b'["ack",%d,%d]\n' % (incarnation, sequence)


def room_line(merchants):
    return b'["room",%d]\n' % merchants


class TestRejectedLines(unittest.TestCase):
    def test_peer_that_sends_line_after_line_is_disconnected(self):
        for line in (b"x\n", b'{"f":1}\n', b'["ping",{}]\n', b"[\n"):
            peer = Peer()
            peer.send(line * 32)
            self.assertEqual((peer.session.failure, peer.road.rejected), (None, 32))
            peer.send(line * 2)
            self.assertEqual(peer.session.failure, session.MISBEHAVED)

    def test_rejected_line_a_second_ends_nothing(self):
        peer = Peer()
        for _ in range(100):
            peer.send(b"x\n")
            peer.wait(1000)
        self.assertEqual((peer.session.failure, peer.road.rejected), (None, 100))


class TestDepartures(unittest.TestCase):
    def test_one_merchant_is_sent_before_first_acknowledgement_then_all(self):
        peer = Peer()
        peer.let_leave(1, 2, 3)
        self.assertEqual(peer.read_lines(), [first_line(1, 1)])
        peer.send(ack_line(0))
        self.assertEqual(peer.read_lines(), [own_line(2, 2), own_line(3, 3)])
        self.assertEqual(len(peer.road.outbound), 3)
        peer.send(ack_line(2))
        self.assertEqual([merchant.money_mills for merchant in peer.road.outbound], [3])
        self.assertEqual(peer.road.status()["kind"], "ours")

    def test_merchant_is_not_sent_before_checkpoint(self):
        peer = Peer(volatile=False)
        peer.let_leave(1)
        self.assertEqual((peer.read_lines(), peer.ledger.dirty), ([], True))
        checkpoint = peer.ledger.begin_checkpoint()
        peer.send(ack_line(0))
        peer.let_leave(2)
        peer.ledger.commit_checkpoint(checkpoint)
        peer.wait(0)
        self.assertEqual(peer.read_lines(), [own_line(1, 1)])
        peer.send(ack_line(1))
        self.assertEqual(peer.read_lines(), [])
        peer.save_city()
        self.assertEqual(peer.read_lines(), [own_line(2, 2)])

    def test_ledger_is_sent_again_after_reconnect(self):
        peer = Peer()
        peer.let_leave(1, 2, 3)
        peer.send(ack_line(1))
        peer.session.end(True)
        self.assertEqual((peer.road.state, len(peer.road.outbound)), ("down", 2))
        again = Peer(ledger=peer.ledger)
        again.wait(0)
        again.session.attach_road(peer.road)
        self.assertEqual(peer.road.peer_state, ACKNOWLEDGING)
        again.let_leave(4)
        again.send(ack_line(2))
        self.assertEqual([line for line in again.received if b"Money" in line], [own_line(3, 3), own_line(4, 4)])

    def test_answer_for_merchant_that_was_not_sent_ends_connection(self):
        for line in (ack_line(2), b'["refuse",%d,9,""]\n' % OWN, b'["ack",%d,"1"]\n' % OWN):
            peer = Peer()
            peer.let_leave(1, 2)
            peer.send(line)
            self.assertIn("was not sent", peer.session.failure)
            self.assertEqual(len(peer.road.outbound), 2)

    def test_malformed_and_unknown_messages_change_nothing(self):
        peer = Peer()
        peer.let_leave(1, 2)
        peer.read_lines()
        for line in (
            ack_line(1, PEERS),
            b'["ack"]\n',
            b'["ack",1]\n',
            b'["dance",1,2]\n',
            b'["ping"]\n',
            b'["ping","x"]\n',
        ):
            peer.send(line)
        self.assertEqual((peer.read_lines(), peer.session.failure, peer.road.peer_state), ([], None, UNKNOWN))

    def test_only_rejected_merchant_returns(self):
        peer = Peer()
        peer.let_leave(1, 2, 3)
        peer.send(ack_line(0), b'["refuse",%d,2,"too rich"]\n' % OWN)
        self.assertEqual([merchant.money_mills for merchant in peer.road.outbound], [3])
        self.assertEqual([merchant.money_mills for merchant in peer.road.list_returning()], [2])
        self.assertEqual(peer.ledger.sum_money_mills(), 5)
        self.assertEqual(peer.road.take().money_mills, 2)
        self.assertEqual(peer.ledger.sum_money_mills(), 3)
        self.assertIn("too rich", peer.log.texts[-1])


class TestPeerStates(unittest.TestCase):
    def test_peer_without_acknowledgement_for_10_s_is_legacy(self):
        peer = Peer(volatile=False)
        peer.let_leave(1, 2)
        peer.save_city()
        self.assertEqual(peer.read_lines(), [first_line(1, 1)])
        peer.wait(9_900)
        self.assertEqual((peer.read_lines(), peer.road.peer_state), ([], UNKNOWN))
        peer.wait(200)
        # The checkpoint that there is still holds the second merchant.
        self.assertEqual((peer.read_lines(), peer.road.peer_state, peer.road.list_kept()), ([], LEGACY, []))
        peer.save_city()
        self.assertEqual(peer.read_lines(), [first_line(2, 2)])
        self.assertEqual((peer.road.outbound, peer.road.status()["kind"]), ([], "legacy"))

    def test_unknown_peer_gets_no_message(self):
        peer = Peer()
        peer.let_leave(1)
        peer.send(line_of(Merchant("bed", 5)))
        peer.wait(60_000)
        self.assertEqual(peer.read_lines(), [first_line(1, 1)])
        self.assertEqual(peer.session.failure, None)

    def test_merchant_half_sent_to_legacy_peer_is_lost_with_connection(self):
        for pieces, lost in ((1, 1), (2, 1), (9, 0)):
            peer = Peer()
            peer.let_leave(1)
            peer.wait(10_100)
            known = {}
            for n in range(80):
                known["CITY %d" % n] = n
            peer.road.send(Merchant("bed", 2, prices_mills={"bed": known, "wood": known}))
            peer.ledger.commit_checkpoint(peer.ledger.begin_checkpoint())
            for _ in range(pieces):
                peer.session.next_bytes(peer.now_ms)
            peer.session.end(True)
            self.assertEqual((peer.road.lost, peer.road.outbound), (lost, []))

    def test_legacy_peer_that_sends_message_is_acknowledging(self):
        peer = Peer()
        peer.let_leave(1)
        peer.wait(10_100)
        self.assertEqual(peer.road.peer_state, LEGACY)
        peer.send(b'["ping",3]\n')
        self.assertEqual(peer.read_lines()[-1], b'["pong",3]\n')
        peer.let_leave(2, 3)
        self.assertEqual((peer.road.peer_state, peer.read_lines()), (ACKNOWLEDGING, [own_line(2, 2)]))
        peer.send(ack_line(1))
        self.assertEqual(peer.read_lines(), [own_line(3, 3)])

    def test_acknowledging_peer_never_becomes_legacy(self):
        peer = Peer()
        peer.let_leave(1)
        peer.send(ack_line(1))
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.let_leave(2)
        again.wait(10_100)
        self.assertIn("acknowledges nothing", again.session.failure)
        self.assertEqual((len(again.road.outbound), again.road.peer_state), (1, ACKNOWLEDGING))

    def test_sleep_of_this_machine_does_not_count_as_silence(self):
        peer = Peer()
        peer.let_leave(1)
        peer.now_ms += 50_000
        peer.send(ack_line(1))
        self.assertEqual((peer.road.peer_state, peer.session.failure), (ACKNOWLEDGING, None))

    def test_ids_of_other_cities_are_ignored(self):
        peer = Peer()
        peer.ledger.record_arrival((3003, 9), "WINTERHOLD")
        peer.send(peers_line(4, incarnation=OWN), peers_line(4, incarnation=3003))
        self.assertEqual([merchant.id for merchant in peer.road.inbound], [None, None])
        self.assertEqual(peer.read_lines(), [])

    def test_merchant_without_id_shows_that_peer_is_legacy(self):
        peer = Peer()
        peer.let_leave(1, 2, 3)
        self.assertEqual(peer.read_lines(), [first_line(1, 1)])
        peer.send(line_of(Merchant("bed", 5)))
        self.assertEqual((peer.read_lines(), peer.road.peer_state), ([bed_line(2, 2), bed_line(3, 3)], LEGACY))
        self.assertEqual((peer.road.outbound, peer.now_ms), ([], 1200))

    def test_merchant_without_id_does_not_make_acknowledging_peer_legacy(self):
        peer = Peer()
        peer.send(b'["ping",1]\n', line_of(Merchant("bed", 5)))
        self.assertEqual((peer.session.peer_state, peer.road.peer_state), (UNKNOWN, ACKNOWLEDGING))
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.send(line_of(Merchant("bed", 5)))
        self.assertEqual((again.session.peer_state, again.road.peer_state), (UNKNOWN, ACKNOWLEDGING))

    def test_merchant_that_may_have_arrived_is_not_sent_again_to_peer_that_is_legacy(self):
        peer = Peer()
        peer.let_leave(1, 2)
        peer.session.end(True)
        self.assertEqual(len(peer.road.outbound), 2)
        again = Peer(ledger=peer.ledger)
        again.session.receive(line_of(Merchant("bed", 5)), again.now_ms)
        again.session.advance(again.now_ms)
        self.assertEqual([merchant.money_mills for merchant in again.road.outbound], [2])

    def test_transitions(self):
        """The whole table: a legacy peer becomes unknown by a message, and any peer acknowledging by an answer."""
        sent, message, answer, timeout, unnumbered = session._TRANSITIONS
        states = (UNKNOWN, ACKNOWLEDGING, LEGACY, PROBING)
        self.assertEqual([sent[state] for state in states], [PROBING, ACKNOWLEDGING, LEGACY, PROBING])
        self.assertEqual([message[state] for state in states], [UNKNOWN, ACKNOWLEDGING, UNKNOWN, PROBING])
        self.assertEqual([answer[state] for state in states], [ACKNOWLEDGING] * 4)
        self.assertEqual([timeout[state] for state in states], [UNKNOWN, ACKNOWLEDGING, LEGACY, LEGACY])
        self.assertEqual([unnumbered[state] for state in states], [LEGACY, ACKNOWLEDGING, LEGACY, LEGACY])

    def test_session_walks_from_unknown_by_probing_to_acknowledging(self):
        peer = Peer()
        states = [peer.session.peer_state]
        peer.let_leave(1, 2)
        states.append(peer.session.peer_state)
        peer.send(b'["ping",1]\n')
        states.append(peer.session.peer_state)
        peer.send(ack_line(0))
        states.append(peer.session.peer_state)
        self.assertEqual(states, [UNKNOWN, PROBING, PROBING, ACKNOWLEDGING])


class TestGoods(unittest.TestCase):
    """A line to a peer that is not known to understand messages names no good that would crash it."""

    def let_merchant_leave(self, peer, good, prices_mills):
        peer.road.send(Merchant(good, 7, prices_mills=prices_mills))
        peer.wait(0)

    def read_prices(self, peer):
        """Return the prices of the merchants that have come."""
        return [decode_merchant(bytes(line).strip()).prices_mills for line in peer.read_lines() if b"Money" in line]

    def test_line_to_unknown_peer_names_goods_of_every_tutorial(self):
        peer = Peer()
        self.let_merchant_leave(peer, "chair", {"thread": {"A": 1}, "wood": {"A": 2}})
        self.assertEqual(self.read_prices(peer), [{"bed": {}, "chair": {}, "wood": {"A": 2}}])

    def test_line_to_legacy_peer_names_goods_that_it_has_named_in_any_connection(self):
        peer = Peer()
        peer.send(line_of(Merchant("fur", 5, prices_mills={"bed": {}})))
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        self.let_merchant_leave(again, "fur", {"thread": {"A": 1}, "bed": {"A": 2}, "wood": {"A": 3}})
        self.assertEqual(self.read_prices(again), [{"bed": {"A": 2}, "fur": {}}])

    def test_line_to_acknowledging_peer_names_all_goods(self):
        peer = Peer()
        peer.send(b'["ping",1]\n')
        self.let_merchant_leave(peer, "spice", {"thread": {"A": 1}})
        self.assertEqual(self.read_prices(peer), [{"thread": {"A": 1}}])

    def test_peer_is_asked_by_ping_if_a_merchant_may_not_leave(self):
        peer = Peer()
        self.assertFalse(peer.road.accepts("spice"))
        peer.wait(0)
        self.assertEqual(peer.read_lines(), [b'["ping",1]\n'])
        self.assertEqual(peer.session.peer_state, PROBING)
        peer.send(b'["pong",1]\n')
        self.assertEqual((peer.session.peer_state, peer.road.accepts("spice")), (UNKNOWN, True))
        peer.let_leave(1)
        self.assertEqual(peer.read_lines(), [own_line(1, 1)])

    def test_peer_without_pong_for_10_s_is_legacy_and_gets_its_goods(self):
        peer = Peer()
        self.assertFalse(peer.road.accepts("spice"))
        peer.wait(0)
        peer.let_leave(1)
        self.assertEqual(peer.read_lines(), [b'["ping",1]\n'])
        peer.wait(10_000)
        self.assertEqual((peer.read_lines(), peer.road.peer_state), ([first_line(1, 1)], LEGACY))
        self.assertFalse(peer.road.accepts("spice"))
        peer.wait(60_000)
        self.assertEqual(peer.read_lines(), [])

    def test_merchant_on_its_way_to_legacy_peer_without_its_good_returns(self):
        """A checkpoint of an earlier version may hold it."""
        peer = Peer()
        self.let_merchant_leave(peer, "spice", {})
        self.let_merchant_leave(peer, "bed", {})
        peer.read_lines()
        peer.send(line_of(Merchant("bed", 5)))
        self.assertEqual((peer.read_lines(), peer.road.outbound), ([], []))
        self.assertEqual(sorted([merchant.good for merchant in peer.road.list_returning()]), ["bed", "spice"])
        self.assertEqual((peer.road.sequence, peer.ledger.sum_money_mills()), (0, 14))

    def test_goods_of_peer_are_bounded(self):
        peer = Peer()
        for n in range(40):
            peer.send(line_of(Merchant("good %d" % n, 5)))
            peer.road.take()
        self.assertEqual(len(peer.road.peer_goods), 32)


class TestArrivals(unittest.TestCase):
    def test_arrival_is_acknowledged_after_checkpoint(self):
        peer = Peer(volatile=False)
        peer.send(peers_line(5), peers_line(6))
        self.assertEqual(peer.read_lines(), [ack_line(0, PEERS)])
        self.assertEqual(peer.road.take().id, (PEERS, 5))
        peer.save_city()
        self.assertEqual(peer.read_lines(), [ack_line(5, PEERS)])
        peer.road.take()
        peer.wait(0)
        self.assertEqual(peer.read_lines(), [])
        peer.save_city()
        self.assertEqual(peer.read_lines(), [ack_line(6, PEERS)])

    def test_merchant_that_has_entered_is_dropped_and_acknowledged(self):
        peer = Peer()
        peer.send(peers_line(5))
        peer.road.take()
        peer.wait(0)
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.send(peers_line(4), peers_line(5), peers_line(6))
        self.assertEqual(again.read_lines(), [ack_line(4, PEERS), ack_line(5, PEERS)])
        self.assertEqual([merchant.id for merchant in again.road.inbound], [(PEERS, 6)])

    def test_merchant_with_id_that_has_not_entered_is_dropped_at_end(self):
        peer = Peer()
        peer.send(peers_line(5), line_of(Merchant("bed", 3)))
        peer.session.end(True)
        self.assertEqual([merchant.id for merchant in peer.road.inbound], [None])

    def test_gap_ends_connection(self):
        for line in (peers_line(7), peers_line(5), peers_line(4), peers_line(6, incarnation=PEERS + 1)):
            peer = Peer()
            peer.send(peers_line(5), line)
            self.assertIn("missing", peer.session.failure)
            self.assertEqual(len(peer.road.inbound), 1)

    def test_rejection_is_sent_after_checkpoint_and_in_order(self):
        peer = Peer(volatile=False)
        peer.send(peers_line(5), peers_line(6, money=2_000_000_000), peers_line(7))
        peer.read_lines()
        self.assertEqual([merchant.id[1] for merchant in peer.road.inbound], [5, 7])
        peer.save_city()
        self.assertEqual(peer.read_lines(), [])
        peer.road.take()
        peer.wait(0)
        self.assertEqual(peer.read_lines(), [])
        peer.save_city()
        lines = peer.read_lines()
        self.assertEqual(lines[0][:16], b'["refuse",2002,6')
        self.assertEqual(lines[1:], [])
        peer.road.take()
        peer.save_city()
        self.assertEqual(peer.read_lines(), [ack_line(7, PEERS)])


class TestVersion(unittest.TestCase):
    def test_version_is_the_first_line_after_first_sign_of_messages_and_sent_once(self):
        for sign in (b'["ping",1]\n', b'["room",9]\n', b'["version",9,"9.0","a b"]\n', peers_line(1)):
            peer = Peer()
            peer.wait(60_000)
            self.assertEqual(peer.received, [])
            peer.send(sign)
            self.assertEqual(peer.received[:2], [VERSION_LINE, room_line(5)])
            peer.send(sign)
            peer.wait(60_000)
            self.assertEqual(peer.received.count(VERSION_LINE), 1)

    def test_version_is_not_sent_to_unknown_and_legacy_peers(self):
        peer = Peer()
        peer.let_leave(1, 2)
        peer.send(line_of(Merchant("bed", 5)))
        peer.wait(60_000)
        self.assertEqual(peer.read_lines(), [first_line(1, 1), bed_line(2, 2)])
        self.assertFalse(VERSION_LINE in peer.received)

    def test_version_of_any_number_shows_an_acknowledging_peer(self):
        for line in (
            b'["version",1,"0.1.0"]\n',
            b'["version",2,"0.2.0",""]\n',
            b'["version",9007199254740991,"9.0","unknown features",7,"more"]\n',
        ):
            peer = Peer()
            peer.send(line)
            self.assertEqual(peer.road.status()["kind"], "ours")
            self.assertIsNone(peer.session.failure)
            self.assertTrue(line.find(b'"%s"' % peer.session.peer_version.encode()) > 0)

    def test_invalid_version_is_ignored(self):
        peer = Peer()
        for line in (b'["version"]\n', b'["version",2]\n', b'["version","2","0.2.0"]\n', b'["version",2,3]\n'):
            peer.send(line)
        self.assertIsNone(peer.session.peer_version)
        self.assertEqual((peer.road.status()["kind"], peer.received, peer.session.failure), ("legacy", [], None))

    def test_long_version_is_cut(self):
        peer = Peer()
        peer.send(b'["version",2,"%s"]\n' % (b"x" * 5000))
        self.assertEqual(peer.session.peer_version, "x" * 32)


class TestRoom(unittest.TestCase):
    def test_room_is_sent_first_and_only_to_peer_with_ids(self):
        peer = Peer(capacity=2)
        peer.send(line_of(Merchant("bed", 5)))
        peer.wait(60_000)
        self.assertEqual(peer.received, [])
        peer.send(peers_line(1))
        self.assertEqual(peer.received, [VERSION_LINE, room_line(2), ack_line(0, PEERS)])
        peer.send(b'["ping",1]\n')
        self.assertFalse(room_line(2) in peer.received[3:])

    def test_merchants_are_sent_up_to_peers_room(self):
        peer = Peer()
        peer.let_leave(1, 2, 3, 4)
        peer.send(room_line(2), ack_line(0))
        self.assertEqual(peer.read_lines(), [first_line(1, 1), own_line(2, 2)])
        peer.send(ack_line(1))
        self.assertEqual(peer.read_lines(), [own_line(3, 3)])
        peer.send(b'["room",0]\n', b'["room","9"]\n', b'["room"]\n')
        self.assertEqual(peer.read_lines(), [])
        peer.send(ack_line(3))
        self.assertEqual(peer.read_lines(), [own_line(4, 4)])

    def test_full_city_reads_acknowledgements(self):
        peer = Peer(capacity=2)
        peer.let_leave(1, 2)
        peer.send(ack_line(0), peers_line(1), peers_line(2))
        self.assertEqual(len(peer.road.inbound), 2)
        peer.send(ack_line(2))
        self.assertEqual(peer.road.outbound, [])

    def test_returning_merchant_does_not_stop_reading(self):
        """Not on a new connection either, whose peer is unknown yet."""
        peer = Peer(capacity=1)
        peer.let_leave(1, 2)
        peer.send(b'["refuse",%d,1,"no"]\n' % OWN)
        peer.session.end(True)
        peer = Peer(capacity=1, ledger=peer.ledger)
        self.assertEqual((len(peer.road.list_returning()), len(peer.road.outbound)), (1, 1))
        peer.wait(0)
        peer.send(ack_line(2))
        self.assertEqual(peer.road.outbound, [])

    def test_peer_that_exceeds_room_is_not_read_and_keeps_its_connection(self):
        peer = Peer(capacity=2)
        peer.session.protocol.line_max = 256
        peer.send(peers_line(1), peers_line(2), peers_line(3), peers_line(4), b'["ping",1]\n')
        self.assertEqual((len(peer.road.inbound), peer.session.wants_bytes()), (3, False))
        peer.wait(60_000)
        self.assertIsNone(peer.session.failure)
        pings = [line for line in peer.read_lines() if b"ping" in line]
        self.assertEqual(len(pings), 12)
        peer.road.take()
        peer.wait(0)
        self.assertEqual(len(peer.road.inbound), 3)

    def test_legacy_peer_is_read_on_a_little_while_road_is_full(self):
        """So the end of file behind a few merchants is noticed."""
        peer = Peer(capacity=2)
        line = line_of(Merchant("bed", 5))
        peer.session.protocol.line_max = 8 * 3 * len(line)
        peer.send(line, line)
        for _ in range(3):
            self.assertEqual((len(peer.road.inbound), peer.session.wants_bytes()), (2, True))
            peer.send(line)
        self.assertEqual((len(peer.road.inbound), peer.session.wants_bytes()), (2, False))

    def test_road_holds_no_more_merchants_however_often_legacy_peer_reconnects(self):
        """143 connections, each of which leaves five merchants: what does not fit is lost, and counted."""
        ledger = Ledger(OWN)
        for _ in range(143):
            peer = Peer(capacity=100, ledger=ledger)
            peer.session.receive(line_of(Merchant("bed", 5)) * 5, peer.now_ms)
            peer.session.end(False)
        self.assertEqual((len(peer.road.inbound), peer.road.lost), (100, 143 * 5 - 100))
        self.assertEqual((peer.road.status()["waiting_to_enter"], ledger.sum_waiting_mills()), (100, 500))

    def test_merchants_that_wait_for_room_count_once_in_both_cities(self):
        """A legacy peer's are counted here, those of a city of this project in its ledger until they are saved here."""
        peer = Peer(capacity=3)
        peer.send(line_of(Merchant("bed", 5)), peers_line(1))
        peer.road.inbound.append(Merchant("bed", 9, id=(OWN, 3)))
        self.assertEqual((peer.road.status()["waiting_to_enter"], peer.ledger.sum_waiting_mills()), (3, 5))
        self.assertEqual(peer.ledger.sum_money_mills(), 9)

    def test_merchants_of_peer_that_has_hung_up_wait_for_room(self):
        """Nothing is sent meanwhile: the road is down."""
        peer = Peer(capacity=1)
        line = line_of(Merchant("bed", 5))
        peer.send(line, line, line)
        peer.session.hang_up(peer.now_ms)
        peer.let_leave(1)
        self.assertEqual((peer.road.state, peer.session.hung_up, peer.read_lines()), ("down", True, []))
        for _ in range(2):
            self.assertTrue(peer.session.is_waiting())
            peer.road.take()
            peer.wait(0)
        peer.road.take()
        peer.wait(0)
        self.assertEqual((peer.session.is_waiting(), peer.road.received, peer.road.lost), (False, 3, 0))

    def test_merchants_of_peer_that_has_hung_up_do_not_wait_for_ever(self):
        peer = Peer(capacity=1)
        line = line_of(Merchant("bed", 5))
        peer.send(line, line)
        peer.session.hang_up(peer.now_ms)
        self.assertEqual(peer.session.deadline_ms(), peer.now_ms + 15_000)
        peer.wait(14_900)
        self.assertIsNone(peer.session.failure)
        peer.wait(100)
        self.assertIn("hung up", peer.session.failure)

    def test_merchant_to_legacy_peer_that_is_not_read_waits(self):
        peer = Peer(capacity=2)
        peer.session.protocol.line_max = 256
        line = line_of(Merchant("bed", 5))
        peer.send(line, line, line)
        peer.let_leave(1)
        peer.wait(10_000)
        self.assertEqual((peer.read_lines(), peer.session.wants_bytes()), ([], False))
        peer.road.take()
        peer.wait(0)
        self.assertEqual(peer.read_lines(), [bed_line(1, 1)])

    def test_single_merchant_is_sent_to_legacy_peer_that_is_not_read_if_road_is_full(self):
        peer = Peer(capacity=2)
        peer.session.protocol.line_max = 256
        line = line_of(Merchant("bed", 5))
        peer.send(line, line, line)
        peer.let_leave(1, 2)
        self.assertEqual((peer.read_lines(), len(peer.road.outbound)), ([bed_line(1, 1)], 1))


class TestMemory(unittest.TestCase):
    def test_merchant_without_id_waits_for_memory_and_reading_stops(self):
        peer, free = Peer(), [0]
        peer.session.protocol.has_memory = lambda bytes_: bytes_ <= free[0]
        peer.send(line_of(Merchant("bed", 3)))
        self.assertEqual((peer.road.inbound, peer.session.wants_bytes()), ([], False))
        free[0] = 10_000
        peer.wait(0)
        self.assertEqual([merchant.money_mills for merchant in peer.road.inbound], [3])
        self.assertEqual((peer.session.wants_bytes(), peer.road.rejected), (True, 0))

    def test_merchant_with_id_enters_without_prices_if_memory_is_short(self):
        peer = Peer()
        peer.session.protocol.has_memory = lambda bytes_: False
        for sequence in (5, 6):
            peer.send(line_of(Merchant("bed", 7, prices_mills={"bed": {"A": 1}}, id=(PEERS, sequence))))
        peer.send(b'["ping",1]\n')
        self.assertEqual(
            [(merchant.money_mills, merchant.prices_mills) for merchant in peer.road.inbound], [(7, {})] * 2
        )
        self.assertEqual((peer.read_lines()[-1], len(peer.log.texts)), (b'["pong",1]\n', 1))
        self.assertIn("no memory for all prices that merchants from SEASIDE know", peer.log.texts[0])

    def test_merchant_that_has_entered_is_acknowledged_again_without_memory(self):
        peer = Peer()
        peer.send(peers_line(5))
        peer.road.take()
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.session.protocol.has_memory = lambda bytes_: False
        again.send(peers_line(5))
        again.save_city()
        self.assertEqual((again.road.inbound, again.read_lines()[-1]), ([], ack_line(5, PEERS)))

    def test_end_without_memory_frees_road_and_duplicates_no_merchant(self):
        peer = Peer()
        peer.send(peers_line(5))
        peer.session.protocol.next_event = raise_memory_error
        peer.session.end(True)
        self.assertEqual((peer.road.state, peer.road.connection, peer.road.inbound), ("down", None, []))
        again = Peer(ledger=peer.ledger)
        again.send(peers_line(5))
        self.assertEqual(len(again.road.inbound), 1)

    def test_merchant_for_legacy_peer_stays_outbound_without_memory_for_its_line(self):
        ledger = Ledger(OWN)
        ledger.ensure_road("SEASIDE", 5).set_peer_state(LEGACY)
        peer = Peer(ledger=ledger)
        peer.session.protocol.send = raise_memory_error
        self.assertRaises(MemoryError, peer.let_leave, 7)
        peer.session.end(True)
        self.assertEqual(([merchant.money_mills for merchant in peer.road.outbound], peer.road.lost), ([7], 0))

    def test_merchant_that_cannot_return_without_memory_stays_outbound(self):
        class FullList(list):
            def append(self, merchant):
                raise_memory_error()

        peer = Peer(volatile=False)
        peer.let_leave(7, 8)
        peer.road.inbound = FullList()
        self.assertRaises(MemoryError, peer.session.end, False)
        self.assertEqual(([merchant.money_mills for merchant in peer.road.outbound], peer.road.sequence), ([7, 8], 2))
        self.assertEqual((peer.road.state, peer.road.saved_sequence), ("down", 0))


class TestKeepalive(unittest.TestCase):
    def test_time_without_reading_does_not_count_as_silence(self):
        peer = Peer(capacity=1)
        peer.send(peers_line(1), peers_line(2), peers_line(3))
        received_ms = peer.session.received_ms
        peer.wait(20_000)
        self.assertEqual((peer.session.failure, peer.session.received_ms), (None, received_ms))
        self.assertEqual(peer.session.heard_ms, peer.now_ms)

    def test_ping_is_sent_after_5_s_and_connection_ends_after_15(self):
        peer = Peer()
        peer.send(b'["pong",1]\n')
        peer.wait(4_900)
        self.assertEqual(peer.read_lines(), [])
        peer.wait(200)
        self.assertIn(b"ping", peer.read_lines()[0])
        peer.wait(9_800)
        self.assertIsNone(peer.session.failure)
        peer.wait(200)
        self.assertIn("silent", peer.session.failure)

    def test_many_pings_get_one_pong(self):
        peer = Peer()
        peer.session.receive(b'["ping",1]\n' * 50, peer.now_ms)
        peer.wait(0)
        self.assertEqual(peer.read_lines(), [b'["pong",1]\n'])


class TestEnd(unittest.TestCase):
    def test_unsaved_rejection_ends_with_connection(self):
        peer = Peer(volatile=False)
        peer.send(peers_line(5), peers_line(6, money=2_000_000_000))
        peer.session.end(True)
        peer.session.advance(peer.now_ms)
        self.assertEqual(peer.ledger.find_last_sequence(PEERS, "SEASIDE"), 0)

    def test_unsent_merchants_return_if_peer_is_not_dialled_again(self):
        peer = Peer()
        peer.let_leave(1, 2, 3)
        peer.session.end(False)
        self.assertEqual([merchant.money_mills for merchant in peer.road.outbound], [1])
        self.assertEqual(sorted([merchant.money_mills for merchant in peer.road.list_returning()]), [2, 3])
        self.assertEqual(peer.road.sequence, 1)

    def test_checkpoint_begun_before_return_permits_nothing(self):
        peer = Peer(volatile=False)
        peer.let_leave(1, 2)
        peer.save_city()
        checkpoint = peer.ledger.begin_checkpoint()
        peer.session.end(False)
        peer.ledger.commit_checkpoint(checkpoint)
        peer.road.send(Merchant("bed", 9))
        self.assertEqual((peer.road.saved_sequence, peer.road.sequence), (1, 2))


if __name__ == "__main__":
    unittest.main()
