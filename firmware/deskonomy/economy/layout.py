"""How a city is born, and how its array grows.

Here: laying out the array, writing its goods, drawing its locals. Not here: what the words mean (kernel.py), merchants
and everything that happens later (city.py).
"""

import hashlib
from array import array

from deskonomy.economy import goods as defaults
from deskonomy.economy import kernel as k
from deskonomy.economy.city import prime


def lay_out(goods, locals_, places, residents):
    """A new array with room for so many goods, locals, places and residents, and nobody in it."""
    slots = prime(residents)
    sizes = (
        (k.AT_ROADS, places),
        (k.AT_ODDS, k.ODDS_WORDS),
        (k.AT_GOODS, goods * (k.NEEDS + goods)),
        (k.AT_PRICES, goods * slots),
        (k.AT_ASKS, goods * slots),
        (k.AT_LOCALS, locals_ * (k.LOCAL_ROWS + 5 * goods)),
        (k.AT_MERCHANTS, (slots - locals_) * (k.FAR + (places - 1) * goods)),
    )
    words = array("i", range(k.HEADER_WORDS + sum([size for _, size in sizes])))  # bytes of zeros would need room too
    for at in range(len(words)):
        words[at] = 0
    at = k.HEADER_WORDS
    for header, size in sizes:
        words[header] = at
        at += size
    words[k.LOCALS] = locals_
    words[k.GOODS] = goods
    words[k.PLACES] = places
    words[k.SLOTS] = slots
    words[k.LOCAL_WORDS] = k.LOCAL_ROWS + 5 * goods
    words[k.MERCHANT_WORDS] = k.FAR + (places - 1) * goods
    words[k.GOOD_WORDS] = k.NEEDS + goods
    words[k.PRIME_LOCALS] = prime(locals_)
    words[k.PRIME_GOODS] = prime(goods)
    words[k.LEISURE_HALF] = defaults.LEISURE.half
    for ask in range(words[k.AT_ASKS], words[k.AT_LOCALS]):
        words[ask] = k.NEVER
    return words


def write_goods(words, goods, recipes):
    """Write the goods (a sequence of goods.Good) and the odds. recipes: {good: needs} where they differ."""
    names = [good.name for good in goods]
    words[k.FALLBACK] = names.index(defaults.FALLBACK) if defaults.FALLBACK in names else len(goods) - 1
    odds = 32768
    for n in range(k.ODDS_WORDS):
        words[words[k.AT_ODDS] + n] = odds
        odds = (odds * 9 + 5) // 10
    for index, good in enumerate(goods):
        row = words[k.AT_GOODS] + index * words[k.GOOD_WORDS]
        needs = recipes.get(good.name, good.needs)
        words[row + k.HALF] = good.half
        words[row + k.YIELD] = 1000
        words[row + k.BREAKS] = 1 if good.breaks else 0
        words[row + k.CRAFTED] = 1 if needs else 0
        for material in needs:
            words[row + k.NEEDS + names.index(material)] = needs[material]


def draw_locals(words, goods, seed, name, appraise):
    """Draw every local of a city of this name from its seed. appraise: the engine's."""
    digest = hashlib.sha256(("%d %s" % (seed, name)).encode()).digest()
    # Any state but 0 and the largest will do for a multiply-with-carry generator.
    words[k.RANDOM_A] = int.from_bytes(digest[:4], "little") % (15633 * 65536 - 2) + 1
    words[k.RANDOM_B] = int.from_bytes(digest[4:8], "little") % (15393 * 65536 - 2) + 1
    count = len(goods)
    leisure = defaults.LEISURE.value_mills
    for local in range(words[k.LOCALS]):
        record = words[k.AT_LOCALS] + local * words[k.LOCAL_WORDS]
        stocks = record + k.LOCAL_ROWS
        values = stocks + count
        words[record + k.LEISURE_VALUE] = _draw(words, leisure[0], leisure[1])
        for index, good in enumerate(goods):
            words[stocks + index] = _draw(words, 0, good.stock)
            words[values + index] = _draw(words, good.value_mills[0], good.value_mills[1])
        # With 999 coins a price and a personal value are the same number, so this reads the value of what it has.
        words[record + k.MONEY] = 999_000
        appraise(words, local)
        for index in range(count):
            has = words[stocks + index] > 0
            value = words[values + 3 * count + index] - 1 if has else words[values + index]
            words[words[k.AT_PRICES] + index * words[k.SLOTS] + local] = value
        words[record + k.MONEY] = 1_000_000
        appraise(words, local)


def _draw(words, low, high):
    """A random integer in [low, high), from the generator of the kernel."""
    a, b = words[k.RANDOM_A], words[k.RANDOM_B]
    a = 15633 * (a & 65535) + (a >> 16)
    b = 15393 * (b & 65535) + (b >> 16)
    words[k.RANDOM_A], words[k.RANDOM_B] = a, b
    return low + (((a & 16383) << 16) | (b & 65535)) % (high - low)


def grow(old, places, residents):
    """The same city in an array with room for so many places and residents."""
    goods, old_slots = old[k.GOODS], old[k.SLOTS]
    new = lay_out(goods, old[k.LOCALS], places, residents)
    for header in (k.MERCHANTS, k.PRIME_MERCHANTS, k.PRIME_RESIDENTS, k.RANDOM_A, k.RANDOM_B, k.TICK, k.TICK_HIGH):
        new[header] = old[header]
    new[k.FALLBACK] = old[k.FALLBACK]
    new[k.LAST_ROAD] = old[k.LAST_ROAD]
    new_slots = new[k.SLOTS]
    blocks = [
        (k.AT_ROADS, 0, 0, old[k.PLACES]),
        (k.AT_ODDS, 0, 0, k.ODDS_WORDS),
        (k.AT_GOODS, 0, 0, goods * old[k.GOOD_WORDS]),
        (k.AT_LOCALS, 0, 0, old[k.LOCALS] * old[k.LOCAL_WORDS]),
    ]
    for good in range(goods):
        for header in (k.AT_PRICES, k.AT_ASKS):
            blocks.append((header, good * old_slots, good * new_slots, old_slots))
    for index in range(old[k.MERCHANTS]):
        size = old[k.MERCHANT_WORDS]
        blocks.append((k.AT_MERCHANTS, index * size, index * new[k.MERCHANT_WORDS], size))
    for header, start, to, size in blocks:
        start, to = old[header] + start, new[header] + to
        new[to : to + size] = old[start : start + size]
    return new
