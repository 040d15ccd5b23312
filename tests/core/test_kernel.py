"""The kernel keeps the books, gives the same bits however it is called, and allocates nothing."""

import gc
import unittest

from core import scenarios
from deskonomy import status
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads.local import connect


class Books(unittest.TestCase):
    def test_money_and_units_are_conserved_at_every_tick(self):
        for seed, locals_, merchants, names in scenarios.SIZES:
            cities = scenarios.world(seed, locals_, merchants, names)
            before = scenarios.money_mills(cities), scenarios.units(cities)

            def check(cities=cities, before=before):
                self.assertEqual((scenarios.money_mills(cities), scenarios.units(cities)), before)

            scenarios.run(cities, 400, check)

    def test_books_hold_over_a_long_run(self):
        cities = scenarios.world(11, 20, 10, ("RIVERWOOD", "SEASIDE", "WINTERHOLD"))
        before = scenarios.money_mills(cities), scenarios.units(cities)
        scenarios.run(cities, 3000)
        self.assertGreater(sum(road.sent for city in cities for road in city.roads.values()), 0)
        self.assertEqual((scenarios.money_mills(cities), scenarios.units(cities)), before)

    def test_no_word_is_ever_negative(self):
        cities = scenarios.world(3, 20, 10, ("RIVERWOOD", "SEASIDE"))

        def check():
            for city in cities:
                self.assertTrue(min(city.words) >= 0)

        scenarios.run(cities, 300, check)

    def test_no_ask_is_below_the_lowest(self):
        for seed, locals_, merchants, names in scenarios.SIZES:
            cities = scenarios.world(seed, locals_, merchants, names)

            def check(cities=cities):
                for city in cities:
                    for good in city.good_names:
                        column = city.words[kernel.AT_ASKS] + city.good_names.index(good) * city.words[kernel.SLOTS]
                        asks = city.words[column : column + city.words[kernel.SLOTS]]
                        self.assertLessEqual(city.words[city._row(good) + kernel.LOWEST], min(asks))

            scenarios.run(cities, 300, check)


class SameBits(unittest.TestCase):
    def test_one_call_or_many(self):
        one, many = City("RIVERWOOD", 4), City("RIVERWOOD", 4)
        one.run(1000)
        for _ in range(1000):
            many.run(1)
        self.assertEqual(one.digest(), many.digest())
        self.assertEqual(one.tick, 1000)

    def test_other_seeds_and_names_differ(self):
        digests = set()
        for seed, name in ((1, "RIVERWOOD"), (2, "RIVERWOOD"), (1, "SEASIDE")):
            city = City(name, seed)
            city.run(50)
            digests.add(city.digest())
        self.assertEqual(len(digests), 3)


class Memory(unittest.TestCase):
    def test_ticks_allocate_nothing(self):
        if not hasattr(gc, "mem_alloc"):
            return  # CPython counts no bytes
        city = City("RIVERWOOD", 1)
        city.run(10)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        city.run(10_000)
        self.assertEqual(gc.mem_alloc(), before)
        gc.enable()

    def test_a_crossing_allocates_little(self):
        if not hasattr(gc, "mem_alloc"):
            return
        pair = City("RIVERWOOD", 2, merchants_max=20), City("SEASIDE", 3, merchants_max=20)
        connect(*pair)
        crossed = 0
        gc.collect()
        gc.disable()
        while crossed < 100:
            before = gc.mem_alloc()
            for city in pair:
                city.run(1)
            allocated = gc.mem_alloc() - before
            seen = crossed
            crossed = sum([road.sent + road.received for city in pair for road in city.roads.values()])
            if crossed == seen:
                gc.collect()
            # On a 64-bit machine, where an object takes twice as much as on a board.
            self.assertLessEqual(allocated, 256 + 1536 * (crossed - seen))
        gc.enable()

    def test_a_board_city_is_small(self):
        self.assertLessEqual(len(City("RIVERWOOD", 1).words) * 4, 6 * 1024)


class Generator(unittest.TestCase):
    def test_halves_have_the_longest_period(self):
        # A multiply-with-carry generator of 16-bit words has it if a * 2**16 - 1 and a * 2**15 - 1 are prime.
        for factor in (15633, 15393):
            for modulus in (factor * 65536 - 1, factor * 32768 - 1):
                divisor = 3
                while divisor * divisor <= modulus:
                    if modulus % divisor == 0:
                        self.fail("%d divides %d" % (divisor, modulus))
                    divisor += 2

    def test_a_tenth_acts(self):
        city = City("SEASIDE", 8, locals_=50, merchants=0)
        # Where nothing can be made, every act of a local rests, and leisure counts them.
        for good in city.good_names:
            city.set_yield(good, 0)
        city.run(200)
        rested = sum(status.locals_column(city, kernel.LEISURE))
        self.assertGreater(rested, 850)  # 1000 expected, with a standard deviation of 30
        self.assertLess(rested, 1150)
