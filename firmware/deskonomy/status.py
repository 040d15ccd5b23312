"""What is shown of a city: the status line, the same from a host, a board's console and its page.

Here: JSON text whose amounts are exact to the mill, also where floats have 24 bits. Not here: when it is printed, and
to whom.
"""

from deskonomy.compat import strided
from deskonomy.economy import kernel as k


def decimal(mills):
    """An amount in mills as a decimal number of whole units: 1211480 -> "1211.48"."""
    text = "%d.%03d" % (abs(mills) // 1000, abs(mills) % 1000)
    text = text[:-1] if text.endswith("0") else text
    text = text[:-1] if text.endswith("0") else text
    return "-" + text if mills < 0 else text


def json_object(pairs):
    """A JSON object of (name, JSON text) pairs."""
    return "{" + ", ".join(["%s: %s" % (quoted(name), value) for name, value in pairs]) + "}"


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


def line(city, more=(), ticks_per_s=None):
    """A city's status as one line of JSON without a newline.

    more: (name, JSON text) pairs that only this machine has (heap, rssi, sensors and so on).
    """
    return "".join(pieces(city, more, ticks_per_s))


def pieces(city, more=(), ticks_per_s=None):
    """The same line a piece at a time, for memories that may have no room for all of it at once."""
    before = "{"
    for pair in _pairs(city):
        yield before + '"%s": %s' % pair
        before = ", "
    yield ', "roads": {'
    before = ""
    for name in sorted(city.roads):
        yield before + _road(name, city.roads[name].status())
        before = ", "
    yield "}"
    for pair in more:
        yield ', "%s": %s' % pair
    if ticks_per_s is not None:
        yield ', "ticks_per_s": %.1f' % ticks_per_s
    yield "}"


def _pairs(city):
    """What every city has, as (name, JSON text)."""
    goods = city.good_names
    yield "city", quoted(city.name)
    yield "tick", "%d" % city.tick
    yield "seed", "%d" % city.seed
    yield "digest", '"%s"' % city.digest()
    yield "price", json_object([(good, _amounts(("min", "mean", "max"), prices_mills(city, good))) for good in goods])
    yield (
        "owned",
        _amounts(goods, [_mean_mills(locals_column(city, k.LOCAL_ROWS + good)) for good in range(len(goods))]),
    )
    yield "yield", _amounts(goods, [city.yield_mills(good) for good in goods])
    yield "made", json_object([(good, "%d" % city.words[city._row(good) + k.MADE]) for good in goods])
    kinds = list(merchants_column(city, k.GOOD))
    yield "merchants", json_object([(good, "%d" % kinds.count(index)) for index, good in enumerate(goods)])
    yield "locals", "%d" % city.words[k.LOCALS]
    ledger_mills = 0 if city.ledger is None else city.ledger.mills()
    mills = [sum(locals_column(city, k.MONEY)), sum(merchants_column(city, k.MONEY)), ledger_mills]
    yield "money", _amounts(("locals", "merchants", "ledger", "total"), mills + [sum(mills)])


def _amounts(names, mills):
    return json_object([(name, decimal(mills[index])) for index, name in enumerate(names)])


def _mean_mills(units):
    return sum(units) * 1000 // max(1, len(units))


def _road(name, row):
    """A road as a part of the object of all, and not more than one at a time: a short memory has room for that."""
    cells = [(key, quoted(row[key]) if isinstance(row[key], str) else "%d" % row[key]) for key in sorted(row)]
    return "%s: %s" % (quoted(name), json_object(cells))


def quoted(text):
    """A name as JSON text."""
    # A name has no control characters and no quotes (protocol), which leaves the backslash.
    return '"%s"' % text.replace("\\", "\\\\")
