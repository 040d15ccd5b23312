"""What is shown of a city: the status line, the same from a host, a board's console and its page.

Here: JSON text whose amounts are exact to the mill, also where floats have 24 bits. Not here: when it is printed, and
to whom.
"""

from . import kernel as k
from .compat import strided


def decimal(mills):
    """An amount in mills as a decimal number of whole units: 1211480 -> "1211.48"."""
    text = "%d.%03d" % (abs(mills) // 1000, abs(mills) % 1000)
    text = text[:-1] if text.endswith("0") else text
    text = text[:-1] if text.endswith("0") else text
    return "-" + text if mills < 0 else text


def json_object(pairs):
    """A JSON object of (name, JSON text) pairs."""
    return "{" + ", ".join(['"%s": %s' % pair for pair in pairs]) + "}"


def locals_column(city, field):
    """One word of every local's record, as a list or array."""
    words = city.words
    start = words[k.AT_LOCALS]
    return strided(words, start + field, start + words[k.LOCALS] * words[k.LOCAL_WORDS], words[k.LOCAL_WORDS])


def merchants_column(city, field):
    """One word of every merchant's record, as a list or array."""
    words = city.words
    start = words[k.AT_MERCHANTS]
    return strided(words, start + field, start + words[k.MERCHANTS] * words[k.MERCHANT_WORDS], words[k.MERCHANT_WORDS])


def prices_mills(city, good):
    """(min, mean, max) of what the locals expect a good to cost, in mills; zeros in a city without locals."""
    start = city.words[k.AT_PRICES] + city.good_names.index(good) * city.words[k.SLOTS]
    prices = city.words[start : start + city.words[k.LOCALS]]
    return (min(prices), sum(prices) // len(prices), max(prices)) if len(prices) else (0, 0, 0)


def line(city, more=(), ticks_per_s=None, ledger_mills=0):
    """A city's status as one line of JSON without a newline.

    more: (name, JSON text) pairs that only this machine has (heap, rssi, sensors and so on).
    """
    prices, owned, yields, kinds = [], [], [], []
    goods_of = list(merchants_column(city, k.GOOD))
    for index, good in enumerate(city.good_names):
        low, mean, high = prices_mills(city, good)
        band = (("min", decimal(low)), ("mean", decimal(mean)), ("max", decimal(high)))
        prices.append((good, json_object(band)))
        stocks = locals_column(city, k.LOCAL_ROWS + index)
        owned.append((good, decimal(sum(stocks) * 1000 // max(1, len(stocks)))))
        yields.append((good, decimal(city.yield_mills(good))))
        kinds.append((good, "%d" % goods_of.count(index)))
    locals_mills = sum(locals_column(city, k.MONEY))
    merchants_mills = sum(merchants_column(city, k.MONEY))
    pairs = [
        ("city", quoted(city.name)),
        ("tick", "%d" % city.tick),
        ("seed", "%d" % city.seed),
        ("digest", '"%s"' % city.digest()),
        ("price", json_object(prices)),
        ("owned", json_object(owned)),
        ("yield", json_object(yields)),
        ("merchants", json_object(kinds)),
        ("locals", "%d" % city.words[k.LOCALS]),
        (
            "money",
            json_object(
                (
                    ("locals", decimal(locals_mills)),
                    ("merchants", decimal(merchants_mills)),
                    ("ledger", decimal(ledger_mills)),
                    ("total", decimal(locals_mills + merchants_mills + ledger_mills)),
                )
            ),
        ),
        ("roads", _roads(city)),
    ]
    pairs.extend(more)
    if ticks_per_s is not None:
        pairs.append(("ticks_per_s", "%.1f" % ticks_per_s))
    return json_object(pairs)


def _roads(city):
    rows = []
    for name in sorted(city.roads):
        row = city.roads[name].status()
        cells = []
        for key in sorted(row):
            cells.append((key, quoted(row[key]) if isinstance(row[key], str) else "%d" % row[key]))
        rows.append((name.replace("\\", "\\\\"), json_object(cells)))
    return json_object(rows)


def quoted(text):
    """A name as JSON text."""
    # A name has no control characters and no quotes (protocol), which leaves the backslash.
    return '"%s"' % text.replace("\\", "\\\\")
