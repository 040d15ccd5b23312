"""Runs on MicroPython and CPython alike: times the ticks of cities, `ticks.py KIND FOLDER...`.

KIND: `oracle`, `kernel` (as this interpreter runs it), or the name of a host's engine. Here: the cities of either kind,
always at the same age when they are timed. Not here: which of them are compared (bench_ticks.py of the host).
"""

import gc
import random
import sys

from answers import look_in, serve, ticks_diff, ticks_us

look_in(sys.argv[2:])
NAME = "SEASIDE"  # a city with nothing out of the ordinary


class Dice:
    """As much of random.Random as the oracle asks for, where there is only the module (MicroPython)."""

    def __init__(self, seed):
        random.seed(seed)
        self.random = random.random
        self.uniform = random.uniform
        self.randrange = random.randrange
        self.choice = random.choice

    def sample(self, people, count):
        """So many of them, in random order."""
        rest = list(people)
        for end in range(len(rest) - 1, len(rest) - 1 - count, -1):
            index = self.randrange(end + 1)
            rest[index], rest[end] = rest[end], rest[index]
        return rest[len(rest) - count :]


class OracleCities:
    """Cities of objects and floats, born anew for each run."""

    def __init__(self, locals_, merchants, count, age):
        self._words = locals_, merchants
        self._count = count
        self._age = age

    def grow_to_age(self):
        import reference_model

        dice = random.Random if hasattr(random, "Random") else Dice
        self._cities = [reference_model.City(NAME, dice(seed), *self._words) for seed in range(self._count)]
        self.run(self._age)

    def run(self, ticks):
        for city in self._cities:
            for _ in range(ticks):
                city.tick()


class KernelCities:
    """Cities of one array each, set back to what they were at that age before each run."""

    def __init__(self, engine, locals_, merchants, count, age):
        from deskonomy.economy.city import City

        self._cities = [City(NAME, seed, locals_, merchants, engine=engine) for seed in range(count)]
        self.run(age)
        self._aged = [city.words[:] for city in self._cities]

    def grow_to_age(self):
        for index, city in enumerate(self._cities):
            city.words[:] = self._aged[index]

    def run(self, ticks):
        for city in self._cities:
            city.run(ticks)


def make(kind, *words):
    """The cities of this kind; words: locals, merchants, how many cities, their age in ticks."""
    if kind == "oracle":
        return OracleCities(*words)
    if kind == "kernel":
        from deskonomy.economy import kernel

        return KernelCities(kernel, *words)
    from deskonomy_host.engine import engine

    return KernelCities(engine(kind), *words)


known = {}


def answer(locals_, merchants, count, age, ticks, least_us):
    """Microseconds a tick of one city, from that age on for so many ticks; repeated until it took at least so long."""
    words = locals_, merchants, count, age
    if words not in known:
        known[words] = make(sys.argv[1], *words)
    cities = known[words]
    gc.collect()
    spent_us = runs = 0
    while runs == 0 or spent_us < least_us:
        cities.grow_to_age()
        before = ticks_us()
        cities.run(ticks)
        spent_us += ticks_diff(ticks_us(), before)
        runs += 1
    return spent_us / (runs * count * ticks)


serve(answer)
