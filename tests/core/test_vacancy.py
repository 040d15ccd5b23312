"""Roads that are forgotten, by command or because their place is needed: their merchants return."""

import unittest

from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.wire_road import ACKNOWLEDGING
from deskonomy.wire import vacancy

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


class StandInNetwork:
    """What vacancy.py needs of a network: a city, its ledger, a clock, and addresses that are dialled."""

    def __init__(self, merchants_max=None, residents=0):
        self.city = City("DESKTOWN", 1, 0, 0, merchants_max=merchants_max)
        self.ledger = self.city.ledger = Ledger(1001, False)
        self.clock = self
        self.time_ms = 0
        self.dialled = ()
        for n in range(residents):
            self.city.admit(Merchant("bed", 100 + n))

    def now_ms(self):
        return self.time_ms

    def find_address(self, name):
        return ("host", 1) if name in self.dialled else None

    def open_road(self, name, sent=0, proven=False):
        """Return a road that is down, with merchants that the peer has received and not acknowledged."""
        road = self.ledger.ensure_road(name, 4)
        self.city.open_road(road)
        road.peer_state, road.proven = ACKNOWLEDGING, proven
        for n in range(sent):
            road.send(Merchant("bed", 1000 + n))
        road.sent_sequence = road.sequence
        return road

    def count(self):
        """Return how many merchants live here, and how many wait on roads."""
        return self.city.state[k.MERCHANTS], sum([len(road.inbound) for road in self.ledger.roads.values()])


class TestForgottenRoads(unittest.TestCase):
    def test_forgotten_road_returns_its_merchants_and_keeps_its_sequence(self):
        network = StandInNetwork()
        network.open_road("SEASIDE", 3)
        network.ledger.record_arrival((2002, 5), "SEASIDE")
        network.ledger.record_arrival((3003, 5), "A")
        self.assertEqual(vacancy.forget_road(network, "SEASIDE"), 3)
        self.assertEqual((network.count(), network.ledger.dirty), ((3, 0), True))
        self.assertEqual((network.ledger.roads, network.city.roads), ({}, {}))
        self.assertEqual([arrival[2] for arrival in network.ledger.arrivals], ["A"])
        network.ledger.highest_sequence = 99
        self.assertEqual(network.ledger.ensure_road("SEASIDE", 4).sequence, 3)
        self.assertEqual(network.ledger.ensure_road("B", 4).sequence, 99)

    def test_merchants_that_find_no_room_wait_on_another_road(self):
        network = StandInNetwork(2, 1)
        network.open_road("A")
        network.open_road("SEASIDE", 3)
        self.assertEqual(vacancy.forget_road(network, "SEASIDE"), 3)
        self.assertEqual((network.count(), sorted(network.ledger.roads)), ((2, 2), ["A"]))

    def test_only_road_of_full_city_stays_until_its_merchants_have_entered(self):
        network = StandInNetwork(1, 1)
        network.open_road("SEASIDE", 2)
        self.assertEqual(vacancy.forget_road(network, "SEASIDE"), 2)
        self.assertEqual((network.count(), sorted(network.ledger.roads)), ((1, 2), ["SEASIDE"]))
        self.assertEqual(network.ledger.roads["SEASIDE"].outbound, [])
        network.city.remove_merchant(0)
        self.assertEqual(vacancy.forget_road(network, "SEASIDE"), 0)
        self.assertEqual(network.count(), (1, 1))

    def test_connected_and_unknown_roads_cannot_be_forgotten(self):
        network = StandInNetwork()
        road = network.open_road("SEASIDE", 1)
        road.connection = self
        for name, text in (
            ("SEASIDE", "SEASIDE is connected to DESKTOWN: only a road that is down can be forgotten"),
            ("A", "DESKTOWN has no road to A over the network"),
        ):
            try:
                vacancy.forget_road(network, name)
                self.fail("forgotten")
            except ValueError as error:
                self.assertEqual(str(error), text)
        self.assertEqual(len(road.outbound), 1)


class TestRoom(unittest.TestCase):
    def test_idle_road_gives_way_first_then_stranger_after_a_minute_then_any_after_a_day(self):
        network = StandInNetwork()
        network.open_road("KEYED", 2, True)
        network.open_road("STRANGER", 2)
        network.open_road("IDLE")
        self.assertTrue(vacancy.make_room(network))
        self.assertEqual(sorted(network.ledger.roads), ["KEYED", "STRANGER"])
        self.assertFalse(vacancy.make_room(network))
        network.time_ms = MINUTE_MS
        self.assertTrue(vacancy.make_room(network))
        self.assertEqual((sorted(network.ledger.roads), network.count()), (["KEYED"], (0, 2)))
        network.open_road("A").connection = self
        self.assertFalse(vacancy.make_room(network))
        network.time_ms = DAY_MS
        self.assertTrue(vacancy.make_room(network))
        self.assertEqual((sorted(network.ledger.roads), network.count()), (["A"], (0, 4)))

    def test_stranger_of_fewest_merchants_gives_way(self):
        network = StandInNetwork()
        for name, received in (("A", 9), ("B", 1), ("C", 5)):
            network.open_road(name, 1).received = received
        network.time_ms = MINUTE_MS
        for left in (["A", "C"], ["A"]):
            self.assertTrue(vacancy.make_room(network))
            self.assertEqual(sorted(network.ledger.roads), left)

    def test_dialled_road_stays(self):
        network = StandInNetwork()
        network.open_road("SEASIDE", 1)
        network.dialled = ("SEASIDE",)
        network.time_ms = DAY_MS
        self.assertFalse(vacancy.make_room(network))

    def test_full_board_of_vanished_peers_makes_room_for_a_new_one(self):
        """Six peers that fill 22 places and leave: a seventh gets a road, and every merchant can move again."""
        network = StandInNetwork(22, 22)
        for n in range(6):
            road = network.open_road("PH%d" % n, 4)
            for m in range(4):
                road.inbound.append(Merchant("chair", 10 * n + m))
        self.assertFalse(vacancy.make_room(network))
        network.time_ms = MINUTE_MS
        self.assertTrue(vacancy.make_room(network))
        road = network.open_road("SEVENTH")
        road.state = "up"
        network.city.run(1)
        self.assertEqual(network.city.state[k.MERCHANTS], 22)
        for n in range(52):  # each one that leaves lets another one enter
            index = n % 22
            network.city.state[network.city.merchant_offset(index) + k.ROAD] = network.city.places.index("SEVENTH")
            network.city.state[network.city.merchant_offset(index) + k.NEXT] = 0
            network.city.state[k.LEAVING] = index + 1
            network.city.send_leaving_merchants()
            road.acknowledge(road.sequence)
            network.city._admit_waiting()
        lost = sum([road.lost for road in network.ledger.roads.values()])
        self.assertEqual(network.count(), (22 - max(0, 52 - 28 + lost), 0))


if __name__ == "__main__":
    unittest.main()
