"""Encoding and decoding a city: nothing is lost, and damaged bytes are rejected."""

import unittest
from array import array

from core import scenarios
from core.scenarios import collect_fields
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS, Good
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidCheckpointError
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.local import connect
from deskonomy.roads.road import Road
from deskonomy.roads.wire_road import ACKNOWLEDGING, LEGACY
from deskonomy.storage import decode
from deskonomy.storage.decode import NewerFormatError, decode_city, read_format, unpack_numbers
from deskonomy.storage.encode import FORMAT, encode_city, encode_pieces, pack_numbers
from deskonomy.version import SOFTWARE
from helpers.formats import replace_format

LARGEST = (1 << 53) - 1


def make_merchant(n=0, id=None):
    """Return a merchant with unknown goods and cities, and with fields at their limits."""
    prices = {"bed": {"SEASIDE": 0, "ELSEWHERE": 7_000_000 + n}, "fur": {"SEASIDE": 1_000_000_000, "Ä": 9}}
    return Merchant(("bed", "fur")[n % 2], 1_000_000_000 - n, 9999, n, prices, id)


def make_city_with_ledger(seed=1, incarnation=77):
    """Return a city with a ledger and two wire roads that are up."""
    city = City("SEASIDE", seed)
    city.ledger = Ledger(incarnation, False)
    for name in ("A", "Ö"):
        road = city.ledger.ensure_road(name, 100)
        road.state = "up"
        city.open_road(road)
    return city


class TestNumbers(unittest.TestCase):
    def test_every_number_is_decoded_as_it_was_encoded(self):
        numbers = [0, 1, k.NEVER, k.NEVER - 1, k.NEVER + 1, (1 << 31) - 1]
        for bits in range(31):
            numbers += [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]
        for repeat in (1, 2, 6, 7, 8, 9, 15, 30):
            numbers += [0] * repeat + [k.NEVER] * repeat + [5] * repeat
        state = array("i", numbers)
        data = bytearray(5 * len(state))
        end = pack_numbers(state, 0, len(state), data, 0)
        back = array("i", bytes(4 * len(state)))
        self.assertEqual(unpack_numbers(bytes(data), 0, back, 0, len(state)), end)
        self.assertEqual(list(back), numbers)

    def test_pieces_have_at_most_512_bytes(self):
        city = City("SEASIDE", 1, 200, 50)
        pieces = encode_pieces(city)
        self.assertEqual(b"".join(pieces), encode_city(city))
        self.assertLessEqual(max([len(piece) for piece in pieces]), 512)


class TestDecodedCity(unittest.TestCase):
    def run_beside_copies(self, city, ticks, each=50):
        """Run a city and its decoded copy, which is made anew at times, and compare their digests at every tick."""
        copy = decode_city(encode_city(city))
        for tick in range(ticks):
            self.assertEqual(copy.digest(), city.digest(), "tick %d" % tick)
            city.run(1)
            copy.run(1)
            if tick % each == 0:
                self.assertEqual(encode_city(copy), encode_city(city))
                copy = decode_city(encode_city(city))

    def test_city_without_roads_continues_with_the_same_digests(self):
        for seed, locals_, merchants, names in scenarios.SIZES:
            self.run_beside_copies(City(names[0], seed, locals_, merchants), 300)

    def test_city_with_yields_and_an_override_continues_with_them(self):
        city = City("RIVERWOOD", 3)
        city.set_yield("wood", 250, True)
        city.set_yield("thread", 0)
        self.run_beside_copies(city, 300)
        copy = decode_city(encode_city(city))
        self.assertEqual(copy.overrides, {"wood"})
        copy.set_yield("wood", 1)  # as a sensor does
        self.assertEqual(copy.yield_mills("wood"), 250)

    def test_city_with_merchants_at_their_limits_continues_with_all_their_fields(self):
        city = City("SEASIDE", 5)
        for n in range(20):
            city.admit(make_merchant(n))
            self.run_beside_copies(city, 5)
        copy = decode_city(encode_city(city))
        self.assertEqual(sorted(copy.baggage), sorted(city.baggage))
        for index in range(city.state[k.MERCHANTS]):
            self.assertEqual(collect_fields(copy.copy_merchant(index)), collect_fields(city.copy_merchant(index)))

    def test_baggage_with_prices_of_hundreds_of_cities_is_kept(self):
        city = City("SEASIDE", 5)
        for n in range(3):
            city.admit(
                Merchant("bed", prices_mills={"wood": dict([("CITY %d" % (n * 90 + m), m) for m in range(130)])})
            )
        copy = decode_city(encode_city(city))
        for index in sorted(city.baggage):
            self.assertEqual(collect_fields(copy.baggage[index]), collect_fields(city.baggage[index]))
        self.assertEqual(encode_city(copy), encode_city(city))

    def test_world_with_roads_continues_with_the_same_digests_and_roads(self):
        """At every tick of cities in step, with merchants under way between them."""
        cities = scenarios.build_world(*scenarios.SIZES[3])
        copies = scenarios.build_world(*scenarios.SIZES[3])
        for tick in range(400):
            if tick % 20 == 0:
                copies = [decode_city(encode_city(city)) for city in copies]
                for n, city in enumerate(copies):
                    for other in copies[:n]:
                        connect(city, other)
            for world in (cities, copies):
                for city in world:
                    city.run(1)
            self.assertEqual([city.digest() for city in copies], [city.digest() for city in cities], "tick %d" % tick)
            self.assertEqual(
                [[city.roads[name].status() for name in sorted(city.roads)] for city in copies],
                [[city.roads[name].status() for name in sorted(city.roads)] for city in cities],
            )

    def test_city_with_many_locals_continues_with_the_same_digests(self):
        self.run_beside_copies(City("SEASIDE", 5, 300, 20), 5)

    def test_larger_merchants_max_gives_the_array_room_for_more_merchants(self):
        city = City("SEASIDE", 5, merchants_max=10)
        copy = decode_city(encode_city(city), merchants_max=22)
        size = len(copy.state)
        for n in range(12):
            copy.admit(make_merchant(n))
        self.assertEqual((len(copy.state), copy.merchants_max), (size, 22))
        self.assertEqual(copy.state[k.MERCHANTS], 22)
        for index in range(10):
            self.assertEqual(collect_fields(copy.copy_merchant(index)), collect_fields(city.copy_merchant(index)))

    def test_city_with_other_goods_and_recipes_continues_with_the_same_digest(self):
        goods = (Good("fur", 3, (1000, 9000), 7, {}, False), Good("coat", 2, (40_000, 50_000), 2, {"fur": 3}, True))
        city = City("TUNDRA", 9, 11, 4, goods, {"coat": {"fur": 1}})
        city.run(200)
        copy = decode_city(encode_city(city), "TUNDRA", goods)
        for _ in range(100):
            city.run(1)
            copy.run(1)
        self.assertEqual(copy.digest(), city.digest())


class TestDecodedLedger(unittest.TestCase):
    def test_merchants_that_left_are_kept_until_they_are_acknowledged(self):
        city = make_city_with_ledger()
        road = city.roads["A"]
        road.peer_state = ACKNOWLEDGING
        for n in range(20):
            road.send(make_merchant(n))
        road.acknowledge(3)
        copy = decode_city(encode_city(city))
        back = copy.ledger.roads["A"]
        self.assertEqual(
            [collect_fields(merchant) for merchant in back.outbound],
            [collect_fields(merchant) for merchant in road.outbound],
        )
        self.assertEqual((back.sequence, back.saved_sequence, back.sent_sequence), (20, 20, 20))
        self.assertEqual((back.peer_state, back.type, back.state, back.sent), (ACKNOWLEDGING, "ours", "down", 20))
        self.assertEqual((copy.ledger.incarnation, copy.ledger.highest_sequence, copy.ledger.volatile), (77, 20, False))
        self.assertTrue(copy.roads["A"] is back)
        self.assertEqual(copy.ledger.sum_money_mills(), city.ledger.sum_money_mills())
        self.assertEqual(scenarios.sum_money_mills([copy]), scenarios.sum_money_mills([city]))

    def test_rejected_merchant_is_kept_as_returning_and_received_one_is_not_kept(self):
        city = make_city_with_ledger()
        road = city.roads["A"]
        for n in range(4):
            road.send(make_merchant(n))
        road.reject(1)
        road.inbound.append(make_merchant(7, (5, 9)))  # received and not admitted: the peer sends it again
        back = decode_city(encode_city(city)).roads["A"]
        self.assertEqual(
            [collect_fields(merchant) for merchant in back.inbound], [collect_fields(make_merchant(0, (77, 1)))]
        )
        self.assertEqual([merchant.id for merchant in back.outbound], [(77, 2), (77, 3), (77, 4)])

    def test_merchants_for_a_legacy_peer_are_not_kept(self):
        city = make_city_with_ledger()
        road = city.roads["A"]
        road.send(make_merchant())
        road.set_peer_state(LEGACY)
        road.lost, road.rejected = 3, 4
        back = decode_city(encode_city(city)).roads["A"]
        self.assertEqual((back.peer_state, back.type, back.outbound, back.sequence), (LEGACY, "legacy", [], 1))
        self.assertEqual((back.sent, back.received, back.lost, back.rejected), (1, 0, 3, 4))

    def test_last_arrivals_of_each_incarnation_are_kept(self):
        city = make_city_with_ledger(incarnation=LARGEST)
        city.ledger.highest_sequence = LARGEST
        city.ledger.record_arrival((LARGEST - 1, 5), "A")
        city.ledger.record_arrival((1 << 30, LARGEST), "Ö")
        city.ledger.record_arrival((k.NEVER, 0), "Ö")
        copy = decode_city(encode_city(city)).ledger
        self.assertEqual(copy.arrivals, city.ledger.arrivals)
        self.assertEqual(copy.saved_arrivals, city.ledger.arrivals)
        self.assertFalse(copy.saved_arrivals is copy.arrivals)
        self.assertEqual((copy.incarnation, copy.highest_sequence), (LARGEST, LARGEST))

    def test_city_with_a_ledger_continues_with_the_same_digests(self):
        city = make_city_with_ledger(seed=(1 << 32) - 1)
        city.run(500)
        self.assertTrue(city.ledger.highest_sequence > 0)
        copy = decode_city(encode_city(city))
        self.assertEqual((copy.digest(), copy.seed), (city.digest(), (1 << 32) - 1))
        for road in copy.roads.values():
            road.state = "up"
        for _ in range(300):
            city.run(1)
            copy.run(1)
            self.assertEqual(copy.digest(), city.digest())
        self.assertEqual(encode_city(copy), encode_city(city))

    def test_full_city_with_a_large_ledger_fits_into_a_block_of_flash(self):
        names = ("A", "B", "C", "D")
        city = City("DESKTOWN", 1, 20, 10, merchants_max=22)
        city.ledger = Ledger((1 << 30) - 1, False)
        prices = {}
        for n, good in enumerate(city.good_names):
            prices[good] = {}
            for m, name in enumerate(("DESKTOWN",) + names):
                prices[good][name] = 30_000 + n * 3331 + m * 17
        for name in names:
            city.open_road(city.ledger.ensure_road(name, 100))
            for n in range(5):
                city.roads[name].send(Merchant("chair", 1_500_000 + n, 20, n, prices))
        city.run(300)
        for n in range(12):
            city.admit(Merchant("bed", 1_900_000 + n, 20, n, prices))
        self.assertLess(len(encode_city(city)), 4096)


class TestInvalidBytes(unittest.TestCase):
    def encode_valid(self):
        city = make_city_with_ledger()
        city.roads["A"].send(make_merchant())
        return encode_city(city)

    def test_a_flipped_bit_in_any_byte_is_rejected(self):
        data = self.encode_valid()
        for at in range(len(data)):
            wrong = bytearray(data)
            wrong[at] ^= 1 << at % 8
            self.assertRaises(InvalidCheckpointError, decode_city, bytes(wrong))

    def test_truncated_and_extended_bytes_are_rejected(self):
        data = self.encode_valid()
        for end in range(len(data)):
            self.assertRaises(InvalidCheckpointError, decode_city, data[:end])
        self.assertRaises(InvalidCheckpointError, decode_city, data + b"\0")

    def test_another_city_name_and_other_goods_are_rejected(self):
        city = City("SEASIDE", 1)
        data = encode_city(city)
        self.assertRaises(InvalidCheckpointError, decode_city, data, "DESKTOWN")
        self.assertRaises(InvalidCheckpointError, decode_city, data, "SEASIDE", GOODS[:3])
        self.assertRaises(InvalidCheckpointError, decode_city, data, "SEASIDE", tuple(reversed(GOODS)))
        self.assertEqual(decode_city(data, "SEASIDE", GOODS).digest(), city.digest())
        for name, message in (("DESKTOWN", "of SEASIDE, not of DESKTOWN"), (None, None)):
            try:
                decode_city(data, name)
            except InvalidCheckpointError as error:
                self.assertEqual(str(error), message)


class TestFormats(unittest.TestCase):
    def test_encoded_city_begins_with_format_and_software(self):
        data = encode_city(City("SEASIDE", 1))
        self.assertEqual(data.split(b"\n", 1)[0].decode(), "deskonomy%d %s" % (FORMAT, SOFTWARE))
        self.assertEqual(read_format(data), FORMAT)

    def test_newer_format_is_rejected_with_both_versions(self):
        data = encode_city(City("SEASIDE", 1))
        for head, software in ((b"deskonomy3 0.3.0", "deskonomy 0.3.0"), (b"deskonomy4711", "a later deskonomy")):
            newer = head[9:].split(b" ")[0].decode()
            try:
                decode_city(replace_format(data, head))
                self.fail("not rejected")
            except NewerFormatError as error:
                text = "of format %s, by %s; deskonomy %s reads formats up to %d"
                self.assertEqual(str(error), text % (newer, software, SOFTWARE, FORMAT))

    def test_newer_format_is_recognised_whatever_follows(self):
        for data in (b"deskonomy3\n", b"deskonomy12 0.9 \x1b]0;x\x07\n\xff\xfe", b"deskonomy3 0.3.0\n" + bytes(99)):
            self.assertRaises(NewerFormatError, decode_city, data)

    def test_invalid_format_is_no_saved_city(self):
        for head in (b"deskonomy", b"deskonomy0", b"deskonomy-2", b"deskonomyX", b"Deskonomy1", b"deskonomy 3"):
            data = replace_format(encode_city(City("SEASIDE", 1)), head)
            try:
                decode_city(data)
                self.fail("not rejected")
            except InvalidCheckpointError as error:
                self.assertEqual(str(error), "not a city that deskonomy has saved")
        self.assertRaises(InvalidCheckpointError, decode_city, b"deskonomy2")

    def test_city_of_format_1_continues_and_is_saved_in_current_format(self):
        city = make_city_with_ledger()
        city.roads["A"].send(make_merchant())
        data = encode_city(city)
        old = replace_format(data, b"deskonomy1")
        self.assertEqual(read_format(old), 1)
        copy = decode_city(old)
        self.assertEqual(encode_city(copy), data)
        self.assertEqual(copy.digest(), city.digest())

    def test_each_migration_is_called_with_the_bytes_of_its_format_and_without_older_ones(self):
        data = encode_city(City("SEASIDE", 1))
        migrations, calls = dict(decode._ADDITIONS), []
        decode._ADDITIONS.clear()
        decode._ADDITIONS[2] = lambda reader, city: calls.append((2, reader is not None, city.name))
        try:
            decode_city(replace_format(data, b"deskonomy1"))
            decode_city(data)
        finally:
            decode._ADDITIONS.clear()
            decode._ADDITIONS.update(migrations)
        self.assertEqual(calls, [(2, False, "SEASIDE"), (2, True, "SEASIDE")])


class TestDecodedRoads(unittest.TestCase):
    def test_merchant_on_a_local_road_that_is_not_opened_again_arrives(self):
        city = City("SEASIDE", 1, 20, 0)
        road = Road("A")
        road.inbound.append(make_merchant(1))
        city.open_road(road)
        copy = decode_city(encode_city(city))
        self.assertEqual(copy.roads["A"].state, "down")
        copy.run(1)
        self.assertEqual(copy.state[k.MERCHANTS], 1)
