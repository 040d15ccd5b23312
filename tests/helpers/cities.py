"""Cities with roads over TCP in this process, for the tests of this folder."""

import contextlib
import json

from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.wire.network import Roads

PORT = 56000  # the first that is tried; none is needed


@contextlib.asynccontextmanager
async def town(name, locals_=0, merchants=0, **options):
    """A city that listens, as its Roads, which has .log_lines; everything is closed at the end."""
    lines = []
    roads = Roads(City(name, 1, locals_, merchants), port=options.pop("port", PORT), log=lines.append, **options)
    roads.log_lines = lines
    await roads.start()
    try:
        yield roads
    finally:
        await roads.close()


def is_up(roads, name):
    """Whether merchants may set out to that city."""
    road = roads.city.roads.get(name)
    return road is not None and road.state == "up"


def send(roads, name, moneys, prices=None):
    """Send a merchant for each amount of money (mills) to that city."""
    for money in moneys:
        roads.city.roads[name].send(Merchant("chair", money, prices_mills=prices))


def take(roads, name):
    """The money of each merchant that has come from that city and now enters."""
    road = roads.city.roads[name]
    moneys = []
    while road.inbound:
        moneys.append(road.take().money_mills)
    return moneys


def shown(roads):
    """The city's status line, read."""
    return json.loads(status.line(roads.city))


# Prices that make a line some 6 KiB long.
MANY_PRICES = {
    good: {"CITY NUMBER %05d" % n: 123_456 for n in range(60)} for good in ("wood", "chair", "thread", "bed")
}
