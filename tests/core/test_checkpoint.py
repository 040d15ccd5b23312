"""A city as bytes, and back: nothing is lost, and nothing is believed that was not saved."""

import unittest
from array import array

from core import scenarios
from core.scenarios import facts
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS, Good
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidCheckpointError
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.local import connect
from deskonomy.roads.road import Road
from deskonomy.storage.decode import _unpack, thaw
from deskonomy.storage.encode import _pack, freeze, pieces

LARGEST = (1 << 53) - 1


def traveller(n=0, id=None):
    prices = {"bed": {"SEASIDE": 0, "ELSEWHERE": 7_000_000 + n}, "fur": {"SEASIDE": 1_000_000_000, "Ä": 9}}
    return Merchant(("bed", "fur")[n % 2], 1_000_000_000 - n, 9999, n, prices, id)


def on_the_wire(seed=1, incarnation=77):
    """A city with a ledger and two roads that are up."""
    city = City("SEASIDE", seed)
    city.ledger = Ledger(incarnation, False)
    for name in ("A", "Ö"):
        road = city.ledger.road(name, 100)
        road.state = "up"
        city.open_road(road)
    return city


class Codes(unittest.TestCase):
    def test_every_number_comes_back(self):
        numbers = [0, 1, k.NEVER, k.NEVER - 1, k.NEVER + 1, (1 << 31) - 1]
        for bits in range(31):
            numbers += [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]
        for repeat in (1, 2, 6, 7, 8, 9, 15, 30):
            numbers += [0] * repeat + [k.NEVER] * repeat + [5] * repeat
        words = array("i", numbers)
        data = bytearray(5 * len(words))
        end = _pack(words, 0, len(words), data, 0)
        back = array("i", bytes(4 * len(words)))
        self.assertEqual(_unpack(bytes(data), 0, back, 0, len(words)), end)
        self.assertEqual(list(back), numbers)

    def test_pieces_are_small(self):
        city = City("SEASIDE", 1, 200, 50)
        parts = pieces(city)
        self.assertEqual(b"".join(parts), freeze(city))
        self.assertLessEqual(max([len(part) for part in parts]), 512)


class Futures(unittest.TestCase):
    def follow(self, city, ticks, each=50):
        """Let a city and its copy, taken up every so often, live on side by side."""
        copy = thaw(freeze(city))
        for tick in range(ticks):
            self.assertEqual(copy.digest(), city.digest(), "tick %d" % tick)
            city.run(1)
            copy.run(1)
            if tick % each == 0:
                self.assertEqual(freeze(copy), freeze(city))
                copy = thaw(freeze(city))

    def test_a_city_alone_goes_on_as_it_would_have(self):
        for seed, locals_, merchants, names in scenarios.SIZES:
            self.follow(City(names[0], seed, locals_, merchants), 300)

    def test_one_whose_yields_were_set(self):
        city = City("RIVERWOOD", 3)
        city.set_yield("wood", 250, True)
        city.set_yield("thread", 0)
        self.follow(city, 300)
        copy = thaw(freeze(city))
        self.assertEqual(copy.by_hand, {"wood"})
        copy.set_yield("wood", 1)  # a sensor's word
        self.assertEqual(copy.yield_mills("wood"), 250)

    def test_one_with_rich_and_strange_guests(self):
        city = City("SEASIDE", 5)
        for n in range(20):
            city.admit(traveller(n))
            self.follow(city, 5)
        copy = thaw(freeze(city))
        self.assertEqual(sorted(copy.baggage), sorted(city.baggage))
        for index in range(city.words[k.MERCHANTS]):
            self.assertEqual(facts(copy._record(index)), facts(city._record(index)))

    def test_one_whose_guests_know_hundreds_of_cities(self):
        city = City("SEASIDE", 5)
        for n in range(3):
            city.admit(
                Merchant("bed", prices_mills={"wood": dict([("CITY %d" % (n * 90 + m), m) for m in range(130)])})
            )
        copy = thaw(freeze(city))
        for index in sorted(city.baggage):
            self.assertEqual(facts(copy.baggage[index]), facts(city.baggage[index]))
        self.assertEqual(freeze(copy), freeze(city))

    def test_at_every_tick_of_a_world_with_roads(self):
        """In step with the others, whoever is under way between them included."""
        cities = scenarios.world(*scenarios.SIZES[3])
        twins = scenarios.world(*scenarios.SIZES[3])
        for tick in range(400):
            if tick % 20 == 0:
                twins = [thaw(freeze(city)) for city in twins]
                for n, city in enumerate(twins):
                    for other in twins[:n]:
                        connect(city, other)
            for world in (cities, twins):
                for city in world:
                    city.run(1)
            self.assertEqual([city.digest() for city in twins], [city.digest() for city in cities], "tick %d" % tick)
            self.assertEqual(
                [[city.roads[name].status() for name in sorted(city.roads)] for city in twins],
                [[city.roads[name].status() for name in sorted(city.roads)] for city in cities],
            )

    def test_many_locals(self):
        self.follow(City("SEASIDE", 5, 300, 20), 5)

    def test_more_guests_than_were_thought_of(self):
        city = City("SEASIDE", 5, merchants_max=10)
        copy = thaw(freeze(city), merchants_max=22)
        size = len(copy.words)
        for n in range(12):
            copy.admit(traveller(n))
        self.assertEqual((len(copy.words), copy.merchants_max), (size, 22))
        self.assertEqual(copy.words[k.MERCHANTS], 22)
        for index in range(10):
            self.assertEqual(facts(copy._record(index)), facts(city._record(index)))

    def test_goods_and_recipes_of_ones_own(self):
        goods = (Good("fur", 3, (1000, 9000), 7, {}, False), Good("coat", 2, (40_000, 50_000), 2, {"fur": 3}, True))
        city = City("TUNDRA", 9, 11, 4, goods, {"coat": {"fur": 1}})
        city.run(200)
        copy = thaw(freeze(city), "TUNDRA", goods)
        for _ in range(100):
            city.run(1)
            copy.run(1)
        self.assertEqual(copy.digest(), city.digest())


class Ledgers(unittest.TestCase):
    def test_who_left_is_kept_until_the_other_city_has_them(self):
        city = on_the_wire()
        road = city.roads["A"]
        road.ours = True
        for n in range(20):
            road.send(traveller(n))
        road.acknowledge(3)
        copy = thaw(freeze(city))
        back = copy.ledger.roads["A"]
        self.assertEqual([facts(one) for one in back.outbound], [facts(one) for one in road.outbound])
        self.assertEqual((back.sequence, back.saved, back.tried), (20, 20, 20))
        self.assertEqual((back.ours, back.kind, back.state, back.sent), (True, "ours", "down", 20))
        self.assertEqual((copy.ledger.incarnation, copy.ledger.highest, copy.ledger.volatile), (77, 20, False))
        self.assertTrue(copy.roads["A"] is back)
        self.assertEqual(copy.ledger.mills(), city.ledger.mills())
        self.assertEqual(scenarios.money_mills([copy]), scenarios.money_mills([city]))

    def test_who_is_on_the_way_home_comes_home(self):
        city = on_the_wire()
        road = city.roads["A"]
        for n in range(4):
            road.send(traveller(n))
        road.refuse(1)
        road.inbound.append(traveller(7, (5, 9)))  # has come by the wire, and comes again
        back = thaw(freeze(city)).roads["A"]
        self.assertEqual([facts(one) for one in back.inbound], [facts(traveller(0, (77, 1)))])
        self.assertEqual([one.id for one in back.outbound], [(77, 2), (77, 3), (77, 4)])

    def test_nobody_is_kept_who_is_bound_for_a_stranger(self):
        city = on_the_wire()
        road = city.roads["A"]
        road.send(traveller())
        road.turn(False)
        road.lost, road.refused = 3, 4
        back = thaw(freeze(city)).roads["A"]
        self.assertEqual((back.ours, back.kind, back.outbound, back.sequence), (False, "legacy", [], 1))
        self.assertEqual((back.sent, back.received, back.lost, back.refused), (1, 0, 3, 4))

    def test_who_has_come_is_remembered(self):
        city = on_the_wire(incarnation=LARGEST)
        city.ledger.highest = LARGEST
        city.ledger.arrive((LARGEST - 1, 5), "A")
        city.ledger.arrive((1 << 30, LARGEST), "Ö")
        city.ledger.arrive((k.NEVER, 0), "Ö")
        copy = thaw(freeze(city)).ledger
        self.assertEqual(copy.arrivals, city.ledger.arrivals)
        self.assertEqual(copy.safe, city.ledger.arrivals)
        self.assertFalse(copy.safe is copy.arrivals)
        self.assertEqual((copy.incarnation, copy.highest), (LARGEST, LARGEST))

    def test_a_city_with_a_ledger_goes_on_as_it_would_have(self):
        city = on_the_wire(seed=(1 << 32) - 1)
        city.run(500)
        self.assertTrue(city.ledger.highest > 0)
        copy = thaw(freeze(city))
        self.assertEqual((copy.digest(), copy.seed), (city.digest(), (1 << 32) - 1))
        for road in copy.roads.values():
            road.state = "up"
        for _ in range(300):
            city.run(1)
            copy.run(1)
            self.assertEqual(copy.digest(), city.digest())
        self.assertEqual(freeze(copy), freeze(city))

    def test_a_large_ledger_and_a_full_city_fit_into_a_block_of_flash(self):
        names = ("A", "B", "C", "D")
        city = City("DESKTOWN", 1, 20, 10, merchants_max=22)
        city.ledger = Ledger((1 << 30) - 1, False)
        prices = {}
        for n, good in enumerate(city.good_names):
            prices[good] = {}
            for m, name in enumerate(("DESKTOWN",) + names):
                prices[good][name] = 30_000 + n * 3331 + m * 17
        for name in names:
            city.open_road(city.ledger.road(name, 100))
            for n in range(5):
                city.roads[name].send(Merchant("chair", 1_500_000 + n, 20, n, prices))
        city.run(300)
        for n in range(12):
            city.admit(Merchant("bed", 1_900_000 + n, 20, n, prices))
        self.assertLess(len(freeze(city)), 4096)


class Damage(unittest.TestCase):
    def whole(self):
        city = on_the_wire()
        city.roads["A"].send(traveller())
        return freeze(city)

    def test_each_flipped_byte(self):
        data = self.whole()
        for at in range(len(data)):
            wrong = bytearray(data)
            wrong[at] ^= 1 << at % 8
            self.assertRaises(InvalidCheckpointError, thaw, bytes(wrong))

    def test_each_truncation_and_more_at_the_end(self):
        data = self.whole()
        for end in range(len(data)):
            self.assertRaises(InvalidCheckpointError, thaw, data[:end])
        self.assertRaises(InvalidCheckpointError, thaw, data + b"\0")

    def test_what_was_saved_of_something_else(self):
        city = City("SEASIDE", 1)
        data = freeze(city)
        self.assertRaises(InvalidCheckpointError, thaw, data, "DESKTOWN")
        self.assertRaises(InvalidCheckpointError, thaw, data, "SEASIDE", GOODS[:3])
        self.assertRaises(InvalidCheckpointError, thaw, data, "SEASIDE", tuple(reversed(GOODS)))
        self.assertEqual(thaw(data, "SEASIDE", GOODS).digest(), city.digest())
        for wrong, words in (("DESKTOWN", "of SEASIDE, not of DESKTOWN"), (None, None)):
            try:
                thaw(data, wrong)
            except InvalidCheckpointError as error:
                self.assertEqual(str(error), words)


class Roads(unittest.TestCase):
    def test_a_road_that_is_no_more_lets_them_in(self):
        """Who was under way inside a process enters, even if that road is not opened again."""
        city = City("SEASIDE", 1, 20, 0)
        road = Road("A")
        road.inbound.append(traveller(1))
        city.open_road(road)
        copy = thaw(freeze(city))
        self.assertEqual(copy.roads["A"].state, "down")
        copy.run(1)
        self.assertEqual(copy.words[k.MERCHANTS], 1)
