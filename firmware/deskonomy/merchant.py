"""The traveller as a record: what a merchant takes with it from city to city.

Here: its fields. Not here: how it is written on the wire (codec.py), how it lives inside a city (city.py, kernel.py).
"""


class Merchant:
    """A merchant between two cities.

    good: the name of the good that it buys and sells. money_mills: 0 to 1,000,000,000. capacity: 1 to 10,000 units.
    owned: 0 to 10,000 units. prices_mills: {good: {city: expected price in mills}}; a missing price is 0.
    id: (incarnation, sequence) while it is under way between two of our own cities, else None.
    """

    def __init__(self, good, money_mills=1_000_000, capacity=20, owned=0, prices_mills=None, id=None):
        self.good = good
        self.money_mills = money_mills
        self.capacity = capacity
        self.owned = owned
        self.prices_mills = {} if prices_mills is None else prices_mills
        self.id = id

    def __repr__(self):
        return "Merchant(%r, money_mills=%d, capacity=%d, owned=%d)" % (
            self.good,
            self.money_mills,
            self.capacity,
            self.owned,
        )
