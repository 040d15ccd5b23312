"""What two cities say to each other, without sockets: each rule of session.py, on both interpreters."""

import unittest

from core.lines import line_of
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.wire.protocol import Connection
from deskonomy.wire.session import Session

OWN, THEIRS = 1001, 2002  # incarnations


def no_memory(*words):
    raise MemoryError


class Peer:
    """A city's end, and bytes typed by hand at the other. now_ms: its clock. heard: what it has said, in lines."""

    def __init__(self, volatile=True, room=5, ledger=None):
        self.ledger = ledger or Ledger(OWN, volatile)
        self.road = self.ledger.road("SEASIDE", room)
        self.now_ms = 0
        self.log = []
        self.heard = []
        self.session = Session(Connection("RIVERWOOD", 0), 0, self.log.append)
        self.go_on(0)
        self.say(b"SEASIDE\n")
        self.session.carry(self.road)
        self.go_on(1200)
        self.heard[:] = []

    def go_on(self, ms):
        """Let so much time pass, a tenth of a second at a time."""
        until_ms = self.now_ms + ms
        while True:
            self.session.advance(self.now_ms)
            data = self.session.next_bytes(self.now_ms)
            while data is not None:
                self.heard.append(data)
                data = self.session.next_bytes(self.now_ms)
            if self.now_ms >= until_ms:
                return
            self.now_ms += 100

    def say(self, *lines):
        for line in lines:
            self.session.receive(line, self.now_ms)
            self.go_on(0)

    def said(self):
        """What the city has said since the last time, but for its room (see TestRoom)."""
        lines = [line for line in self.heard if line != room(self.road.room)]
        self.heard[:] = []
        return lines

    def depart(self, *moneys):
        for money in moneys:
            self.road.send(Merchant("bed", money))
        self.go_on(0)

    def save(self):
        self.ledger.release(self.ledger.mark())
        self.go_on(0)


def theirs(sequence, money=7, incarnation=THEIRS):
    return line_of(Merchant("bed", money, id=(incarnation, sequence)))


def own(sequence, money):
    return line_of(Merchant("bed", money, id=(OWN, sequence)))


def ack(sequence, incarnation=OWN):
    return b'["ack",%d,%d]\n' % (incarnation, sequence)


def room(merchants):
    return b'["room",%d]\n' % merchants


class TestDepartures(unittest.TestCase):
    def test_one_until_the_first_acknowledgement_then_all(self):
        peer = Peer()
        peer.depart(1, 2, 3)
        self.assertEqual(peer.said(), [own(1, 1)])
        peer.say(ack(0))
        self.assertEqual(peer.said(), [own(2, 2), own(3, 3)])
        self.assertEqual(len(peer.road.outbound), 3)
        peer.say(ack(2))
        self.assertEqual([one.money_mills for one in peer.road.outbound], [3])
        self.assertEqual(peer.road.status()["kind"], "ours")

    def test_nobody_leaves_before_a_checkpoint(self):
        peer = Peer(volatile=False)
        peer.depart(1)
        self.assertEqual((peer.said(), peer.ledger.crossed), ([], True))
        mark = peer.ledger.mark()
        peer.say(ack(0))
        peer.depart(2)
        peer.ledger.release(mark)
        peer.go_on(0)
        self.assertEqual(peer.said(), [own(1, 1)])
        peer.say(ack(1))
        self.assertEqual(peer.said(), [])
        peer.save()
        self.assertEqual(peer.said(), [own(2, 2)])

    def test_after_a_reconnect_the_ledger_is_sent_again(self):
        peer = Peer()
        peer.depart(1, 2, 3)
        peer.say(ack(1))
        peer.session.end(True)
        self.assertEqual((peer.road.state, len(peer.road.outbound)), ("down", 2))
        again = Peer(ledger=peer.ledger)
        again.go_on(0)
        again.session.carry(peer.road)
        self.assertEqual(peer.road.ours, True)
        again.depart(4)
        again.say(ack(2))
        self.assertEqual([line for line in again.heard if b"Money" in line], [own(3, 3), own(4, 4)])

    def test_an_acknowledgement_of_what_was_not_sent_ends_the_connection(self):
        for line in (ack(2), b'["refuse",%d,9,""]\n' % OWN, b'["ack",%d,"1"]\n' % OWN):
            peer = Peer()
            peer.depart(1, 2)
            peer.say(line)
            self.assertIn("was not sent", peer.session.broken)
            self.assertEqual(len(peer.road.outbound), 2)

    def test_words_that_say_nothing(self):
        peer = Peer()
        peer.depart(1, 2)
        peer.said()
        for line in (
            ack(1, THEIRS),
            b'["ack"]\n',
            b'["ack",1]\n',
            b'["dance",1,2]\n',
            b'["ping"]\n',
            b'["ping","x"]\n',
        ):
            peer.say(line)
        self.assertEqual((peer.said(), peer.session.broken, peer.road.ours), ([], None, None))

    def test_who_is_refused_comes_home_and_nobody_else(self):
        peer = Peer()
        peer.depart(1, 2, 3)
        peer.say(ack(0), b'["refuse",%d,2,"too rich"]\n' % OWN)
        self.assertEqual([one.money_mills for one in peer.road.outbound], [3])
        self.assertEqual([one.money_mills for one in peer.road.home()], [2])
        self.assertEqual(peer.ledger.mills(), 5)
        self.assertEqual(peer.road.take().money_mills, 2)
        self.assertEqual(peer.ledger.mills(), 3)
        self.assertIn("too rich", peer.log[-1])


class TestStrangers(unittest.TestCase):
    def test_who_acknowledges_nothing_is_none_of_ours(self):
        peer = Peer(volatile=False)
        peer.depart(1, 2)
        peer.save()
        self.assertEqual(peer.said(), [own(1, 1)])
        peer.go_on(9_900)
        self.assertEqual((peer.said(), peer.road.ours), ([], None))
        peer.go_on(200)
        # The checkpoint that there is still holds the second one.
        self.assertEqual((peer.said(), peer.road.ours, peer.road.kept()), ([], False, []))
        peer.save()
        self.assertEqual(peer.said(), [own(2, 2)])
        self.assertEqual((peer.road.outbound, peer.road.status()["kind"]), ([], "legacy"))

    def test_no_message_goes_to_a_stranger(self):
        peer = Peer()
        peer.depart(1)
        peer.say(line_of(Merchant("bed", 5)))
        peer.go_on(60_000)
        self.assertEqual(peer.said(), [own(1, 1)])
        self.assertEqual(peer.session.broken, None)

    def test_whoever_is_half_out_to_a_stranger_is_lost_with_the_connection(self):
        for pieces, lost in ((1, 1), (2, 1), (9, 0)):
            peer = Peer()
            peer.depart(1)
            peer.go_on(10_100)
            known = {}
            for n in range(80):
                known["CITY %d" % n] = n
            peer.road.send(Merchant("bed", 2, prices_mills={"bed": known, "wood": known}))
            peer.ledger.release(peer.ledger.mark())
            for _ in range(pieces):
                peer.session.next_bytes(peer.now_ms)
            peer.session.end(True)
            self.assertEqual((peer.road.lost, peer.road.outbound), (lost, []))

    def test_a_stranger_that_speaks_up_is_one_of_ours(self):
        peer = Peer()
        peer.depart(1)
        peer.go_on(10_100)
        self.assertEqual(peer.road.ours, False)
        peer.say(b'["ping",3]\n')
        self.assertEqual(peer.said()[-1], b'["pong",3]\n')
        peer.depart(2, 3)
        self.assertEqual((peer.road.ours, peer.said()), (True, [own(2, 2)]))
        peer.say(ack(1))
        self.assertEqual(peer.said(), [own(3, 3)])

    def test_one_of_ours_stays_one(self):
        peer = Peer()
        peer.depart(1)
        peer.say(ack(1))
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.depart(2)
        again.go_on(10_100)
        self.assertIn("acknowledges nothing", again.session.broken)
        self.assertEqual((len(again.road.outbound), again.road.ours), (1, True))

    def test_time_in_which_nobody_looked_is_no_silence(self):
        peer = Peer()
        peer.depart(1)
        peer.now_ms += 50_000
        peer.say(ack(1))
        self.assertEqual((peer.road.ours, peer.session.broken), (True, None))

    def test_ids_that_a_stranger_passes_on_mean_nothing(self):
        peer = Peer()
        peer.ledger.arrive((3003, 9), "WINTERHOLD")
        peer.say(theirs(4, incarnation=OWN), theirs(4, incarnation=3003))
        self.assertEqual([one.id for one in peer.road.inbound], [None, None])
        self.assertEqual(peer.said(), [])


class TestArrivals(unittest.TestCase):
    def test_acknowledged_when_saved(self):
        peer = Peer(volatile=False)
        peer.say(theirs(5), theirs(6))
        self.assertEqual(peer.said(), [ack(0, THEIRS)])
        self.assertEqual(peer.road.take().id, (THEIRS, 5))
        peer.save()
        self.assertEqual(peer.said(), [ack(5, THEIRS)])
        peer.road.take()
        peer.go_on(0)
        self.assertEqual(peer.said(), [])
        peer.save()
        self.assertEqual(peer.said(), [ack(6, THEIRS)])

    def test_who_has_come_is_dropped_and_acknowledged(self):
        peer = Peer()
        peer.say(theirs(5))
        peer.road.take()
        peer.go_on(0)
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.say(theirs(4), theirs(5), theirs(6))
        self.assertEqual(again.said(), [ack(4, THEIRS), ack(5, THEIRS)])
        self.assertEqual([one.id for one in again.road.inbound], [(THEIRS, 6)])

    def test_who_has_not_entered_comes_again(self):
        peer = Peer()
        peer.say(theirs(5), line_of(Merchant("bed", 3)))
        peer.session.end(True)
        self.assertEqual([one.id for one in peer.road.inbound], [None])

    def test_a_gap_ends_the_connection(self):
        for line in (theirs(7), theirs(5), theirs(4), theirs(6, incarnation=THEIRS + 1)):
            peer = Peer()
            peer.say(theirs(5), line)
            self.assertIn("missing", peer.session.broken)
            self.assertEqual(len(peer.road.inbound), 1)

    def test_a_refusal_is_told_when_it_is_safe_and_in_order(self):
        peer = Peer(volatile=False)
        peer.say(theirs(5), theirs(6, money=2_000_000_000), theirs(7))
        peer.said()
        self.assertEqual([one.id[1] for one in peer.road.inbound], [5, 7])
        peer.save()
        self.assertEqual(peer.said(), [])
        peer.road.take()
        peer.go_on(0)
        self.assertEqual(peer.said(), [])
        peer.save()
        lines = peer.said()
        self.assertEqual(lines[0][:16], b'["refuse",2002,6')
        self.assertEqual(lines[1:], [])
        peer.road.take()
        peer.save()
        self.assertEqual(peer.said(), [ack(7, THEIRS)])


class TestRoom(unittest.TestCase):
    def test_ours_are_told_first_and_strangers_never(self):
        peer = Peer(room=2)
        peer.say(line_of(Merchant("bed", 5)))
        peer.go_on(60_000)
        self.assertEqual(peer.heard, [])
        peer.say(theirs(1))
        self.assertEqual(peer.heard, [room(2), ack(0, THEIRS)])
        peer.say(b'["ping",1]\n')
        self.assertFalse(room(2) in peer.heard[2:])

    def test_nobody_sets_out_beyond_it(self):
        peer = Peer()
        peer.depart(1, 2, 3, 4)
        peer.say(room(2), ack(0))
        self.assertEqual(peer.said(), [own(1, 1), own(2, 2)])
        peer.say(ack(1))
        self.assertEqual(peer.said(), [own(3, 3)])
        peer.say(b'["room",0]\n', b'["room","9"]\n', b'["room"]\n')
        self.assertEqual(peer.said(), [])
        peer.say(ack(3))
        self.assertEqual(peer.said(), [own(4, 4)])

    def test_a_city_that_is_full_hears_acknowledgements(self):
        peer = Peer(room=2)
        peer.depart(1, 2)
        peer.say(ack(0), theirs(1), theirs(2))
        self.assertEqual(len(peer.road.inbound), 2)
        peer.say(ack(2))
        self.assertEqual(peer.road.outbound, [])

    def test_who_comes_home_and_cannot_enter_keeps_nobody_from_being_heard(self):
        """Also on a new connection, whose peer has not shown yet that it is one of ours."""
        peer = Peer(room=1)
        peer.depart(1, 2)
        peer.say(b'["refuse",%d,1,"no"]\n' % OWN)
        peer.session.end(True)
        peer = Peer(room=1, ledger=peer.ledger)
        self.assertEqual((len(peer.road.home()), len(peer.road.outbound)), (1, 1))
        peer.go_on(0)
        peer.say(ack(2))
        self.assertEqual(peer.road.outbound, [])

    def test_whoever_sends_beyond_it_is_read_no_more_and_is_no_stranger(self):
        peer = Peer(room=2)
        peer.say(theirs(1), theirs(2), theirs(3), theirs(4), b'["ping",1]\n')
        self.assertEqual((len(peer.road.inbound), peer.session.wants_bytes()), (3, False))
        peer.go_on(60_000)
        self.assertIsNone(peer.session.broken)
        pings = [line for line in peer.said() if b"ping" in line]
        self.assertEqual(len(pings), 12)
        peer.road.take()
        peer.go_on(0)
        self.assertEqual(len(peer.road.inbound), 3)

    def test_a_stranger_waits_for_room(self):
        peer = Peer(room=2)
        line = line_of(Merchant("bed", 5))
        peer.say(line, line, line)
        self.assertEqual((len(peer.road.inbound), peer.session.wants_bytes()), (2, False))


class TestMemory(unittest.TestCase):
    def test_a_strangers_merchant_waits_for_memory_and_nothing_is_read(self):
        peer, free = Peer(), [0]
        peer.session.connection.has_memory = lambda bytes_: bytes_ <= free[0]
        peer.say(line_of(Merchant("bed", 3)))
        self.assertEqual((peer.road.inbound, peer.session.wants_bytes()), ([], False))
        free[0] = 10_000
        peer.go_on(0)
        self.assertEqual([one.money_mills for one in peer.road.inbound], [3])
        self.assertEqual((peer.session.wants_bytes(), peer.road.refused), (True, 0))

    def test_one_of_ours_comes_in_and_forgets(self):
        peer = Peer()
        peer.session.connection.has_memory = lambda bytes_: False
        for sequence in (5, 6):
            peer.say(line_of(Merchant("bed", 7, prices_mills={"bed": {"A": 1}}, id=(THEIRS, sequence))))
        peer.say(b'["ping",1]\n')
        self.assertEqual([(one.money_mills, one.prices_mills) for one in peer.road.inbound], [(7, {})] * 2)
        self.assertEqual((peer.said()[-1], len(peer.log)), (b'["pong",1]\n', 1))
        self.assertIn("no memory for all that merchants from SEASIDE know", peer.log[0])

    def test_one_of_ours_that_is_here_already_is_not_refused_when_it_comes_again(self):
        peer = Peer()
        peer.say(theirs(5))
        peer.road.take()
        peer.session.end(True)
        again = Peer(ledger=peer.ledger)
        again.session.connection.has_memory = lambda bytes_: False
        again.say(theirs(5))
        again.save()
        self.assertEqual((again.road.inbound, again.said()[-1]), ([], ack(5, THEIRS)))

    def test_an_end_without_memory_leaves_the_road_free_and_nobody_twice(self):
        peer = Peer()
        peer.say(theirs(5))
        peer.session.connection.next_event = no_memory
        peer.session.end(True)
        self.assertEqual((peer.road.state, peer.road.link, peer.road.inbound), ("down", None, []))
        again = Peer(ledger=peer.ledger)
        again.say(theirs(5))
        self.assertEqual(len(again.road.inbound), 1)

    def test_a_stranger_does_not_set_out_in_a_line_that_there_is_no_memory_for(self):
        peer = Peer()
        peer.road.turn(False)
        peer.session.connection.send = no_memory
        self.assertRaises(MemoryError, peer.depart, 7)
        peer.session.end(True)
        self.assertEqual(([one.money_mills for one in peer.road.outbound], peer.road.lost), ([7], 0))

    def test_who_cannot_come_home_for_want_of_memory_still_waits(self):
        class Full(list):
            def append(self, one):
                no_memory()

        peer = Peer(volatile=False)
        peer.depart(7, 8)
        peer.road.inbound = Full()
        self.assertRaises(MemoryError, peer.session.end, False)
        self.assertEqual(([one.money_mills for one in peer.road.outbound], peer.road.sequence), ([7, 8], 2))
        self.assertEqual((peer.road.state, peer.road.saved), ("down", 0))


class TestKeepalive(unittest.TestCase):
    def test_time_in_which_nobody_listens_is_no_silence_but_nobody_came_either(self):
        peer = Peer(room=1)
        peer.say(theirs(1), theirs(2), theirs(3))
        came_ms = peer.session.came_ms
        peer.go_on(20_000)
        self.assertEqual((peer.session.broken, peer.session.came_ms), (None, came_ms))
        self.assertEqual(peer.session.heard_ms, peer.now_ms)

    def test_ping_after_5_s_and_the_end_after_15(self):
        peer = Peer()
        peer.say(b'["pong",1]\n')
        peer.go_on(4_900)
        self.assertEqual(peer.said(), [])
        peer.go_on(200)
        self.assertIn(b"ping", peer.said()[0])
        peer.go_on(9_800)
        self.assertIsNone(peer.session.broken)
        peer.go_on(200)
        self.assertIn("silent", peer.session.broken)

    def test_many_pings_are_one_pong(self):
        peer = Peer()
        peer.session.receive(b'["ping",1]\n' * 50, peer.now_ms)
        peer.go_on(0)
        self.assertEqual(peer.said(), [b'["pong",1]\n'])


class TestTheEnd(unittest.TestCase):
    def test_a_refusal_that_was_not_safe_ends_with_the_connection(self):
        peer = Peer(volatile=False)
        peer.say(theirs(5), theirs(6, money=2_000_000_000))
        peer.session.end(True)
        peer.session.advance(peer.now_ms)
        self.assertEqual(peer.ledger.last_of(THEIRS, "SEASIDE"), 0)

    def test_who_has_not_set_out_turns_back_if_nobody_dials(self):
        peer = Peer()
        peer.depart(1, 2, 3)
        peer.session.end(False)
        self.assertEqual([one.money_mills for one in peer.road.outbound], [1])
        self.assertEqual(sorted([one.money_mills for one in peer.road.home()]), [2, 3])
        self.assertEqual(peer.road.sequence, 1)

    def test_what_a_checkpoint_said_of_those_who_turned_back_counts_for_nobody(self):
        peer = Peer(volatile=False)
        peer.depart(1, 2)
        peer.save()
        mark = peer.ledger.mark()
        peer.session.end(False)
        peer.ledger.release(mark)
        peer.road.send(Merchant("bed", 9))
        self.assertEqual((peer.road.saved, peer.road.sequence), (1, 2))


if __name__ == "__main__":
    unittest.main()
