"""The gain of spreading the cities of one world over two processes.

Here: the same world twice, in one process and in two, which take turns at the same ticks. Not here: how cities are
spread (runtime/workers.py).
"""

import asyncio
import contextlib
import math
import time

from deskonomy_host.bench.figure import Figure, ratios
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.workbench import Workbench
from deskonomy_host.runtime.workers import Workers, divide_cities
from deskonomy_host.world import plan as world

CITIES = ("RIVERWOOD", "SEASIDE", "PORTSVILLE", "WINTERHOLD")
SIZES = (1_000, 10_000)  # locals in each of them
AGE_TICKS = 100  # then merchants are under way on all roads
COUNTS = (1, 2)
_TURN_S = 1  # the approximate length of a turn


def processes(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure ticks a second of large cities with roads between all, in one process and in two, and their ratio."""
    return asyncio.run(_processes(workbench, bar))


async def _processes(workbench, bar):
    sizes = (20,) if workbench.quick else SIZES
    bar.begin(len(sizes) * len(COUNTS) * workbench.rounds)
    figures = []
    for locals_ in sizes:
        size = f"{len(CITIES)} cities of {locals_:,}+{locals_ // 2:,}"
        rates = await _measure(workbench, bar, locals_, size)
        for count in COUNTS:
            name = f"{size}, {count} process{'es' if count > 1 else ''}"
            figures.append(Figure(name, "ticks/s", tuple(rates[count])))
            if count > 1:
                figures.append(Figure(name, "x 1 process", ratios(rates[count], rates[1])))
    return figures


async def _measure(workbench, bar, locals_, size):
    """Return {number of processes: [ticks a second, one for each round]}."""
    plan = world.override_plan(world.plan_cities(CITIES), locals_=locals_, speed=math.inf)
    rates = {count: [] for count in COUNTS}
    async with contextlib.AsyncExitStack() as stack:
        bar.describe(f"{size}, warming up")
        spread, rate = {}, 0.0
        for count in COUNTS:
            cities = Workers(plan, divide_cities(plan, count))
            spread[count] = await stack.enter_async_context(cities)
            rate = await _rate(cities, AGE_TICKS)
        ticks = 10 if workbench.quick else max(10, int(rate * _TURN_S))
        for number in range(workbench.rounds):
            for count, cities in spread.items():
                bar.describe(f"{size}, {count} of {len(COUNTS)}, round {number + 1} of {workbench.rounds}")
                rates[count].append(await _rate(cities, ticks))
                bar.step()
    return rates


async def _rate(cities, ticks):
    """Return ticks a second."""
    start = time.perf_counter()
    await cities.run(ticks)
    return ticks / (time.perf_counter() - start)
