"""Runs on MicroPython and CPython: measures the ticks of cities, `ticks.py MODE FOLDER...`.

MODE: `reference` (the reference model), `kernel` (as this interpreter runs it), or the name of a host's engine. Here:
the cities, always at the same age when they are measured. Not here: which modes are compared (bench/ticks.py).
"""

import gc
import random
import sys

from answers import add_module_folders, serve, ticks_diff, ticks_us

add_module_folders(sys.argv[2:])
NAME = "SEASIDE"  # a city without recipes of its own


class Dice:
    """The methods of random.Random that the reference model uses, for MicroPython, which has only the module."""

    def __init__(self, seed):
        random.seed(seed)
        self.random = random.random
        self.uniform = random.uniform
        self.randrange = random.randrange
        self.choice = random.choice

    def sample(self, items, count):
        """Return `count` of the items, in random order."""
        rest = list(items)
        for end in range(len(rest) - 1, len(rest) - 1 - count, -1):
            index = self.randrange(end + 1)
            rest[index], rest[end] = rest[end], rest[index]
        return rest[len(rest) - count :]


class ReferenceCities:
    """Cities of the reference model, born again for each run."""

    def __init__(self, locals_, merchants, count, age):
        self._sizes = locals_, merchants
        self._count = count
        self._age = age

    def grow_to_age(self):
        import reference_model

        dice = random.Random if hasattr(random, "Random") else Dice
        self._cities = [reference_model.City(NAME, dice(seed), *self._sizes) for seed in range(self._count)]
        self.run(self._age)

    def run(self, ticks):
        for city in self._cities:
            for _ in range(ticks):
                city.tick()


class KernelCities:
    """Cities of one array each, reset to their age before each run."""

    def __init__(self, engine, locals_, merchants, count, age):
        from deskonomy.economy.city import City

        self._cities = [City(NAME, seed, locals_, merchants, engine=engine) for seed in range(count)]
        self.run(age)
        self._aged = [city.state[:] for city in self._cities]

    def grow_to_age(self):
        for index, city in enumerate(self._cities):
            city.state[:] = self._aged[index]

    def run(self, ticks):
        for city in self._cities:
            city.run(ticks)


def make_cities(mode, *sizes):
    """Return the cities of a mode. sizes: locals, merchants, number of cities, their age in ticks."""
    if mode == "reference":
        return ReferenceCities(*sizes)
    if mode == "kernel":
        from deskonomy.economy import kernel

        return KernelCities(kernel, *sizes)
    from deskonomy_host.world.engines import load_engine

    return KernelCities(load_engine(mode), *sizes)


known = {}


def answer(locals_, merchants, count, age, ticks, least_us):
    """Return the microseconds of one city's tick, from `age` on for `ticks` ticks, repeated for at least least_us."""
    sizes = locals_, merchants, count, age
    if sizes not in known:
        known[sizes] = make_cities(sys.argv[1], *sizes)
    cities = known[sizes]
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
