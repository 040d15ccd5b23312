"""Plans: which cities, goods, roads and speed to run, from the command line or a world file.

Here: the plan of a world and of a city, options that override it, and building City objects from it. Not here: reading
a world file (world/file.py), running the cities (runtime/cities.py).
"""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from deskonomy.economy.city import City
from deskonomy.economy.goods import GOODS, Good
from deskonomy.roads.local import connect

from deskonomy_host import validation
from deskonomy_host.addresses import Address
from deskonomy_host.errors import UsageError
from deskonomy_host.world import engines

PORT = 55555
LOCALS = 20
SEED = 1
SPEED = 20.0  # ticks per second: slow enough to watch
_VISITORS_MAX = 1000  # merchants in a city besides those that live in the world
COLOURS = ("green", "cyan", "yellow", "magenta", "red", "blue", "white")

Recipes = dict[str, dict[str, int]]
ProcessRoadOpener = Callable[[City, str], None]


@dataclass
class CityPlan:
    """The plan of one city.

    Attributes:
        name: the city's name.
        colour: its colour, as a terminal or CSS names it.
        locals_: number of locals.
        merchants: number of merchants; None for half as many as locals.
        seed: seed of its random generator; None for the world's seed plus the city's index.
        recipes: {good: {material: units}}; None for the recipes that the core gives to a city of this name.
        port: first port to listen on; None for the world's port.
        dial: addresses that the city dials.
    """

    name: str
    colour: str
    locals_: int = LOCALS
    merchants: int | None = None
    seed: int | None = None
    recipes: Recipes | None = None
    port: int | None = None
    dial: list[Address] = field(default_factory=list[Address])


@dataclass
class WorldPlan:
    """The plan of all cities of a run.

    Attributes:
        cities: the plans of the cities, in the order in which they run.
        roads: pairs of names of cities with a road between them.
        goods: the goods of every city.
        listen: the address of this machine to listen on.
        port: first port to listen on; the cities take the next free ones.
        seed: city number i has the seed `seed` + i, unless its own plan has one.
        speed: ticks per second; math.inf for as fast as the machine allows.
        engine: a name of world.engines; None for the one that suits the speed.
        key_file: the file with the key that every peer must have; None for the default of roads.keyring.load_key().
    """

    cities: list[CityPlan]
    roads: list[tuple[str, str]]
    goods: tuple[Good, ...] = GOODS
    listen: str = "127.0.0.1"
    port: int = PORT
    seed: int = SEED
    speed: float = SPEED
    engine: str | None = None
    key_file: str | None = None


def plan_cities(names: Sequence[str]) -> WorldPlan:
    """Return the plan of cities with these names and a road between each pair. Raises UsageError."""
    cities: list[CityPlan] = []
    for index, name in enumerate(names):
        validation.check_name(name, "a city's name")
        if name in names[:index]:
            raise UsageError(f"two cities are called {name}: give each its own name")
        cities.append(CityPlan(name, COLOURS[index % len(COLOURS)]))
    return WorldPlan(cities, list(combinations(names, 2)))


def override_plan(
    world: WorldPlan,
    *,
    dial: Sequence[Address] = (),
    listen: str | None = None,
    port: int | None = None,
    seed: int | None = None,
    locals_: int | None = None,
    merchants: int | None = None,
    speed: float | None = None,
    engine: str | None = None,
    key_file: str | None = None,
) -> WorldPlan:
    """Return the plan with options of the command line in place of its own values; None keeps the plan's value.

    The options win over a world file for every city: with `seed` or `port` no city keeps its own. The first city dials
    the addresses `dial` as well as its own.
    """
    options = {"listen": listen, "port": port, "seed": seed, "speed": speed, "engine": engine, "key_file": key_file}
    cities = [
        replace(
            city,
            locals_=city.locals_ if locals_ is None else locals_,
            merchants=city.merchants if merchants is None else merchants,
            seed=city.seed if seed is None else None,
            port=city.port if port is None else None,
            dial=[*city.dial, *(dial if index == 0 else ())],
        )
        for index, city in enumerate(world.cities)
    ]
    return replace(world, cities=cities, **{key: value for key, value in options.items() if value is not None})


def count_residents(plan: WorldPlan | CityPlan) -> int:
    """Return the number of locals and merchants."""
    if isinstance(plan, WorldPlan):
        return sum(count_residents(city) for city in plan.cities)
    return plan.locals_ + (plan.locals_ // 2 if plan.merchants is None else plan.merchants)


def choose_engine(world: WorldPlan, ticks: int | None = None) -> str:
    """Return the name of the engine that runs this many ticks; ticks: None for a run without an end."""
    return world.engine or engines.select_engine(count_residents(world), convert_speed(world.speed), ticks)


def convert_speed(speed: float) -> float | None:
    """Return a plan's speed as economy.clock.Clock takes it: None in place of math.inf."""
    return None if math.isinf(speed) else speed


def build_cities(
    world: WorldPlan,
    names: Collection[str] | None = None,
    open_process_road: ProcessRoadOpener | None = None,
    restore: Callable[[CityPlan, tuple[Good, ...], object], City | None] | None = None,
) -> list[City]:
    """Build the cities of a plan, with the roads between them.

    Args:
        world: the plan.
        names: the cities to build; None for all.
        open_process_road: called with a city that was built and the name of one that was not, for each road between
            two such cities.
        restore: returns the saved city of a plan, its goods and an engine; None if there is no saved one.

    Returns:
        The cities in the order of the plan.
    """
    kernel = engines.load_engine(choose_engine(world))
    cities = {
        plan.name: (restore(plan, world.goods, kernel) if restore else None)
        or build_city(plan, world.seed + index, world.goods, kernel)
        for index, plan in enumerate(world.cities)
        if names is None or plan.name in names
    }
    for city in cities.values():
        # Everything that lives in this world finds room in one city. Further merchants, of strangers, wait on their
        # roads: the more merchants, the longer a tick.
        city.merchants_max = count_residents(world) + _VISITORS_MAX
    for ends in world.roads:
        here = [name for name in ends if name in cities]
        if len(here) == 2:
            connect(cities[ends[0]], cities[ends[1]])
        elif here and open_process_road is not None:
            open_process_road(cities[here[0]], ends[1] if ends[0] in cities else ends[0])
    return list(cities.values())


def build_city(plan: CityPlan, seed: int, goods: tuple[Good, ...], kernel: engines.Engine) -> City:
    """Build one city of its plan; kernel: an engine of world.engines, seed: used if the plan has none."""
    return City(
        plan.name,
        seed=seed if plan.seed is None else plan.seed,
        locals_=plan.locals_,
        merchants=plan.merchants,
        goods=goods,
        recipes=plan.recipes,
        engine=kernel,
    )
