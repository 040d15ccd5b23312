"""World files: a plan in TOML, and for every mistake in it one line with its place and what to type instead.

Here: reading and checking. Not here: what is built from the plan (world/plan.py). world.toml beside this file is an
example.
"""

import tomllib
from collections.abc import Callable, Collection
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar, cast

from deskonomy.economy.goods import GOODS, Good

from deskonomy_host import validation
from deskonomy_host.addresses import PORT_MAX, parse_address
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.world.plan import COLOURS, LOCALS, PORT, SEED, SPEED, CityPlan, Recipes, WorldPlan

UNITS_MAX = 1000  # of a stock, of a material in a recipe, and coins of a value
WORLD_KEYS = ("cities", "goods", "roads", "connect", "listen", "port", "seed", "speed", "key_file")
CITY_KEYS = ("colour", "locals", "merchants", "seed", "recipes", "port", "connect")
GOOD_KEYS = ("stock", "value", "half", "needs", "breaks")
_ADDRESSES = "['desktown.local:55555']"  # the example in error messages

Checked = TypeVar("Checked")


def read(path: str | Path) -> WorldPlan:
    """Return the plan that a file describes.

    Raises:
        OperationError: the file cannot be read.
        UsageError: the file is not UTF-8 text, not TOML, or has a value that is not valid.
    """
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise OperationError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    try:
        world = _read_world(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UsageError) as error:
        raise UsageError(f"{path}: {error}") from None
    if world.key_file is not None:
        world.key_file = str(Path(path).parent / world.key_file)
    return world


def _read_world(values: dict[str, Any]) -> WorldPlan:
    table = _Table("", values, WORLD_KEYS)
    goods = _read_goods(table.table("goods"))
    good_names = _good_names(goods)
    city_tables = table.table("cities")
    if not city_tables:
        raise UsageError("it has no cities: begin one with [cities.RIVERWOOD]")
    cities = [_read_city(index, name, city_tables[name], good_names) for index, name in enumerate(city_tables)]
    names = list(city_tables)
    cities[0].dial += table.list("connect", _ADDRESSES, parse_address)
    roads = _read_roads(values["roads"], names) if "roads" in values else list(combinations(names, 2))
    return WorldPlan(
        cities,
        roads,
        goods,
        listen=table.text("listen", WorldPlan.listen, "'0.0.0.0' for every network of this machine"),
        port=table.integer("port", PORT, 1, PORT_MAX, PORT),
        seed=table.integer("seed", SEED, 0, validation.SEED_MAX, 7),
        speed=table.value("speed", SPEED, validation.parse_speed),
        key_file=table.text("key_file", "", "'deskonomy.key', beside this file") if table.has("key_file") else None,
    )


def _read_city(index: int, name: str, values: Any, good_names: list[str]) -> CityPlan:
    where = f"cities.{name}"
    validation.check_name(name, f"[{where}]: a city's name")
    table = _Table(where, values, CITY_KEYS)
    colour = table.text("colour", COLOURS[index % len(COLOURS)], "'green' or '#44cc88'")
    if not _is_colour(colour):
        raise UsageError(f"{where}.colour takes a colour, such as 'green' or '#44cc88', not {colour!r}")
    return CityPlan(
        name,
        colour,
        locals_=table.integer("locals", LOCALS, 0, validation.LOCALS_MAX, LOCALS),
        merchants=table.integer("merchants", None, 0, validation.LOCALS_MAX, 10),
        seed=table.integer("seed", None, 0, validation.SEED_MAX, 7),
        recipes=_read_recipes(table, good_names) if table.has("recipes") else None,
        port=table.integer("port", None, 1, PORT_MAX, PORT),
        dial=table.list("connect", _ADDRESSES, parse_address),
    )


def _read_recipes(table: "_Table", good_names: list[str]) -> Recipes:
    """Return a city's own recipes."""
    recipes: Recipes = {}
    for product, needs in table.table("recipes").items():
        where = f"{table.where}.recipes"
        if product not in good_names:
            raise UsageError(f"{where} makes {product}, which is no good here: {', '.join(good_names)}")
        recipes[product] = _read_needs(f"{where}.{product}", product, needs, good_names)
    return recipes


def _read_goods(tables: dict[str, Any]) -> tuple[Good, ...]:
    """Return the core's goods with the changes and additions of a file."""
    goods: dict[str, Good] = dict(zip(_good_names(GOODS), GOODS, strict=True))
    names = [*goods, *(name for name in tables if name not in goods)]
    for name, values in tables.items():
        where = f"goods.{name}"
        validation.check_name(name, f"[{where}]: a good's name")
        table = _Table(where, values, GOOD_KEYS)
        known = goods.get(name)
        for key in ("value", "half") if known is None else ():
            if not table.has(key):
                raise UsageError(f"{where}.{key} is missing: add {key} = {'[20, 30]' if key == 'value' else 5}")
        good = known or Good(name, 1, (0, 0), 1, {}, False)
        default = good._asdict()
        good = good._replace(
            stock=table.integer("stock", default["stock"], 1, UNITS_MAX, 10),
            half=table.integer("half", default["half"], 1, UNITS_MAX, 5),
            breaks=table.flag("breaks", default["breaks"]),
        )
        if table.has("value"):
            good = good._replace(value_mills=_read_value(table))
        if table.has("needs"):
            good = good._replace(needs=_read_needs(f"{where}.needs", name, table.table("needs"), names))
        goods[name] = good
    return tuple(goods.values())


def _good_names(goods: tuple[Good, ...]) -> list[str]:
    return [good._asdict()["name"] for good in goods]


def _read_value(table: "_Table") -> tuple[int, ...]:
    pair = table.list("value", "[20, 30] coins", validation.parse_amount, 0.001, UNITS_MAX, 20)
    if len(pair) != 2 or pair[0] >= pair[1]:
        raise UsageError(f"{table.where}.value takes two amounts in coins, the lower one first, such as [20, 30]")
    return tuple(pair)


def _read_needs(where: str, product: str, values: Any, good_names: list[str]) -> dict[str, int]:
    """Return the materials of a product, {material: units}."""
    table = _as_dict(values)
    if table is None:
        raise UsageError(f"{where} takes materials and how many, such as {{ wood = 2 }}, not {values!r}")
    for material, count in table.items():
        if material not in good_names or material == product:
            others = ", ".join(name for name in good_names if name != product)
            raise UsageError(f"{where} needs {material}, which it cannot be made of; type one of {others}")
        validation.parse_integer(count, f"{where}.{material}", 1, UNITS_MAX, 4)
    return dict(table)


def _read_roads(pairs: Any, names: list[str]) -> list[tuple[str, str]]:
    roads: list[tuple[str, str]] = []
    values = _as_list(pairs)
    for value in [pairs] if values is None else values:
        pair = _as_list(value)
        if pair is None or len(pair) != 2 or not all(isinstance(end, str) for end in pair):
            raise UsageError(f"roads takes pairs of cities, such as [['RIVERWOOD', 'SEASIDE']], not {pairs!r}")
        for end in pair:
            if end not in names:
                raise UsageError(f"roads leads to {end}, which is not in this file; its cities are {', '.join(names)}")
        if pair[0] == pair[1]:
            raise UsageError(f"roads leads from {pair[0]} to itself: name another city")
        if set(pair) in [set(road) for road in roads]:
            raise UsageError(f"roads has {pair[0]} and {pair[1]} twice: once is both ways")
        roads.append((pair[0], pair[1]))
    return roads


def _as_dict(value: Any) -> dict[str, Any] | None:
    """Return a table as it is; None for any other value."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _as_list(value: Any) -> list[Any] | None:
    """Return a list as it is; None for any other value."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def _is_colour(text: str) -> bool:
    from rich.color import Color, ColorParseError

    try:
        return bool(Color.parse(text))
    except ColorParseError:
        return False


class _Table:
    """A table of the file with its place in it, which every error message names.

    Attributes:
        where: the dotted path of the table, "" for the file itself.
    """

    def __init__(self, where: str, values: Any, keys: Collection[str]):
        self.where = where
        table = _as_dict(values)
        if table is None:
            raise UsageError(f"{where} takes a table, begun with [{where}], not {values!r}")
        for key in table:
            if key not in keys:
                raise UsageError(
                    f"{self._path(key)} is unknown; {self.where or 'a world file'} takes {', '.join(keys)}"
                )
        self._values = table

    def _path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Return whether the file has this key."""
        return key in self._values

    def value(self, key: str, default: Any, parse: Callable[..., Any], *limits: object) -> Any:
        """Return parse(value, path, *limits); the default if the key is missing."""
        return parse(self._values[key], self._path(key), *limits) if key in self._values else default

    def integer(self, key: str, default: Any, low: int, high: int, example: int) -> Any:
        """Return a whole number from low to high; the default if the key is missing."""
        return self.value(key, default, validation.parse_integer, low, high, example)

    def list(self, key: str, example: str, parse: Callable[..., Checked], *limits: object) -> list[Checked]:
        """Return a list of values, each parsed; an empty one if the key is missing."""
        values = _as_list(self._values.get(key, []))
        if values is None:
            raise UsageError(f"{self._path(key)} takes a list, such as {example}, not {self._values[key]!r}")
        return [parse(value, self._path(key), *limits) for value in values]

    def table(self, key: str) -> dict[str, Any]:
        """Return a table; an empty one if the key is missing."""
        values = _as_dict(self._values.get(key, {}))
        if values is None:
            given = self._values[key]
            raise UsageError(f"{self._path(key)} takes a table, begun with [{self._path(key)}], not {given!r}")
        return values

    def text(self, key: str, default: str, example: str) -> str:
        """Return a text that is not empty; the default if the key is missing."""
        text = self._values.get(key, default)
        if not isinstance(text, str) or not text:
            raise UsageError(f"{self._path(key)} takes text in quotes, such as {example}, not {text!r}")
        return text

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false; the default if the key is missing."""
        flag = self._values.get(key, default)
        if not isinstance(flag, bool):
            raise UsageError(f"{self._path(key)} takes true or false, not {flag!r}")
        return flag
