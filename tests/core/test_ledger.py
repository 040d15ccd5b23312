"""The ledger's memory of arrivals and of removed roads: nothing is forgotten that may be needed."""

import unittest

from core.test_session import PEERS, Peer, ack_line, own_line, peers_line
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import ACKNOWLEDGING, PROVEN, SETTLED
from deskonomy.storage.decode import decode_city
from deskonomy.storage.encode import encode_city

RIVERWOODS = 1001  # incarnation


def make_ledger(arrivals_max=3):
    ledger = Ledger(RIVERWOODS, False)
    ledger.arrivals_max = arrivals_max
    return ledger


def list_names(ledger):
    return [arrival[2] for arrival in ledger.arrivals]


class TestArrivalsKept(unittest.TestCase):
    def test_merchant_enters_once_whatever_25_short_lived_keyed_peers_deliver_meanwhile(self):
        """SEASIDE is killed while its saved ledger holds merchants that RIVERWOOD has saved, and starts again."""
        seaside = City("SEASIDE", 1, 0, 0)
        seaside.ledger = Ledger(PEERS, False)
        road = seaside.ledger.ensure_road("RIVERWOOD", 5)
        seaside.open_road(road)
        road.peer_state = ACKNOWLEDGING
        road.send(Merchant("bed", 7))
        disk = encode_city(seaside)
        riverwood = Ledger(RIVERWOODS, False)
        peer = Peer(ledger=riverwood)
        peer.road.proven = True
        peer.send(peers_line(1))
        self.assertEqual(peer.road.take().money_mills, 7)
        riverwood.commit_checkpoint(riverwood.begin_checkpoint())  # SEASIDE is killed before it reads the answer
        peer.session.end(False)
        rejected = 0
        for n in range(25):
            short_lived = riverwood.ensure_road("P%d" % n, 5)
            if riverwood.has_place(short_lived.name, True):
                riverwood.record_arrival((3000 + n, 1), short_lived.name, True)
            else:
                rejected += 1
        self.assertEqual((len(riverwood.arrivals), rejected), (24, 2))
        again = Peer(ledger=riverwood)
        merchant = decode_city(disk).ledger.roads["RIVERWOOD"].outbound[0]
        again.send(peers_line(merchant.id[1], merchant.money_mills))
        self.assertEqual((again.road.inbound, again.read_lines()), ([], [ack_line(1, PEERS)]))

    def test_settled_arrival_of_peer_without_connection_gives_way_first_the_oldest_first(self):
        ledger = make_ledger(4)
        for incarnation, name in ((1, "A"), (2, "B"), (3, "C"), (4, "D")):
            ledger.record_arrival((incarnation, 9), name, True)
            ledger.ensure_road(name, 4)
        self.assertFalse(ledger.has_place("E", True))
        for incarnation, name in ((2, "B"), (3, "C"), (4, "D")):
            ledger.mark_settled(incarnation, 9, name)
        ledger.roads["B"].connection = self
        ledger.roads["C"].dialled = True
        ledger.record_arrival((5, 1), "E", True)
        self.assertEqual(list_names(ledger), ["A", "B", "C", "E"])
        self.assertFalse(ledger.has_place("F", True))

    def test_only_exact_sequence_and_name_settle_and_next_arrival_unsettles(self):
        ledger = make_ledger()
        ledger.record_arrival((1, 9), "A", True)
        for arguments in ((1, 8, "A"), (1, 10, "A"), (1, 9, "B"), (2, 9, "A")):
            ledger.mark_settled(*arguments)
        self.assertEqual(ledger.arrivals, [(1, 9, "A", PROVEN)])
        ledger.mark_settled(1, 9, "A")
        self.assertEqual(ledger.arrivals, [(1, 9, "A", PROVEN | SETTLED)])
        ledger.record_arrival((1, 10), "A", True)
        self.assertEqual(ledger.arrivals, [(1, 10, "A", PROVEN)])

    def test_earlier_incarnation_of_city_gives_way(self):
        ledger = make_ledger()
        for incarnation, name in ((1, "A"), (2, "B"), (3, "A")):
            ledger.record_arrival((incarnation, 9), name, True)
        ledger.record_arrival((4, 1), "C", True)
        self.assertEqual([arrival[0] for arrival in ledger.arrivals], [2, 3, 4])
        self.assertFalse(ledger.has_place("D", True))
        self.assertTrue(ledger.has_place("B", True))
        self.assertFalse(ledger.has_place("B", False))  # a name without a proof supersedes no proven one

    def test_stranger_of_fewest_merchants_gives_way_and_known_peers_stay(self):
        ledger = make_ledger()
        for incarnation, name, received in ((1, "KNOWN", 50), (2, "X", 2), (3, "Y", 1)):
            ledger.record_arrival((incarnation, 9), name)
            ledger.ensure_road(name, 4).received = received
        for n in range(40):
            self.assertTrue(ledger.has_place("STRANGER", False))
            ledger.record_arrival((100 + n, 1), "STRANGER %d" % n)
        self.assertEqual(list_names(ledger), ["KNOWN", "X", "STRANGER 39"])

    def test_new_incarnation_is_rejected_while_each_arrival_may_be_needed(self):
        ledger = make_ledger(1)
        ledger.record_arrival((1, 9), "A", True)
        peer = Peer(ledger=ledger)
        peer.send(peers_line(1))
        self.assertEqual(peer.session.failure, "this city remembers as many cities as it can")
        self.assertEqual((peer.road.inbound, peer.read_lines(), list_names(ledger)), ([], [], ["A"]))


class TestMissing(unittest.TestCase):
    def make_pair(self, sequence):
        """Return a peer whose merchant 5 has entered and been saved, and a new connection of its that begins later."""
        ledger = make_ledger()
        ledger.record_arrival((PEERS, 5), "SEASIDE")
        peer = Peer(ledger=ledger)
        peer.send(peers_line(sequence))
        return peer

    def test_sequence_that_leaves_gap_enters_nothing_is_not_acknowledged_and_ends_connection(self):
        for sequence in (7, 8, (1 << 53) - 1):
            peer = self.make_pair(sequence)
            self.assertEqual(peer.read_lines(), [b'["missing",%d,6]\n' % PEERS])
            peer.wait(100)
            self.assertIn("missing", peer.session.failure)
            self.assertEqual((peer.road.inbound, peer.ledger.arrivals[0][1]), ([], 5))

    def test_next_and_earlier_sequences_leave_no_gap(self):
        for sequence, entered in ((6, 1), (5, 0), (1, 0)):
            peer = self.make_pair(sequence)
            peer.wait(100)
            self.assertEqual((len(peer.road.inbound), peer.session.failure), (entered, None))

    def test_rejected_line_that_leaves_gap_is_no_arrival(self):
        peer = Peer(ledger=make_ledger())
        peer.ledger.record_arrival((PEERS, 5), "SEASIDE")
        peer.send(peers_line(9, 2_000_000_000))
        self.assertEqual(peer.read_lines(), [b'["missing",%d,6]\n' % PEERS])
        self.assertEqual(peer.ledger.arrivals[0][1], 5)

    def test_sender_numbers_its_merchants_as_the_peer_expects_after_checkpoint(self):
        peer = Peer(volatile=False)
        peer.road.restore(ACKNOWLEDGING, 40)
        peer.let_leave(1, 2)
        peer.save_city()
        self.assertEqual(peer.read_lines(), [own_line(41, 1)])
        peer.send(b'["missing",%d,6]\n' % RIVERWOODS)
        self.assertIn("expects number 6", peer.session.failure)
        self.assertEqual([merchant.id[1] for merchant in peer.road.outbound], [6, 7])
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.wait(0)
        self.assertEqual(again.read_lines(), [])
        again.save_city()
        self.assertEqual(again.read_lines(), [own_line(6, 1)])

    def test_peer_cannot_ask_for_numbers_beyond_first_outbound_or_of_other_cities(self):
        peer = Peer()
        peer.road.restore(ACKNOWLEDGING, 40)
        peer.let_leave(1)
        for numbers in (b"1001,41", b"1001,42", b"1001,0", b"2002,6", b"1001", b'"x",6'):
            peer.send(b'["missing",%s]\n' % numbers)
        self.assertEqual((peer.session.failure, peer.road.outbound[0].id[1]), (None, 41))


class TestSettled(unittest.TestCase):
    def list_settled(self, peer):
        lines = [line for line in peer.received if line[:9] == b'["settled']
        peer.received[:] = []
        return lines

    def test_settled_is_sent_once_after_checkpoint_that_holds_nothing_outbound(self):
        peer = Peer(volatile=False)
        peer.let_leave(1)
        peer.save_city()
        peer.send(ack_line(1))
        self.assertEqual((self.list_settled(peer), peer.ledger.dirty), ([], True))
        peer.save_city()
        self.assertEqual(self.list_settled(peer), [b'["settled",1001,1]\n'])
        peer.save_city()
        peer.send(b'["ping",1]\n')
        self.assertEqual(self.list_settled(peer), [])
        peer.let_leave(2)
        checkpoint = peer.ledger.begin_checkpoint()
        peer.ledger.commit_checkpoint(checkpoint)
        peer.wait(0)
        checkpoint = peer.ledger.begin_checkpoint()  # still holds the second merchant
        peer.send(ack_line(2))
        peer.ledger.commit_checkpoint(checkpoint)
        peer.wait(0)
        self.assertEqual(self.list_settled(peer), [])

    def test_settled_is_sent_at_once_by_city_that_is_not_saved_and_again_on_next_connection(self):
        peer = Peer()
        peer.let_leave(1, 2)
        peer.send(ack_line(1))
        self.assertEqual(self.list_settled(peer), [])
        peer.send(ack_line(2))
        self.assertEqual(self.list_settled(peer), [b'["settled",1001,2]\n'])
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.send(b'["ping",1]\n')
        self.assertEqual(self.list_settled(again), [b'["settled",1001,2]\n'])

    def test_unknown_peer_is_not_sent_settled(self):
        peer = Peer()
        peer.let_leave(1)
        peer.wait(10_100)  # it is a legacy peer then
        self.assertEqual((peer.road.outbound, self.list_settled(peer)), ([], []))

    def test_received_settled_marks_arrival_and_malformed_one_nothing(self):
        peer = Peer()
        peer.send(peers_line(5))
        peer.road.take()
        for line in (b'["settled",2002]\n', b'["settled",2002,"5"]\n', b'["settled",2002,4]\n'):
            peer.send(line)
        self.assertEqual(peer.ledger.arrivals, [(PEERS, 5, "SEASIDE", 0)])
        peer.send(b'["settled",2002,5]\n')
        self.assertEqual(peer.ledger.arrivals, [(PEERS, 5, "SEASIDE", SETTLED)])


class TestFormerRoads(unittest.TestCase):
    def test_sequences_of_removed_roads_go_on_after_restart_the_latest_24(self):
        city = City("SEASIDE", 1, 0, 0)
        ledger = city.ledger = Ledger(77, False)
        for n in range(30):
            road = ledger.ensure_road("A%d" % n, 4)
            road.send(Merchant("bed", 1))
            road.acknowledge(road.sequence)
            ledger.remove_road(road.name)
        ledger.ensure_road("UNUSED", 4)
        ledger.remove_road("UNUSED")
        copy = decode_city(encode_city(city)).ledger
        self.assertEqual(copy.former, [("A%d" % n, n + 1) for n in range(6, 30)])
        self.assertEqual([copy.ensure_road("A%d" % n, 4).sequence for n in (7, 29, 3)], [8, 30, 30])

    def test_flags_and_proofs_are_saved(self):
        city = City("SEASIDE", 1, 0, 0)
        ledger = city.ledger = Ledger(77, False)
        for name, proven in (("A", True), ("B", False)):
            city.open_road(ledger.ensure_road(name, 4))
            ledger.roads[name].proven = proven
            ledger.record_arrival((len(name + "x" * proven), 3), name, proven)
        ledger.mark_settled(1, 3, "B")
        copy = decode_city(encode_city(city)).ledger
        self.assertEqual((copy.arrivals, copy.saved_arrivals), (ledger.arrivals, ledger.arrivals))
        self.assertEqual([copy.roads[name].proven for name in ("A", "B")], [True, False])


class TestAcknowledgements(unittest.TestCase):
    def test_acknowledgement_makes_ledger_dirty_only_if_it_removes_merchants(self):
        peer = Peer(volatile=False)
        peer.road.restore(ACKNOWLEDGING, 0)
        peer.let_leave(1, 2)
        peer.save_city()
        for sequence, dirty in ((0, False), (1, True), (1, False)):
            peer.ledger.dirty = False
            peer.send(ack_line(sequence))
            self.assertEqual(peer.ledger.dirty, dirty)


if __name__ == "__main__":
    unittest.main()
