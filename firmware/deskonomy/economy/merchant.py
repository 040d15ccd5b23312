"""The traveller as a record: what a merchant takes with it from city to city.

Here: its fields. Not here: how it is written on the wire (codec.py), how it lives inside a city (city.py, kernel.py).
"""

from array import array


class Merchant:
    """A merchant between two cities.

    good: the name of the good that it buys and sells. money_mills: 0 to 1,000,000,000. capacity: 1 to 10,000 units.
    owned: 0 to 10,000 units. prices_mills: {good: {city: expected price in mills}}, made anew whenever it is asked for;
    a missing price is 0. id: (incarnation, sequence) while it is under way between two of our own cities, else None.
    """

    def __init__(self, good, money_mills=1_000_000, capacity=20, owned=0, prices_mills=None, id=None):
        self.good = good
        self.money_mills = money_mills
        self.capacity = capacity
        self.owned = owned
        self.id = id
        # Many merchants wait in a board's ledger and at its gate, and dicts would take two to three times the memory.
        self.mills = array("i")  # all prices, in the order of rows()
        self._rows = []  # of which good and cities they are: a good, its cities (a tuple), the next good, and so on
        for name, prices in (prices_mills or {}).items():
            self.learn(name, prices)

    def learn(self, good, prices):
        """It knows {city: price in mills} of this good, of which it has known nothing so far."""
        rows = self._rows
        cities = rows[-1] if rows else ()  # most know the same cities of each good
        same = len(cities) == len(prices)
        for city in cities:
            same = same and city in prices
        if not same:
            cities = tuple(sorted(prices))
        for city in cities:
            self.mills.append(prices[city])
        rows.append(good)
        rows.append(cities)

    def rows(self):
        """What it knows, good by good: (good, its cities in order, where in self.mills their prices begin)."""
        begin = 0
        for at in range(0, len(self._rows), 2):
            cities = self._rows[at + 1]
            yield self._rows[at], cities, begin
            begin += len(cities)

    @property
    def prices_mills(self):
        known = {}
        for good, cities, begin in self.rows():
            known[good] = {city: self.mills[begin + at] for at, city in enumerate(cities)}
        return known

    def __repr__(self):
        return "Merchant(%r, money_mills=%d, capacity=%d, owned=%d)" % (
            self.good,
            self.money_mills,
            self.capacity,
            self.owned,
        )
