"""What to run: cities, goods, roads, speed; from words on the command line, which win over a world file.

Here: the plan, and making cities of it. Not here: reading a world file (world_file.py), running the cities (run.py).
"""

import math
from dataclasses import dataclass, field, replace
from itertools import combinations

from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS
from deskonomy.roads.local import connect

from deskonomy_host import validation as words
from deskonomy_host.errors import UsageError
from deskonomy_host.world import engines

PORT = 55555
LOCALS = 20
SEED = 1
SPEED = 20.0  # ticks a second that an eye can follow
COLOURS = ("green", "cyan", "yellow", "magenta", "red", "blue", "white")


@dataclass
class CityPlan:
    """One city to come.

    merchants: None for half as many as locals. seed: None for one that follows from the world's. recipes: {good:
    {material: count}}, None for its own. port: None for the world's. dial: (host, port) pairs.
    """

    name: str
    colour: str
    locals_: int = LOCALS
    merchants: int | None = None
    seed: int | None = None
    recipes: dict | None = None
    port: int | None = None
    dial: list = field(default_factory=list)


@dataclass
class World:
    """All to run in one process.

    roads: pairs of names. speed: ticks a second, math.inf for as fast as it goes. engine: a name of engine.ENGINES,
    None for the one that suits the speed. key_file: where the key is that every peer must have, None for what
    keys.given() makes of that.
    """

    cities: list
    roads: list
    goods: tuple = GOODS
    listen: str = "127.0.0.1"
    port: int = PORT
    seed: int = SEED
    speed: float = SPEED
    engine: str | None = None
    key_file: str | None = None


def of_names(names):
    """A World of these cities, with a road between each pair. Raises UsageError."""
    cities = []
    for index, name in enumerate(names):
        words.name("a city's name", name)
        if name in names[:index]:
            raise UsageError(f"two cities are called {name}: give each its own name")
        cities.append(CityPlan(name, COLOURS[index % len(COLOURS)]))
    return World(cities, list(combinations(names, 2)))


def residents(plan) -> int:
    """How many people a CityPlan or a World has."""
    if isinstance(plan, World):
        return sum(residents(city) for city in plan.cities)
    return plan.locals_ + (plan.locals_ // 2 if plan.merchants is None else plan.merchants)


def engine_of(world, ticks=None):
    """The name of the engine that runs a World for so many ticks, None for no end."""
    return world.engine or engines.choose(residents(world), pace(world.speed), ticks)


def build(world, names=None, border=None, saved=None):
    """The cities of a World, or those of these names, with the roads between them.

    City i is born from the seed of the world + i, or its own. border: called with a City of these and the name of one
    that is not, for each road that leads there. saved: the City of a plan, its goods and an engine where it need not be
    born, else None.
    """
    kernel = engines.engine(engine_of(world))
    cities = {
        plan.name: (saved and saved(plan, world.goods, kernel))
        or build_city(plan, world.seed + index, world.goods, kernel)
        for index, plan in enumerate(world.cities)
        if names is None or plan.name in names
    }
    for one, other in world.roads:
        if one in cities and other in cities:
            connect(cities[one], cities[other])
        elif border is not None and one in cities:
            border(cities[one], other)
        elif border is not None and other in cities:
            border(cities[other], one)
    return list(cities.values())


def build_city(plan, seed, goods, kernel):
    """One city of its plan. kernel: an engine.Engine."""
    return City(
        plan.name,
        seed=seed if plan.seed is None else plan.seed,
        locals_=plan.locals_,
        merchants=plan.merchants,
        goods=goods,
        recipes=plan.recipes,
        engine=kernel,
    )


def with_words(
    world,
    *,
    dial=(),
    listen=None,
    port=None,
    seed=None,
    locals_=None,
    merchants=None,
    speed=None,
    engine=None,
    key_file=None,
):
    """The World with what the command line says in its place: a word there wins over the file, for every city."""
    given = {"listen": listen, "port": port, "seed": seed, "speed": speed, "engine": engine, "key_file": key_file}
    for plan in world.cities:
        plan.locals_ = plan.locals_ if locals_ is None else locals_
        plan.merchants = plan.merchants if merchants is None else merchants
        plan.seed = plan.seed if seed is None else None
        plan.port = plan.port if port is None else None
    world.cities[0].dial += dial
    return replace(world, **{key: value for key, value in given.items() if value is not None})


def pace(speed):
    """A speed as drive() takes it: None for as fast as the machine allows."""
    return None if math.isinf(speed) else speed
