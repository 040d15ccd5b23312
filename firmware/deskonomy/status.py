"""The status line of a city: one JSON object, the same from a host, a board's console and a board's page.

Here: its fields, as text with amounts exact to the mill. Not here: when it is printed and where it is sent, fields that
only one machine has (deskonomy_board/console.py, the host's runtime/cities.py).

The fields of every city, in this order:

    city       its name
    tick       ticks since its birth
    seed       its seed
    version    {"software", "wire"}: the versions of the software and of the wire protocol
    digest     of the state array: see City.digest()
    price      {good: {"min", "mean", "max"}}: the prices that locals expect, in coins
    owned      {good: mean units that a local has}
    yield      {good: units that one act of making gives}
    made       {good: units made since birth, modulo 2**30}
    merchants  {good: number of merchants here that trade it}
    locals     number of locals
    money      {"locals", "merchants", "ledger", "waiting_to_enter", "total"}: in coins; those on local roads are not
               included. Merchants that wait to enter count in "waiting_to_enter" if no other city has them: a city of
               this project has them in its ledger until they are saved here
    roads      {city: see Road.status()}

Then the fields that only this machine has, and last, where it is known, ticks_per_s: the pace that was measured.
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy import kernel as k
from deskonomy.text import format_decimal, format_object, quote
from deskonomy.version import SOFTWARE, WIRE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from deskonomy.economy.city import City


def summarize_prices_mills(city: "City", good: str) -> "tuple[int, int, int]":
    """Return (minimum, mean, maximum) of the prices that locals expect; zeros in a city without locals."""
    start = city.price_offset(city.good_names.index(good), 0)
    prices = city.state[start : start + city.state[k.LOCALS]]
    return (min(prices), sum(prices) // len(prices), max(prices)) if len(prices) else (0, 0, 0)


def format_status(
    city: "City", machine_fields: "Iterable[tuple[str, str]]" = (), ticks_per_s: "float | None" = None
) -> str:
    """Return a city's status as one line of JSON without a newline.

    Args:
        city: the city.
        machine_fields: (name, JSON text) of the fields that only this machine has (heap, rssi, sensors, address, ...).
        ticks_per_s: the measured pace, None to leave it out.
    """
    return "".join(format_status_pieces(city, machine_fields, ticks_per_s))


def format_status_pieces(
    city: "City", machine_fields: "Iterable[tuple[str, str]]" = (), ticks_per_s: "float | None" = None
) -> "Iterator[str]":
    """Yield the status line in pieces: a small memory may have no room for the whole line."""
    before = "{"
    for field in _city_fields(city):
        yield before + '"%s": %s' % field
        before = ", "
    yield ', "roads": {'
    before = ""
    for name in sorted(city.roads):
        # One road at a time, because a small memory has room for that.
        yield before + _format_road(name, city.roads[name].status())
        before = ", "
    yield "}"
    for field in machine_fields:
        yield ', "%s": %s' % field
    if ticks_per_s is not None:
        yield ', "ticks_per_s": %.1f' % ticks_per_s
    yield "}"


def _city_fields(city: "City") -> "Iterator[tuple[str, str]]":
    """Yield (name, JSON text) of the fields that every city has."""
    goods = city.good_names
    yield "city", quote(city.name)
    yield "tick", "%d" % city.tick
    yield "seed", "%d" % city.seed
    yield "version", '{"software": "%s", "wire": %d}' % (SOFTWARE, WIRE)
    yield "digest", '"%s"' % city.digest()
    yield (
        "price",
        format_object(
            [(good, _format_amounts(("min", "mean", "max"), summarize_prices_mills(city, good))) for good in goods]
        ),
    )
    yield "owned", _format_amounts(goods, [_mean_stock_mills(city, good) for good in range(len(goods))])
    yield "yield", _format_amounts(goods, [city.yield_mills(good) for good in goods])
    yield "made", format_object([(good, "%d" % city.state[city.good_offset(good) + k.MADE]) for good in goods])
    traded = list(city.merchants_column(k.GOOD))
    yield "merchants", format_object([(good, "%d" % traded.count(index)) for index, good in enumerate(goods)])
    yield "locals", "%d" % city.state[k.LOCALS]
    mills = [sum(city.locals_column(k.MONEY)), sum(city.merchants_column(k.MONEY)), 0, 0]
    if city.ledger is not None:
        mills[2:] = [city.ledger.sum_money_mills(), city.ledger.sum_waiting_mills()]
    names = ("locals", "merchants", "ledger", "waiting_to_enter", "total")
    yield "money", _format_amounts(names, mills + [sum(mills)])


def _format_amounts(names: "Sequence[str]", mills: "Sequence[int]") -> str:
    return format_object([(name, format_decimal(mills[index])) for index, name in enumerate(names)])


def _mean_stock_mills(city: "City", good: int) -> int:
    stocks = city.locals_column(k.LOCAL_ROWS + good)
    return sum(stocks) * 1000 // max(1, len(stocks))


def _format_road(name: str, fields: "Mapping[str, str | int]") -> str:
    """Return a road's member of the "roads" object. Its fields are sorted by name."""
    cells = []
    for key in sorted(fields):
        value = fields[key]
        cells.append((key, quote(value) if isinstance(value, str) else "%d" % value))
    return "%s: %s" % (quote(name), format_object(cells))
