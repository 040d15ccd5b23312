"""Small worlds with known inputs, for tests that compare machines, engines and the books.

Here: how they are built, and how money and goods are counted. Works on both interpreters.
"""

from deskonomy import status as st
from deskonomy.economy import kernel
from deskonomy.economy.city import City
from deskonomy.roads.local import connect

# (seed, locals, merchants, cities): sizes from an empty street to a town, alone and with roads.
SIZES = (
    (1, 20, 10, ("RIVERWOOD",)),
    (7, 20, 10, ("RIVERWOOD", "SEASIDE")),
    (99, 1, 0, ("SEASIDE",)),
    (5, 3, 7, ("SEASIDE", "RIVERWOOD", "WINTERHOLD")),
    (2**31, 61, 40, ("PORTSVILLE", "RIVERWOOD")),
)
# (tick, good, yield in mills), in the first city
YIELDS = ((100, "wood", 250), (600, "bed", 2000), (900, "thread", 0), (1300, "thread", 1000), (1500, "wood", 100_000))


def world(seed, locals_, merchants, names, engine=kernel):
    """Cities with a road between each pair."""
    cities = [City(name, seed + n, locals_, merchants, engine=engine) for n, name in enumerate(names)]
    for n, city in enumerate(cities):
        for other in cities[:n]:
            connect(city, other)
    return cities


def run(cities, ticks, each_tick=None):
    """Run so many ticks with the changes of YIELDS."""
    for tick in range(ticks):
        for at, good, yield_mills in YIELDS:
            if at == tick:
                cities[0].set_yield(good, yield_mills)
        for city in cities:
            city.run(1)
        if each_tick:
            each_tick()


def on_the_way(cities):
    """All merchants that are between two cities."""
    return [merchant for city in cities for road in city.roads.values() for merchant in road.outbound + road.inbound]


def money_mills(cities):
    """All the money there is, on the roads too."""
    total = sum(merchant.money_mills for merchant in on_the_way(cities))
    for city in cities:
        total += sum(st.locals_column(city, kernel.MONEY)) + sum(st.merchants_column(city, kernel.MONEY))
    return total


def units(cities):
    """Units of each good that there are, on the roads too, less those made, plus those used and broken."""
    counts = []
    for index, good in enumerate(cities[0].good_names):
        count = sum(merchant.owned for merchant in on_the_way(cities) if merchant.good == good)
        for city in cities:
            words = city.words
            count += sum(st.locals_column(city, kernel.LOCAL_ROWS + index))
            kinds, owned = st.merchants_column(city, kernel.GOOD), st.merchants_column(city, kernel.OWNED)
            count += sum(owned[n] for n in range(len(kinds)) if kinds[n] == index)
            row = words[kernel.AT_GOODS] + index * words[kernel.GOOD_WORDS]
            count += words[row + kernel.USED] + words[row + kernel.BROKEN] - words[row + kernel.MADE]
        counts.append(count)
    return counts


def plain_kernel():
    """The kernel as plain Python, also on an interpreter that would compile it."""
    with open(kernel.__file__) as source:
        text = source.read().replace("@micropython.viper\n", "")
    names = {}
    exec(text, names)

    class Engine:
        pass

    for name in ("run", "appraise", "consider", "pay_locals"):
        setattr(Engine, name, staticmethod(names[name]))
    return Engine


def digests(engine, ticks):
    """The digest of every city of every world after so many ticks."""
    result = []
    for seed, locals_, merchants, names in SIZES:
        cities = world(seed, locals_, merchants, names, engine)
        run(cities, ticks)
        result.append(" ".join([city.digest() for city in cities]))
    return result


def facts(merchant):
    """All that there is to know of a merchant, to be compared."""
    return (
        merchant.good,
        merchant.money_mills,
        merchant.capacity,
        merchant.owned,
        merchant.prices_mills,
        merchant.id,
    )
