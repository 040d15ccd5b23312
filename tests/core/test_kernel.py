"""The kernel: it conserves money and goods, gives the same bits however it is called, and allocates no memory."""

import gc
import unittest

from core import scenarios
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads.local import connect


class TestConservation(unittest.TestCase):
    def test_money_and_units_are_conserved_at_every_tick(self):
        for seed, locals_, merchants, names in scenarios.SIZES:
            cities = scenarios.build_world(seed, locals_, merchants, names)
            before = scenarios.sum_money_mills(cities), scenarios.count_units(cities)

            def check(cities=cities, before=before):
                self.assertEqual((scenarios.sum_money_mills(cities), scenarios.count_units(cities)), before)

            scenarios.run_world(cities, 400, check)

    def test_money_and_units_are_conserved_over_a_long_run(self):
        cities = scenarios.build_world(11, 20, 10, ("RIVERWOOD", "SEASIDE", "WINTERHOLD"))
        before = scenarios.sum_money_mills(cities), scenarios.count_units(cities)
        scenarios.run_world(cities, 3000)
        self.assertGreater(sum(road.sent for city in cities for road in city.roads.values()), 0)
        self.assertEqual((scenarios.sum_money_mills(cities), scenarios.count_units(cities)), before)

    def test_no_number_of_the_state_is_negative(self):
        cities = scenarios.build_world(3, 20, 10, ("RIVERWOOD", "SEASIDE"))

        def check():
            for city in cities:
                self.assertTrue(min(city.state) >= 0)

        scenarios.run_world(cities, 300, check)

    def test_no_ask_is_below_the_lower_bound(self):
        for seed, locals_, merchants, names in scenarios.SIZES:
            cities = scenarios.build_world(seed, locals_, merchants, names)

            def check(cities=cities):
                for city in cities:
                    for good in city.good_names:
                        column = city.state[kernel.AT_ASKS] + city.good_names.index(good) * city.state[kernel.SLOTS]
                        asks = city.state[column : column + city.state[kernel.SLOTS]]
                        self.assertLessEqual(city.state[city.good_offset(good) + kernel.LOWEST], min(asks))

            scenarios.run_world(cities, 300, check)


class TestDigest(unittest.TestCase):
    def test_digest_is_the_same_for_one_call_and_for_many(self):
        at_once, tick_by_tick = City("RIVERWOOD", 4), City("RIVERWOOD", 4)
        at_once.run(1000)
        for _ in range(1000):
            tick_by_tick.run(1)
        self.assertEqual(at_once.digest(), tick_by_tick.digest())
        self.assertEqual(at_once.tick, 1000)

    def test_digest_differs_for_other_seeds_and_names(self):
        digests = set()
        for seed, name in ((1, "RIVERWOOD"), (2, "RIVERWOOD"), (1, "SEASIDE")):
            city = City(name, seed)
            city.run(50)
            digests.add(city.digest())
        self.assertEqual(len(digests), 3)


class TestMemory(unittest.TestCase):
    def test_ticks_allocate_no_memory(self):
        if not hasattr(gc, "mem_alloc"):
            return  # CPython does not count bytes
        city = City("RIVERWOOD", 1)
        city.run(10)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        city.run(10_000)
        self.assertEqual(gc.mem_alloc(), before)
        gc.enable()

    def test_a_merchant_that_changes_cities_allocates_little_memory(self):
        if not hasattr(gc, "mem_alloc"):
            return
        pair = City("RIVERWOOD", 2, merchants_max=20), City("SEASIDE", 3, merchants_max=20)
        connect(*pair)
        crossings = 0
        gc.collect()
        gc.disable()
        while crossings < 100:
            before = gc.mem_alloc()
            for city in pair:
                city.run(1)
            allocated = gc.mem_alloc() - before
            crossings_before = crossings
            crossings = sum([road.sent + road.received for city in pair for road in city.roads.values()])
            if crossings == crossings_before:
                gc.collect()
            # On a 64-bit machine, where an object takes twice as much as on a board.
            self.assertLessEqual(allocated, 256 + 1536 * (crossings - crossings_before))
        gc.enable()

    def test_the_state_of_a_city_on_a_board_has_at_most_6_kib(self):
        self.assertLessEqual(len(City("RIVERWOOD", 1).state) * 4, 6 * 1024)


class TestRandomness(unittest.TestCase):
    def test_both_halves_of_the_generator_have_the_longest_period(self):
        # A multiply-with-carry generator of 16-bit numbers has it if a * 2**16 - 1 and a * 2**15 - 1 are prime.
        for factor in (15633, 15393):
            for modulus in (factor * 65536 - 1, factor * 32768 - 1):
                divisor = 3
                while divisor * divisor <= modulus:
                    if modulus % divisor == 0:
                        self.fail("%d divides %d" % (divisor, modulus))
                    divisor += 2

    def test_a_tenth_of_the_locals_acts_in_a_tick(self):
        city = City("SEASIDE", 8, locals_=50, merchants=0)
        # Where no good can be made, every act of a local is a rest, and leisure counts them.
        for good in city.good_names:
            city.set_yield(good, 0)
        city.run(200)
        rests = sum(city.locals_column(kernel.LEISURE))
        self.assertGreater(rests, 850)  # 1000 expected, with a standard deviation of 30
        self.assertLess(rests, 1150)


class TestPrimes(unittest.TestCase):
    def test_find_prime_returns_the_smallest_prime_that_is_large_enough(self):
        self.assertEqual([kernel.find_prime(n) for n in (0, 1, 2, 3, 4, 20, 30, 90)], [2, 2, 2, 3, 5, 23, 31, 97])
