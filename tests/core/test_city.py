"""Who comes, who goes, what they pay and what they carry."""

import json
import unittest

from core import scenarios
from deskonomy import status
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.local import connect
from deskonomy.roads.road import Road


def locals_money(city):
    return scenarios.money_mills([city]) - sum(city.words[city._merchant(n)] for n in range(city.words[k.MERCHANTS]))


class Arrivals(unittest.TestCase):
    def test_the_rich_pay_a_tenth_of_what_is_above_a_thousand(self):
        city = City("SEASIDE", 1, 20, 0)
        city.admit(Merchant("chair", money_mills=1_211_480))
        # 21148 mills of tax make 1057 for each of 20 locals; the remaining 8 stay with whoever held them.
        self.assertEqual(city.words[city._merchant(0)], 1_211_480 - 20 * 1057)
        self.assertEqual(locals_money(city), 20 * 1_000_000 + 20 * 1057)

    def test_the_poor_pay_nothing(self):
        city = City("SEASIDE", 1, 20, 0)
        city.admit(Merchant("chair", money_mills=1_000_000))
        self.assertEqual(city.words[city._merchant(0)], 1_000_000)

    def test_a_local_who_is_as_rich_as_one_can_be_takes_no_more(self):
        city = City("SEASIDE", 1, 2, 0)
        city.words[city.words[k.AT_LOCALS] + k.MONEY] = k.MONEY_MAX
        city.admit(Merchant("chair", money_mills=3_000_000))
        self.assertEqual(locals_money(city), k.MONEY_MAX + 1_000_000 + 100_000)
        self.assertEqual(city.words[city._merchant(0)], 2_900_000)

    def test_one_a_road_and_tick(self):
        city = City("SEASIDE", 1, 20, 0)
        for name in ("A", "B"):
            road = Road(name)
            road.inbound.extend([Merchant("chair") for _ in range(5)])
            city.open_road(road)
        city.run(1)
        self.assertEqual(city.words[k.MERCHANTS], 2)
        city.run(4)
        self.assertEqual([city.roads[name].received for name in ("A", "B")], [5, 5])

    def test_a_full_city_lets_them_wait(self):
        city = City("SEASIDE", 1, 4, 2, merchants_max=3)
        road = Road("A")
        road.inbound.extend([Merchant("chair") for _ in range(5)])
        city.open_road(road)
        road.outbound.extend([None] * road.room)  # so that nobody leaves
        city.run(50)
        self.assertEqual(city.words[k.MERCHANTS], 3)
        self.assertEqual(len(road.inbound), 4)


class Travellers(unittest.TestCase):
    def round_trip(self, city, merchant):
        city.admit(merchant)
        return city._record(city.words[k.MERCHANTS] - 1)

    def test_everything_comes_out_as_it_went_in(self):
        prices = {"bed": {"SEASIDE": 5, "ELSEWHERE": 7_000_000}, "fur": {"SEASIDE": 3, "DESKTOWN": 9}}
        city = City("SEASIDE", 1)
        out = self.round_trip(city, Merchant("fur", 500_001, 9999, 10_000, prices))
        self.assertEqual((out.good, out.money_mills, out.capacity, out.owned), ("fur", 500_001, 9999, 10_000))
        self.assertEqual(out.prices_mills, prices)

    def test_more_cities_than_columns(self):
        prices = {"wood": {}}
        for n in range(40):
            prices["wood"]["CITY%d" % n] = n + 1
        city = City("SEASIDE", 1)
        self.assertEqual(self.round_trip(city, Merchant("wood", prices_mills=prices)).prices_mills, prices)

    def test_columns_change_hands_when_roads_open(self):
        prices = {"wood": {}}
        for n in range(12):
            prices["wood"]["CITY%d" % n] = n + 1
        city = City("SEASIDE", 1, 4, 0)
        city.admit(Merchant("wood", prices_mills=prices))
        for n in range(11, -1, -1):
            city.open_road(Road("CITY%d" % n))
        self.assertEqual(city._record(0).prices_mills, prices)
        self.assertEqual(city.words[city._expects(0, 0, city.places.index("CITY11"))], 12)
        city.run(100)

    def test_an_unknown_good_is_kept_and_never_sold(self):
        city = City("SEASIDE", 1, 20, 0)
        city.admit(Merchant("fur", owned=4))
        city.run(500)
        out = city._record(0)
        self.assertEqual((out.good, out.owned, out.money_mills), ("fur", 4, 1_000_000))

    def test_baggage_follows_its_owner(self):
        city = City("SEASIDE", 1, 4, 0)
        for n in range(4):
            city.admit(Merchant("fur%d" % n, owned=n + 1))
        city._remove(1)
        city._remove(0)
        records = [city._record(n) for n in range(2)]
        self.assertEqual(sorted([(one.good, one.owned) for one in records]), [("fur2", 3), ("fur3", 4)])


class Roads(unittest.TestCase):
    def test_who_finds_a_road_full_stays(self):
        city = City("SEASIDE", 1, 4, 40)
        road = Road("A", room=3)
        city.open_road(road)
        city.run(3000)
        self.assertEqual(len(road.outbound), 3)
        self.assertEqual(city.words[k.MERCHANTS], 37)

    def test_a_road_that_is_down_takes_nobody(self):
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
        self.assertEqual(city.words[k.MERCHANTS] + len(road.outbound), 40)

    def test_beds_flow_from_where_they_are_cheap(self):
        cheap, dear = City("RIVERWOOD", 5), City("SEASIDE", 6)
        connect(cheap, dear)
        for _ in range(2000):
            cheap.run()
            dear.run()
        self.assertGreater(cheap.roads["SEASIDE"].sent, 10)
        self.assertGreater(dear.roads["RIVERWOOD"].sent, 10)


class Lanes(unittest.TestCase):
    def test_the_order_of_cities_does_not_matter(self):
        names = ("RIVERWOOD", "SEASIDE", "WINTERHOLD")
        found = []
        for turn in range(3):
            cities = scenarios.world(3, 8, 12, names)
            for tick in range(600):
                first = turn * tick % 3
                for city in cities[first:] + cities[:first]:
                    city.run()
            found.append(
                [(city.digest(), [city.roads[name].status() for name in sorted(city.roads)]) for city in cities]
            )
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])
        self.assertGreater(sum(road["received"] for _, roads in found[0] for road in roads), 20)

    def test_who_sets_out_in_a_tick_enters_in_the_next(self):
        for forward in (True, False):
            here, there = City("A", 1, 4, 0), City("B", 2, 4, 0)
            connect(here, there)
            order = (here, there) if forward else (there, here)
            for city in order:
                city.run()
                if city is here:
                    here.roads["B"].send(Merchant("chair"))
            self.assertEqual((there.words[k.MERCHANTS], here.roads["B"].status()["waiting"]), (0, 1))
            for city in order:
                city.run()
            self.assertEqual((there.words[k.MERCHANTS], here.roads["B"].status()["waiting"]), (1, 0))

    def test_a_city_that_takes_nobody_in_is_full_at_last(self):
        here, there = City("A", 1, 4, 40), City("B", 2, 4, 0, merchants_max=2)
        connect(here, there)
        here.roads["B"].room = 5
        for _ in range(3000):
            here.run()
            there.run()
        self.assertEqual((here.roads["B"].status()["waiting"], here.roads["B"].space()), (5, 0))
        self.assertEqual(scenarios.money_mills([here, there]), 48_000_000)


class Yields(unittest.TestCase):
    def made(self, city, good):
        return city.words[city._row(good) + k.MADE]

    def test_nothing_is_made_at_zero(self):
        city = City("SEASIDE", 2)
        city.set_yield("wood", 0)
        city.run(1000)
        self.assertEqual(self.made(city, "wood"), 0)
        self.assertGreater(self.made(city, "thread"), 0)

    def test_a_quarter_makes_one_in_four(self):
        # Where only wood can be made and nobody sells it, count what makes it.
        city = City("SEASIDE", 2, 1, 0)
        for good in ("chair", "thread", "bed"):
            city.set_yield(good, 0)
        words, row = city.words, city._row("wood")
        acts = 0
        city.set_yield("wood", 250)
        start = words[k.AT_LOCALS]
        rest = start + k.LEISURE_VALUE
        stock = start + k.LOCAL_ROWS
        for _ in range(40_000):
            words[rest] = 0
            words[stock] = 0
            random = words[k.RANDOM_A]
            leisure = words[rest - 1] = 1
            city.run(1)
            if words[k.RANDOM_A] != random and words[rest - 1] != leisure:
                acts += 1
        self.assertGreater(acts, 3000)
        share = words[row + k.MADE] / acts
        self.assertGreater(share, 0.22)
        self.assertLess(share, 0.28)

    def test_by_hand_beats_a_sensor_until_released(self):
        city = City("SEASIDE", 2)
        city.set_yield("wood", 500, by_hand=True)
        city.set_yield("wood", 1500)
        self.assertEqual(city.yield_mills("wood"), 500)
        city.release_yield("wood")
        city.set_yield("wood", 1500)
        self.assertEqual(city.yield_mills("wood"), 1500)

    def test_nonsense_is_refused(self):
        city = City("SEASIDE", 2)
        self.assertRaises(ValueError, city.set_yield, "gold", 1000)
        self.assertRaises(ValueError, city.set_yield, "wood", -1)
        self.assertRaises(ValueError, city.set_yield, "wood", 100_001)


class Status(unittest.TestCase):
    def test_whatever_a_name_may_have_is_json(self):
        city = City("SEA\\SIDE", 1, 2, 0)
        city.roads["A\\Q"] = Road("A\\Q")
        said = json.loads(status.line(city, [("sensors", status.json_object([("li\\ght", "{}")]))]))
        self.assertEqual(
            (said["city"], list(said["roads"]), list(said["sensors"])), ("SEA\\SIDE", ["A\\Q"], ["li\\ght"])
        )
