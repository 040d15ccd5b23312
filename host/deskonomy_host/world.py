"""What to run: cities, goods, roads, speed; from words on the command line, which win over a world file.

Here: the plan, and making cities of it. Not here: reading a world file (world_file.py), running the cities (run.py).
"""

import math
from dataclasses import dataclass, field, replace
from itertools import combinations

from deskonomy.city import City
from deskonomy.goods import GOODS
from deskonomy.road import connect

from . import engine as engines
from . import words
from .errors import Wrong

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
    None for the one that suits the speed.
    """

    cities: list
    roads: list
    goods: tuple = GOODS
    listen: str = "127.0.0.1"
    port: int = PORT
    seed: int = SEED
    speed: float = SPEED
    engine: str | None = None


def of_names(names):
    """A World of these cities, with a road between each pair. Raises Wrong."""
    cities = []
    for index, name in enumerate(names):
        words.name("a city's name", name)
        if name in names[:index]:
            raise Wrong(f"two cities are called {name}: give each its own name")
        cities.append(CityPlan(name, COLOURS[index % len(COLOURS)]))
    return World(cities, list(combinations(names, 2)))


def build(world):
    """The cities of a World, with the roads between them. City i is born from the seed of the world + i, or its own."""
    residents = sum(plan.locals_ * 3 // 2 for plan in world.cities)
    kernel = engines.engine(world.engine) if world.engine else engines.choose(residents, pace(world.speed))
    cities = [build_city(plan, world.seed + index, world.goods, kernel) for index, plan in enumerate(world.cities)]
    by_name = {city.name: city for city in cities}
    for one, other in world.roads:
        connect(by_name[one], by_name[other])
    return cities


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
    world, *, dial=(), listen=None, port=None, seed=None, locals_=None, merchants=None, speed=None, engine=None
):
    """The World with what the command line says in its place: a word there wins over the file, for every city."""
    given = {"listen": listen, "port": port, "seed": seed, "speed": speed, "engine": engine}
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
