"""The state array at a city's birth, and its growth.

Here: creating the array, writing its goods and merchants, drawing its locals. Not here: its offsets and their meaning
(kernel.py), every later change (city.py). A board needs this module only at its start, and unloads it.
"""

import hashlib
from array import array

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.economy import goods as defaults
from deskonomy.economy import kernel as k

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deskonomy.economy.city import Engine
    from deskonomy.economy.goods import Good

_PLACES = const(6)  # of a newborn city: itself, and five others whose prices the array holds; more roads grow it


def draw_city(
    name: str,
    seed: int,
    locals_: int,
    merchants: "int | None",
    goods: "Sequence[Good] | None",
    recipes: "Mapping[str, Mapping[str, int]] | None",
    merchants_max: "int | None",
    engine: "Engine",
) -> "tuple[array[int], list[str]]":
    """Return the state array of a newborn city, and the names of its goods. The arguments are those of City."""
    if goods is None:
        goods = defaults.GOODS
    if merchants is None:
        merchants = locals_ // 2
    if recipes is None:
        recipes = defaults.CITY_RECIPES.get(name, {})
    state = create_state(len(goods), locals_, _PLACES, locals_ + max(merchants, merchants_max or 0))
    write_goods(state, goods, recipes)
    draw_locals(state, goods, seed, name, engine.appraise)
    good_names = [good.name for good in goods]
    _write_merchants(state, merchants, good_names.index("chair") if "chair" in good_names else 0, engine)
    return state, good_names


def create_state(goods: int, locals_: int, places: int, residents: int) -> "array[int]":
    """Return a new state array with room for these numbers of goods, locals, places and residents."""
    slots = k.find_prime(residents)
    good_size = k.NEEDS + goods
    local_size = k.LOCAL_ROWS + 5 * goods
    merchant_size = k.FAR + (places - 1) * goods
    blocks = (
        (k.AT_ROADS, places),
        (k.AT_ODDS, k.ODDS_SIZE),
        (k.AT_GOODS, goods * good_size),
        (k.AT_PRICES, goods * slots),
        (k.AT_ASKS, goods * slots),
        (k.AT_LOCALS, locals_ * local_size),
        (k.AT_MERCHANTS, (slots - locals_) * merchant_size),
    )
    # Filled from a range, because bytes of zeros would need memory of the same size besides.
    state = array("i", range(k.HEADER_SIZE + sum([size for _, size in blocks])))
    for at in range(len(state)):
        state[at] = 0
    at = k.HEADER_SIZE
    for header, size in blocks:
        state[header] = at
        at += size
    state[k.LOCALS] = locals_
    state[k.GOODS] = goods
    state[k.PLACES] = places
    state[k.SLOTS] = slots
    state[k.LOCAL_SIZE] = local_size
    state[k.MERCHANT_SIZE] = merchant_size
    state[k.GOOD_SIZE] = good_size
    state[k.PRIME_LOCALS] = k.find_prime(locals_)
    state[k.PRIME_GOODS] = k.find_prime(goods)
    state[k.LEISURE_HALF] = defaults.LEISURE.half
    for ask in range(state[k.AT_ASKS], state[k.AT_LOCALS]):
        state[ask] = k.NEVER
    return state


def write_goods(state: "array[int]", goods: "Sequence[Good]", recipes: "Mapping[str, Mapping[str, int]]") -> None:
    """Write the goods and the odds. `recipes`, {good: needs}, replace those of the goods."""
    names = [good.name for good in goods]
    state[k.FALLBACK] = names.index(defaults.FALLBACK) if defaults.FALLBACK in names else len(goods) - 1
    odds = 32768
    for n in range(k.ODDS_SIZE):
        state[state[k.AT_ODDS] + n] = odds
        odds = (odds * 9 + 5) // 10
    for index, good in enumerate(goods):
        row = state[k.AT_GOODS] + index * state[k.GOOD_SIZE]
        needs = recipes.get(good.name, good.needs)
        state[row + k.HALF] = good.half
        state[row + k.YIELD] = 1000
        state[row + k.BREAKS] = 1 if good.breaks else 0
        state[row + k.CRAFTED] = 1 if needs else 0
        for material in needs:
            state[row + k.NEEDS + names.index(material)] = needs[material]


def draw_locals(
    state: "array[int]",
    goods: "Sequence[Good]",
    seed: int,
    name: str,
    appraise: "Callable[[array[int], int], object]",
) -> None:
    """Draw all locals of the city of this name from its seed. `appraise` is the engine's function."""
    digest = hashlib.sha256(("%d %s" % (seed, name)).encode()).digest()
    # A multiply-with-carry generator takes every state but 0 and the largest.
    state[k.RANDOM_A] = int.from_bytes(digest[:4], "little") % (15633 * 65536 - 2) + 1
    state[k.RANDOM_B] = int.from_bytes(digest[4:8], "little") % (15393 * 65536 - 2) + 1
    count = len(goods)
    leisure = defaults.LEISURE.value_mills
    for local in range(state[k.LOCALS]):
        record = state[k.AT_LOCALS] + local * state[k.LOCAL_SIZE]
        stocks = record + k.LOCAL_ROWS
        values = stocks + count
        sell_from = values + 3 * count
        state[record + k.LEISURE_VALUE] = _draw(state, leisure[0], leisure[1])
        for index, good in enumerate(goods):
            state[stocks + index] = _draw(state, 0, good.stock)
            state[values + index] = _draw(state, good.value_mills[0], good.value_mills[1])
        # With 999 coins a price equals the personal value that it is compared with: see kernel.appraise(). So the first
        # expected price is read from what the local would sell from, which is 1 mill above that value.
        state[record + k.MONEY] = 999_000
        appraise(state, local)
        for index in range(count):
            value = state[sell_from + index] - 1 if state[stocks + index] > 0 else state[values + index]
            state[state[k.AT_PRICES] + index * state[k.SLOTS] + local] = value
        state[record + k.MONEY] = 1_000_000
        appraise(state, local)


def _write_merchants(state: "array[int]", merchants: int, good: int, engine: "Engine") -> None:
    """Write the merchants of a newborn city: with 1000 coins, nothing owned, room for 20 units, this good."""
    state[k.MERCHANTS] = merchants
    state[k.PRIME_MERCHANTS] = k.find_prime(merchants)
    state[k.PRIME_RESIDENTS] = k.find_prime(state[k.LOCALS] + merchants)
    for index in range(merchants):
        record = state[k.AT_MERCHANTS] + index * state[k.MERCHANT_SIZE]
        state[record + k.MONEY] = 1_000_000
        state[record + k.GOOD] = good
        state[record + k.CAPACITY] = 20
    for index in range(merchants):
        engine.consider(state, index)


def _draw(state: "array[int]", low: int, high: int) -> int:
    """Return a random integer in [low, high), from the generator of the kernel."""
    a, b = state[k.RANDOM_A], state[k.RANDOM_B]
    a = 15633 * (a & 65535) + (a >> 16)
    b = 15393 * (b & 65535) + (b >> 16)
    state[k.RANDOM_A], state[k.RANDOM_B] = a, b
    return low + (((a & 16383) << 16) | (b & 65535)) % (high - low)


def grow_state(old: "array[int]", places: int, residents: int) -> "array[int]":
    """Return the same city in an array with room for these numbers of places and residents."""
    goods, old_slots = old[k.GOODS], old[k.SLOTS]
    new = create_state(goods, old[k.LOCALS], places, residents)
    for header in (k.MERCHANTS, k.PRIME_MERCHANTS, k.PRIME_RESIDENTS, k.RANDOM_A, k.RANDOM_B, k.TICK, k.TICK_HIGH):
        new[header] = old[header]
    new[k.FALLBACK] = old[k.FALLBACK]
    new[k.LAST_ROAD] = old[k.LAST_ROAD]
    new_slots = new[k.SLOTS]
    # (header with the block's begin, offset in the old block, offset in the new block, length)
    parts = [
        (k.AT_ROADS, 0, 0, old[k.PLACES]),
        (k.AT_ODDS, 0, 0, k.ODDS_SIZE),
        (k.AT_GOODS, 0, 0, goods * old[k.GOOD_SIZE]),
        (k.AT_LOCALS, 0, 0, old[k.LOCALS] * old[k.LOCAL_SIZE]),
    ]
    for good in range(goods):
        for header in (k.AT_PRICES, k.AT_ASKS):
            parts.append((header, good * old_slots, good * new_slots, old_slots))
    for index in range(old[k.MERCHANTS]):
        size = old[k.MERCHANT_SIZE]
        parts.append((k.AT_MERCHANTS, index * size, index * new[k.MERCHANT_SIZE], size))
    for header, start, to, size in parts:
        start, to = old[header] + start, new[header] + to
        new[to : to + size] = old[start : start + size]
    return new
