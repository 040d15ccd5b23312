"""What a status line has no room for: how wealth is spread, who rests, what is on the road.

Here: a city of this process in, JSON values out. Not here: the status line (deskonomy/status.py).
"""

import time

from deskonomy.economy import kernel as k
from deskonomy.status import locals_column

QUANTILES = 20  # steps between the poorest and the richest
_FRESH_S = 0.4  # who asks again sooner gets the same
_LOCALS_SHOWN = 100  # dots in a picture of leisure against wealth


class Detail:
    """Called with a city, its detail as a dict of values that JSON knows:

    wealth: QUANTILES + 1 amounts in coins, of the poorest local to the richest, in equal steps of people.
    gini: 0 where all have the same, towards 1 where one has everything.
    leisure: [wealth in coins, acts of rest in a row] of at most 100 locals.
    under_way: coins of merchants on this city's side of its roads who are not in its ledger.
    travelled, arrived: {city: {good: merchants that set out for it, or came from it}}, counted since this object first
    met the road.
    """

    def __init__(self):
        self._travelled = {}  # {(city, other): {good: count}}
        self._arrived = {}
        self._found = {}  # {city: (when, detail)}

    def __call__(self, city):
        when, found = self._found.get(city.name, (-_FRESH_S, None))
        if found is None or time.monotonic() - when >= _FRESH_S:
            found = self._look(city)
            self._found[city.name] = time.monotonic(), found
        # With the money of the same moment it adds up.
        return found | {"under_way": _coins(sum(_under_way(road) for road in city.roads.values()))}

    def _look(self, city):
        money = locals_column(city, k.MONEY)
        wealth = sorted(money)
        step = max(1, len(wealth) // _LOCALS_SHOWN)
        rest = locals_column(city, k.LEISURE)
        on_roads = {road.name: self._observe(city, road) for road in city.roads.values()}
        return {
            "wealth": quantiles(wealth) if wealth else [],
            "gini": round(gini(wealth), 3),
            "leisure": [[_coins(money[index]), rest[index]] for index in range(0, len(wealth), step)][:_LOCALS_SHOWN],
            "travelled": {name: counts[0] for name, counts in on_roads.items()},
            "arrived": {name: counts[1] for name, counts in on_roads.items()},
        }

    def _observe(self, city, road):
        """({good: who set out}, {good: who arrived}) on a road; it is counted from the first call on."""
        key = city.name, road.name
        if "send" not in vars(road):
            road.send = _counting(road.send, self._travelled.setdefault(key, {}))
            road.take = _counting(road.take, self._arrived.setdefault(key, {}))
        return self._travelled[key], self._arrived[key]


def _under_way(road):
    """Mills of whoever is on this side of the road and in no ledger."""
    waiting = road.outbound + road.inbound
    if hasattr(road, "home"):  # over the wire, where the ledger has those who leave and those who come home
        home = road.home()
        waiting = [merchant for merchant in road.inbound if merchant not in home]
    return sum(merchant.money_mills for merchant in waiting)


def _counting(pass_on, counts):
    """A road's send() or take() that counts goods besides."""

    def counted(*merchants):
        taken = pass_on(*merchants)
        for merchant in merchants or [taken]:
            if merchant is not None:
                counts[merchant.good] = counts.get(merchant.good, 0) + 1
        return taken

    return counted


def quantiles(wealth):
    """QUANTILES + 1 amounts in coins of amounts in mills, in ascending order: in equal steps of people."""
    return [_coins(wealth[index * (len(wealth) - 1) // QUANTILES]) for index in range(QUANTILES + 1)]


def gini(wealth):
    """The Gini coefficient of amounts in ascending order: half the mean difference between two, over the mean."""
    total = sum(wealth)
    if not total:
        return 0.0
    weighted = sum(rank * amount for rank, amount in enumerate(wealth, 1))
    return 2 * weighted / (len(wealth) * total) - (len(wealth) + 1) / len(wealth)


def _coins(mills):
    return round(mills / 1000, 3)
