"""A merchant as a record: what it takes along from city to city.

Here: its fields. Not here: the record on the wire (wire/codec.py), the merchant inside a city (city.py, kernel.py).
"""

from array import array

from deskonomy.compat import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


class Merchant:
    """A merchant between two cities.

    Attributes:
        good: the name of the good that it buys and sells. In a city's baggage None, if the array has it.
        money_mills: 0 to 1,000,000,000.
        capacity: 1 to 10,000 units.
        owned: 0 to 10,000 units.
        prices_mills: {good: {city: expected price in mills}}, built anew at each access; a missing price is 0.
        id: (incarnation, sequence) while it is under way between two acknowledging cities, else None.
        flat_prices_mills: all prices in one array, in the order of iterate_prices().
    """

    def __init__(
        self,
        good: "str | None",
        money_mills: int = 1_000_000,
        capacity: int = 20,
        owned: int = 0,
        prices_mills: "Mapping[str, Mapping[str, int]] | None" = None,
        id: "tuple[int, int] | None" = None,
    ) -> None:
        self.good = good
        self.money_mills = money_mills
        self.capacity = capacity
        self.owned = owned
        self.id = id
        # A board keeps many merchants in its ledger and in its roads' queues; dicts take two to three times the memory.
        self.flat_prices_mills = array("i")
        self._rows: list[Any] = []  # a good, its cities, the next good, its cities, and so on
        for name, prices in (prices_mills or {}).items():
            self.learn_prices(name, prices)

    def learn_prices(self, good: str, prices_mills: "Mapping[str, int]") -> None:
        """Add the prices {city: mills} of a good of which the merchant knows no price yet."""
        rows = self._rows
        cities = rows[-1] if rows else ()  # mostly the cities of the previous good, whose tuple is shared then
        same = len(cities) == len(prices_mills)
        for city in cities:
            same = same and city in prices_mills
        if not same:
            cities = tuple(sorted(prices_mills))
        for city in cities:
            self.flat_prices_mills.append(prices_mills[city])
        rows.append(good)
        rows.append(cities)

    def iterate_prices(self) -> "Iterator[tuple[str, tuple[str, ...], int]]":
        """Yield (good, its cities in order, index of their first price in flat_prices_mills) for each good."""
        begin = 0
        for at in range(0, len(self._rows), 2):
            cities = self._rows[at + 1]
            yield self._rows[at], cities, begin
            begin += len(cities)

    @property
    def prices_mills(self) -> "dict[str, dict[str, int]]":
        known = {}
        for good, cities, begin in self.iterate_prices():
            known[good] = {city: self.flat_prices_mills[begin + at] for at, city in enumerate(cities)}
        return known

    def __repr__(self) -> str:
        return "Merchant(%r, money_mills=%d, capacity=%d, owned=%d)" % (
            self.good,
            self.money_mills,
            self.capacity,
            self.owned,
        )
