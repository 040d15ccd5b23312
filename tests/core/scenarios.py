"""Small worlds with known inputs, for tests that compare interpreters, engines and totals.

Here: building and running them, and counting money and goods. Works on CPython and on MicroPython. Not here: any test.
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads.local import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from deskonomy.economy.city import Engine
    from deskonomy.economy.merchant import Merchant

# (seed, locals, merchants, cities): from one local to a town, alone and with roads
SIZES = (
    (1, 20, 10, ("RIVERWOOD",)),
    (7, 20, 10, ("RIVERWOOD", "SEASIDE")),
    (99, 1, 0, ("SEASIDE",)),
    (5, 3, 7, ("SEASIDE", "RIVERWOOD", "WINTERHOLD")),
    (2**31, 61, 40, ("PORTSVILLE", "RIVERWOOD")),
)
# (tick, good, yield in mills), in the first city
YIELDS = ((100, "wood", 250), (600, "bed", 2000), (900, "thread", 0), (1300, "thread", 1000), (1500, "wood", 100_000))


def build_world(
    seed: int, locals_: int, merchants: int, names: "Sequence[str]", engine: "Engine" = kernel
) -> "list[City]":
    """Return cities of these sizes, with a road between each pair."""
    cities = [City(name, seed + n, locals_, merchants, engine=engine) for n, name in enumerate(names)]
    for n, city in enumerate(cities):
        for other in cities[:n]:
            connect(city, other)
    return cities


def run_world(cities: "Sequence[City]", ticks: int, each_tick: "Callable[[], object] | None" = None) -> None:
    """Run this many ticks, with the changes of YIELDS; call each_tick() after each."""
    for tick in range(ticks):
        for at, good, yield_mills in YIELDS:
            if at == tick:
                cities[0].set_yield(good, yield_mills)
        for city in cities:
            city.run(1)
        if each_tick:
            each_tick()


def list_travelling(cities: "Sequence[City]") -> "list[Merchant]":
    """Return all merchants on roads between cities."""
    return [merchant for city in cities for road in city.roads.values() for merchant in road.outbound + road.inbound]


def sum_money_mills(cities: "Sequence[City]") -> int:
    """Return all money of cities, and of the merchants on their roads."""
    total = sum(merchant.money_mills for merchant in list_travelling(cities))
    for city in cities:
        total += sum(city.locals_column(kernel.MONEY)) + sum(city.merchants_column(kernel.MONEY))
    return total


def count_units(cities: "Sequence[City]") -> "list[int]":
    """Return for each good the units in cities and on roads, less those made, plus those used and broken."""
    counts = []
    for index, good in enumerate(cities[0].good_names):
        count = sum(merchant.owned for merchant in list_travelling(cities) if merchant.good == good)
        for city in cities:
            count += sum(city.locals_column(kernel.LOCAL_ROWS + index))
            traded, owned = city.merchants_column(kernel.GOOD), city.merchants_column(kernel.OWNED)
            count += sum(owned[n] for n in range(len(traded)) if traded[n] == index)
            state, row = city.state, city.good_offset(good)
            count += state[row + kernel.USED] + state[row + kernel.BROKEN] - state[row + kernel.MADE]
        counts.append(count)
    return counts


def load_plain_kernel() -> "Any":
    """Return the kernel as plain Python, also on an interpreter that would compile it."""
    with open(kernel.__file__) as source:
        text = source.read().replace("@micropython.viper\n", "")
    names = {}
    exec(text, names)

    class PlainKernel:
        pass

    for name in ("run", "appraise", "consider", "pay_locals"):
        setattr(PlainKernel, name, staticmethod(names[name]))
    return PlainKernel


def compute_digests(engine: "Engine", ticks: int) -> "list[str]":
    """Return the digests of each world's cities after this many ticks, as one text per world."""
    result = []
    for seed, locals_, merchants, names in SIZES:
        cities = build_world(seed, locals_, merchants, names, engine)
        run_world(cities, ticks)
        result.append(" ".join([city.digest() for city in cities]))
    return result


def collect_fields(merchant: "Merchant") -> tuple:
    """Return everything that a merchant consists of, for comparison."""
    return (
        merchant.good,
        merchant.money_mills,
        merchant.capacity,
        merchant.owned,
        merchant.prices_mills,
        merchant.id,
    )
