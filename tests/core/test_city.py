"""A city between ticks: arrivals and their tax, departures, roads, yields, the status line."""

import json
import unittest

from core import scenarios
from deskonomy import status, text
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.local import connect
from deskonomy.roads.road import Road
from deskonomy.version import SOFTWARE, WIRE


def sum_locals_money(city):
    return sum(city.locals_column(k.MONEY))


def read_merchant_money(city, index):
    return city.state[city.merchant_offset(index) + k.MONEY]


class TestArrivals(unittest.TestCase):
    def test_arriving_merchant_pays_a_tenth_of_its_money_above_1000_coins(self):
        city = City("SEASIDE", 1, 20, 0)
        city.admit(Merchant("chair", money_mills=1_211_480))
        # 21148 mills of tax are 1057 for each of 20 locals; the remaining 8 stay with the merchant.
        self.assertEqual(read_merchant_money(city, 0), 1_211_480 - 20 * 1057)
        self.assertEqual(sum_locals_money(city), 20 * 1_000_000 + 20 * 1057)

    def test_merchant_with_1000_coins_pays_no_tax(self):
        city = City("SEASIDE", 1, 20, 0)
        city.admit(Merchant("chair", money_mills=1_000_000))
        self.assertEqual(read_merchant_money(city, 0), 1_000_000)

    def test_local_with_the_most_money_gets_no_share_of_the_tax(self):
        city = City("SEASIDE", 1, 2, 0)
        city.state[city.state[k.AT_LOCALS] + k.MONEY] = k.MONEY_MAX
        city.admit(Merchant("chair", money_mills=3_000_000))
        self.assertEqual(sum_locals_money(city), k.MONEY_MAX + 1_000_000 + 100_000)
        self.assertEqual(read_merchant_money(city, 0), 2_900_000)

    def test_one_merchant_arrives_per_road_and_tick(self):
        city = City("SEASIDE", 1, 20, 0)
        for name in ("A", "B"):
            road = Road(name)
            road.inbound.extend([Merchant("chair") for _ in range(5)])
            city.open_road(road)
        city.run(1)
        self.assertEqual(city.state[k.MERCHANTS], 2)
        city.run(4)
        self.assertEqual([city.roads[name].received for name in ("A", "B")], [5, 5])

    def test_merchants_wait_on_the_road_to_a_full_city(self):
        city = City("SEASIDE", 1, 4, 2, merchants_max=3)
        road = Road("A")
        road.inbound.extend([Merchant("chair") for _ in range(5)])
        city.open_road(road)
        road.outbound.extend([None] * road.capacity)  # the road is full, so no merchant leaves
        city.run(50)
        self.assertEqual(city.state[k.MERCHANTS], 3)
        self.assertEqual(len(road.inbound), 4)

    def test_roads_to_full_city_take_turns(self):
        """With each number of busy roads, at each pace of departures, and also after a restart."""
        for count in (2, 3, 5):
            for departures in (1, 2, 3):
                city = City("SEASIDE", 1, 0, 0, merchants_max=3)
                for n in range(7):
                    city.open_road(Road("R%d" % n))
                busy = [city.roads["R%d" % n] for n in range(7 - count, 7)]
                for tick in range(120):
                    for road in busy:
                        road.inbound.extend([Merchant("chair") for _ in range(4 - len(road.inbound))])
                    city._admit_waiting()
                    if tick % departures == 0:
                        city.remove_merchant(0)
                shares = [road.received for road in busy]
                self.assertLessEqual(max(shares) - min(shares), 3, (count, departures, shares))

    def test_idle_road_has_no_turn(self):
        city = City("SEASIDE", 1, 0, 0, merchants_max=1)
        for name in ("A", "B"):
            city.open_road(Road(name))
        city.roads["B"].inbound.extend([Merchant("chair") for _ in range(9)])
        for n in range(9):
            city._admit_waiting()
            self.assertEqual(city.roads["B"].received, n + 1)
            city.remove_merchant(0)


class TestMerchantRecords(unittest.TestCase):
    def admit_and_copy(self, city, merchant):
        city.admit(merchant)
        return city.copy_merchant(city.state[k.MERCHANTS] - 1)

    def test_merchant_keeps_all_fields_in_a_city(self):
        prices = {"bed": {"SEASIDE": 5, "ELSEWHERE": 7_000_000}, "fur": {"SEASIDE": 3, "DESKTOWN": 9}}
        city = City("SEASIDE", 1)
        copy = self.admit_and_copy(city, Merchant("fur", 500_001, 9999, 10_000, prices))
        self.assertEqual((copy.good, copy.money_mills, copy.capacity, copy.owned), ("fur", 500_001, 9999, 10_000))
        self.assertEqual(copy.prices_mills, prices)

    def test_merchant_keeps_prices_of_more_cities_than_the_array_has_places(self):
        prices = {"wood": {}}
        for n in range(40):
            prices["wood"]["CITY%d" % n] = n + 1
        city = City("SEASIDE", 1)
        self.assertEqual(self.admit_and_copy(city, Merchant("wood", prices_mills=prices)).prices_mills, prices)

    def test_merchant_keeps_prices_when_roads_take_over_places(self):
        prices = {"wood": {}}
        for n in range(12):
            prices["wood"]["CITY%d" % n] = n + 1
        city = City("SEASIDE", 1, 4, 0)
        city.admit(Merchant("wood", prices_mills=prices))
        for n in range(11, -1, -1):
            city.open_road(Road("CITY%d" % n))
        self.assertEqual(city.copy_merchant(0).prices_mills, prices)
        self.assertEqual(city.state[city.expected_price_offset(0, 0, city.places.index("CITY11"))], 12)
        city.run(100)

    def test_merchant_with_an_unknown_good_keeps_it_and_does_not_sell(self):
        city = City("SEASIDE", 1, 20, 0)
        city.admit(Merchant("fur", owned=4))
        city.run(500)
        copy = city.copy_merchant(0)
        self.assertEqual((copy.good, copy.owned, copy.money_mills), ("fur", 4, 1_000_000))

    def test_baggage_stays_with_its_merchant_when_others_are_removed(self):
        city = City("SEASIDE", 1, 4, 0)
        for n in range(4):
            city.admit(Merchant("fur%d" % n, owned=n + 1))
        city.remove_merchant(1)
        city.remove_merchant(0)
        copies = [city.copy_merchant(n) for n in range(2)]
        self.assertEqual(sorted([(copy.good, copy.owned) for copy in copies]), [("fur2", 3), ("fur3", 4)])


class TestRoads(unittest.TestCase):
    def test_merchant_stays_when_the_road_is_full(self):
        city = City("SEASIDE", 1, 4, 40)
        road = Road("A", capacity=3)
        city.open_road(road)
        city.run(3000)
        self.assertEqual(len(road.outbound), 3)
        self.assertEqual(city.state[k.MERCHANTS], 37)

    def test_no_merchant_leaves_by_a_road_that_is_down_or_closed(self):
        city = City("SEASIDE", 1, 4, 40)
        road = Road("A")
        road.state = "down"
        city.open_road(road)
        city.run(500)
        self.assertEqual(road.outbound, [])
        road.state = "up"
        city.run(500)
        self.assertGreater(len(road.outbound), 0)
        city.close_road("A")
        city.run(500)
        self.assertEqual(city.state[k.MERCHANTS] + len(road.outbound), 40)

    def test_merchants_travel_both_ways_where_beds_have_two_prices(self):
        cheap, dear = City("RIVERWOOD", 5), City("SEASIDE", 6)
        connect(cheap, dear)
        for _ in range(2000):
            cheap.run()
            dear.run()
        self.assertGreater(cheap.roads["SEASIDE"].sent, 10)
        self.assertGreater(dear.roads["RIVERWOOD"].sent, 10)


class TestLocalRoads(unittest.TestCase):
    def test_result_does_not_depend_on_the_order_of_cities(self):
        names = ("RIVERWOOD", "SEASIDE", "WINTERHOLD")
        results = []
        for turn in range(3):
            cities = scenarios.build_world(3, 8, 12, names)
            for tick in range(600):
                first = turn * tick % 3
                for city in cities[first:] + cities[:first]:
                    city.run()
            results.append(
                [(city.digest(), [city.roads[name].status() for name in sorted(city.roads)]) for city in cities]
            )
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])
        self.assertGreater(sum(road["received"] for _, roads in results[0] for road in roads), 20)

    def test_merchant_that_leaves_in_a_tick_arrives_in_the_next(self):
        for forward in (True, False):
            here, there = City("A", 1, 4, 0), City("B", 2, 4, 0)
            connect(here, there)
            order = (here, there) if forward else (there, here)
            for city in order:
                city.run()
                if city is here:
                    here.roads["B"].send(Merchant("chair"))
            self.assertEqual((there.state[k.MERCHANTS], here.roads["B"].status()["waiting"]), (0, 1))
            for city in order:
                city.run()
            self.assertEqual((there.state[k.MERCHANTS], here.roads["B"].status()["waiting"]), (1, 0))

    def test_road_to_a_full_city_fills_up_and_no_money_is_lost(self):
        here, there = City("A", 1, 4, 40), City("B", 2, 4, 0, merchants_max=2)
        connect(here, there)
        here.roads["B"].capacity = 5
        for _ in range(3000):
            here.run()
            there.run()
        self.assertEqual((here.roads["B"].status()["waiting"], here.roads["B"].credit()), (5, 0))
        self.assertEqual(scenarios.sum_money_mills([here, there]), 48_000_000)


class TestYields(unittest.TestCase):
    def count_made(self, city, good):
        return city.state[city.good_offset(good) + k.MADE]

    def test_good_is_not_made_at_yield_0(self):
        city = City("SEASIDE", 2)
        city.set_yield("wood", 0)
        city.run(1000)
        self.assertEqual(self.count_made(city, "wood"), 0)
        self.assertGreater(self.count_made(city, "thread"), 0)

    def test_good_is_made_in_a_quarter_of_the_acts_at_yield_250(self):
        # Only wood can be made, and there is no other resident to sell it: so each act that is no rest makes wood.
        city = City("SEASIDE", 2, 1, 0)
        for good in ("chair", "thread", "bed"):
            city.set_yield(good, 0)
        state, row = city.state, city.good_offset("wood")
        acts = 0
        city.set_yield("wood", 250)
        local = state[k.AT_LOCALS]
        leisure = local + k.LEISURE
        for _ in range(40_000):
            state[local + k.LEISURE_VALUE] = 0
            state[local + k.LOCAL_ROWS] = 0  # the stock of wood
            random_a = state[k.RANDOM_A]
            state[leisure] = 1
            city.run(1)
            if state[k.RANDOM_A] != random_a and state[leisure] != 1:
                acts += 1
        self.assertGreater(acts, 3000)
        share = state[row + k.MADE] / acts
        self.assertGreater(share, 0.22)
        self.assertLess(share, 0.28)

    def test_override_wins_over_a_sensor_until_it_is_cleared(self):
        city = City("SEASIDE", 2)
        city.set_yield("wood", 500, override=True)
        city.set_yield("wood", 1500)
        self.assertEqual(city.yield_mills("wood"), 500)
        city.clear_override("wood")
        city.set_yield("wood", 1500)
        self.assertEqual(city.yield_mills("wood"), 1500)

    def test_set_yield_rejects_unknown_goods_and_yields_out_of_range(self):
        city = City("SEASIDE", 2)
        self.assertRaises(ValueError, city.set_yield, "gold", 1000)
        self.assertRaises(ValueError, city.set_yield, "wood", -1)
        self.assertRaises(ValueError, city.set_yield, "wood", 100_001)


class TestStatus(unittest.TestCase):
    def test_status_has_versions_of_software_and_wire(self):
        found = json.loads(status.format_status(City("SEASIDE", 1, 2, 0)))
        self.assertEqual(found["version"], {"software": SOFTWARE, "wire": WIRE})

    def test_status_is_json_for_names_with_a_backslash(self):
        city = City("SEA\\SIDE", 1, 2, 0)
        city.roads["A\\Q"] = Road("A\\Q")
        line = status.format_status(city, [("sensors", text.format_object([("li\\ght", "{}")]))])
        found = json.loads(line)
        self.assertEqual(
            (found["city"], list(found["roads"]), list(found["sensors"])), ("SEA\\SIDE", ["A\\Q"], ["li\\ght"])
        )
