"""A world file: what to run, in TOML, and one line for every mistake in it that says where and what to type instead.

Here: reading and checking. Not here: what is made of it (world.py). An example lies beside this file: world.toml.
"""

import tomllib
from itertools import combinations
from pathlib import Path

from deskonomy.economy.goods import GOODS, Good

from deskonomy_host import validation as words
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.world.plan import COLOURS, LOCALS, PORT, SEED, SPEED, CityPlan, World


def read(path):
    """The World that a file describes. Raises OperationError if it cannot be read, Wrong for every mistake in it."""
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise OperationError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    try:
        world = _world(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UsageError) as error:
        raise UsageError(f"{path}: {error}") from None
    if world.key_file is not None:
        world.key_file = str(Path(path).parent / world.key_file)
    return world


def _world(table):
    top = _Table("", table, ("cities", "goods", "roads", "connect", "listen", "port", "seed", "speed", "key_file"))
    goods = _goods(top.table("goods"))
    good_names = [good.name for good in goods]
    tables = top.table("cities")
    if not tables:
        raise UsageError("it has no cities: begin one with [cities.RIVERWOOD]")
    cities = [_city(index, name, tables[name], good_names) for index, name in enumerate(tables)]
    names = list(tables)
    cities[0].dial += top.list("connect", words.address, "['desktown.local:55555']")
    roads = _roads(table["roads"], names) if "roads" in table else list(combinations(names, 2))
    return World(
        cities,
        roads,
        goods,
        listen=top.text("listen", World.listen, "'0.0.0.0' for every network of this machine"),
        port=top.value("port", lambda what: words.whole(what, 1, 65535, PORT), PORT),
        seed=top.value("seed", lambda what: words.whole(what, 0, words.SEED_MAX, 7), SEED),
        speed=top.value("speed", words.speed, SPEED),
        key_file=top.text("key_file", "", "'deskonomy.key', beside this file") if top.has("key_file") else None,
    )


def _city(index, name, table, good_names):
    where = f"cities.{name}"
    words.name(f"[{where}]: a city's name", name)
    table = _Table(where, table, ("colour", "locals", "merchants", "seed", "recipes", "port", "connect"))
    colour = table.text("colour", COLOURS[index % len(COLOURS)], "'green' or '#44cc88'")
    if not _is_colour(colour):
        raise UsageError(f"{where}.colour takes a colour, such as 'green' or '#44cc88', not {colour!r}")
    recipes = None
    if table.has("recipes"):
        recipes = {}
        for product, needs in table.table("recipes").items():
            if product not in good_names:
                raise UsageError(f"{where}.recipes makes {product}, which is no good here: {', '.join(good_names)}")
            recipes[product] = _needs(f"{where}.recipes.{product}", product, needs, good_names)
    return CityPlan(
        name,
        colour,
        table.value("locals", lambda what: words.whole(what, 0, words.LOCALS_MAX, LOCALS), LOCALS),
        table.value("merchants", lambda what: words.whole(what, 0, words.LOCALS_MAX, 10), None),
        table.value("seed", lambda what: words.whole(what, 0, words.SEED_MAX, 7), None),
        recipes,
        table.value("port", lambda what: words.whole(what, 1, 65535, PORT), None),
        table.list("connect", words.address, "['desktown.local:55555']"),
    )


def _goods(tables):
    """The goods of every world, changed and added to by a file's rows."""
    rows = {good.name: good for good in GOODS}
    names = [*rows, *(name for name in tables if name not in rows)]
    for name, table in tables.items():
        where = f"goods.{name}"
        words.name(f"[{where}]: a good's name", name)
        table = _Table(where, table, ("stock", "value", "half", "needs", "breaks"))
        known = rows.get(name)
        for key in ("value", "half") if known is None else ():
            if not table.has(key):
                raise UsageError(f"{where}.{key} is missing: add {key} = {'[20, 30]' if key == 'value' else 5}")
        good = known or Good(name, 1, (0, 0), 1, {}, False)
        good = good._replace(
            stock=table.value("stock", lambda what: words.whole(what, 1, 1000, 10), good.stock),
            half=table.value("half", lambda what: words.whole(what, 1, 1000, 5), good.half),
            breaks=table.flag("breaks", good.breaks),
        )
        if table.has("value"):
            good = good._replace(value_mills=_value(table))
        if table.has("needs"):
            good = good._replace(needs=_needs(f"{where}.needs", name, table.table("needs"), names))
        rows[name] = good
    return tuple(rows.values())


def _value(table):
    pair = table.list("value", lambda what: words.amount(what, 0.001, 1000, 20), "[20, 30] coins")
    if len(pair) != 2 or pair[0] >= pair[1]:
        raise UsageError(f"{table.where}.value takes two amounts in coins, the lower one first, such as [20, 30]")
    return tuple(pair)


def _needs(where, product, table, good_names):
    if not isinstance(table, dict):
        raise UsageError(f"{where} takes materials and how many, such as {{ wood = 2 }}, not {table!r}")
    for material, count in table.items():
        if material not in good_names or material == product:
            others = ", ".join(name for name in good_names if name != product)
            raise UsageError(f"{where} needs {material}, which it cannot be made of; type one of {others}")
        words.whole(f"{where}.{material}", 1, 1000, 4)(count)
    return dict(table)


def _roads(pairs, names):
    roads = []
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(end, str) for end in pair):
            raise UsageError(f"roads takes pairs of cities, such as [['RIVERWOOD', 'SEASIDE']], not {pairs!r}")
        for end in pair:
            if end not in names:
                raise UsageError(f"roads leads to {end}, which is not in this file; its cities are {', '.join(names)}")
        if pair[0] == pair[1]:
            raise UsageError(f"roads leads from {pair[0]} to itself: name another city")
        if set(pair) in [set(road) for road in roads]:
            raise UsageError(f"roads has {pair[0]} and {pair[1]} twice: once is both ways")
        roads.append(tuple(pair))
    return roads


def _is_colour(text):
    from rich.color import Color, ColorParseError

    try:
        return bool(Color.parse(text))
    except ColorParseError:
        return False


class _Table:
    """A table of the file that knows where it stands, so that every complaint says it."""

    def __init__(self, where, table, keys):
        self.where = where
        if not isinstance(table, dict):
            raise UsageError(f"{where} takes a table, begun with [{where}], not {table!r}")
        for key in table:
            if key not in keys:
                raise UsageError(
                    f"{self._path(key)} is unknown; {self.where or 'a world file'} takes {', '.join(keys)}"
                )
        self._table = table

    def _path(self, key):
        return f"{self.where}.{key}" if self.where else key

    def has(self, key):
        return key in self._table

    def value(self, key, parser, default):
        """What parser(where) makes of it; the default if it is not there."""
        return parser(self._path(key))(self._table[key]) if key in self._table else default

    def list(self, key, parser, example):
        found = self._table.get(key, [])
        if not isinstance(found, list):
            raise UsageError(f"{self._path(key)} takes a list, such as {example}, not {found!r}")
        return [parser(self._path(key))(item) for item in found]

    def table(self, key):
        found = self._table.get(key, {})
        if not isinstance(found, dict):
            raise UsageError(f"{self._path(key)} takes a table, begun with [{self._path(key)}], not {found!r}")
        return found

    def text(self, key, default, example):
        found = self._table.get(key, default)
        if not isinstance(found, str) or not found:
            raise UsageError(f"{self._path(key)} takes text in quotes, such as {example}, not {found!r}")
        return found

    def flag(self, key, default):
        found = self._table.get(key, default)
        if not isinstance(found, bool):
            raise UsageError(f"{self._path(key)} takes true or false, not {found!r}")
        return found
