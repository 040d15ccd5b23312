"""The traveller as a record: what a merchant takes with it from city to city.

Here: its fields. Not here: how it is written on the wire (codec.py), how it lives inside a city (city.py, kernel.py).
"""

from array import array


class Merchant:
    """A merchant between two cities.

    good: the name of the good that it buys and sells. money_mills: 0 to 1,000,000,000. capacity: 1 to 10,000 units.
    owned: 0 to 10,000 units. prices_mills: {good: {city: expected price in mills}}, a new one each time that it is
    asked for; a missing price is 0.
    id: (incarnation, sequence) while it is under way between two of our own cities, else None.
    """

    def __init__(self, good, money_mills=1_000_000, capacity=20, owned=0, prices_mills=None, id=None):
        self.good = good
        self.money_mills = money_mills
        self.capacity = capacity
        self.owned = owned
        self._known = _pack(prices_mills or {})
        self.id = id

    @property
    def prices_mills(self):
        return _unpack(self._known)

    def __repr__(self):
        return "Merchant(%r, money_mills=%d, capacity=%d, owned=%d)" % (
            self.good,
            self.money_mills,
            self.capacity,
            self.owned,
        )


# Dicts take two to three times the memory, and many merchants wait in a board's ledger and at its gate. So the prices
# lie in one array, and after it each good and its cities; goods known of the same cities share the tuple of these.
def _pack(prices_mills):
    mills = array("i")
    known: list = [mills]
    for good in prices_mills:
        prices = prices_mills[good]
        for city in prices:
            mills.append(prices[city])
        cities = tuple(prices)
        known.append(good)
        known.append(known[-2] if cities == known[-2] else cities)
    return tuple(known)


def _unpack(known):
    prices_mills = {}
    at = 0
    for n in range(1, len(known), 2):
        cities = prices_mills[known[n]] = {}
        for city in known[n + 1]:
            cities[city] = known[0][at]
            at += 1
    return prices_mills
