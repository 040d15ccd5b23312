"""What it brings to spread the cities of one world over two processes.

Here: the same world twice, once in one process and once in two, that take turns at the same ticks. Not here: how cities
are spread (workers.py).
"""

import asyncio
import contextlib
import math
import time

from deskonomy_host.bench.figure import Figure, ratios
from deskonomy_host.runtime.workers import Workers, divide
from deskonomy_host.world import plan as world

CITIES = ("RIVERWOOD", "SEASIDE", "PORTSVILLE", "WINTERHOLD")
SIZES = (1_000, 10_000)  # locals in each of them
AGE = 100  # ticks; then merchants are under way on all roads
COUNTS = (1, 2)
_TURN_S = 1  # how long a turn takes, about


def processes(stage, bar):
    """Ticks a second of large cities with roads between all, in one process and in two, and how many times as many."""
    return asyncio.run(_processes(stage, bar))


async def _processes(stage, bar):
    sizes = (20,) if stage.quick else SIZES
    bar.begin(len(sizes) * len(COUNTS) * stage.rounds)
    figures = []
    for locals_ in sizes:
        size = f"{len(CITIES)} cities of {locals_:,}+{locals_ // 2:,}"
        rates = await _measure(stage, bar, locals_, size)
        for count in COUNTS:
            name = f"{size}, {count} process{'es' if count > 1 else ''}"
            figures.append(Figure(name, "ticks/s", tuple(rates[count])))
            if count > 1:
                figures.append(Figure(name, "x 1 process", ratios(rates[count], rates[1])))
    return figures


async def _measure(stage, bar, locals_, size):
    """{count of processes: [ticks a second, one a round]}."""
    plan = world.with_words(world.of_names(CITIES), locals_=locals_, speed=math.inf)
    rates = {count: [] for count in COUNTS}
    async with contextlib.AsyncExitStack() as stack:
        bar.doing(f"{size}, growing up")
        spread, rate = {}, 0.0
        for count in COUNTS:
            cities = Workers(plan, lambda line: None, divide(plan, count))
            spread[count] = await stack.enter_async_context(cities)
            rate = await _rate(cities, AGE)
        ticks = 10 if stage.quick else max(10, int(rate * _TURN_S))
        for number in range(stage.rounds):
            for count, cities in spread.items():
                bar.doing(f"{size}, {count} of {len(COUNTS)}, round {number + 1} of {stage.rounds}")
                rates[count].append(await _rate(cities, ticks))
                bar.step()
    return rates


async def _rate(cities, ticks):
    """Ticks a second."""
    start = time.perf_counter()
    await cities.live(ticks)
    return ticks / (time.perf_counter() - start)
