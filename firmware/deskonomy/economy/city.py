"""A city between two ticks: its birth, its roads, merchants that arrive and leave, and its yields.

Here: everything that changes the state array outside a tick. Not here: the array's offsets and the rules of a tick
(kernel.py), creating and growing the array (layout.py), how merchants travel (roads/road.py), the status line
(status.py).
"""

import hashlib

from deskonomy.compat import TYPE_CHECKING, const, slice_by_step
from deskonomy.economy import kernel as k
from deskonomy.economy.merchant import Merchant

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from deskonomy.economy.goods import Good
    from deskonomy.roads.ledger import Ledger
    from deskonomy.roads.local import LocalRoad
    from deskonomy.roads.road import Road

    class Engine(Protocol):
        """A way to run the kernel: the module kernel.py itself, or an object with its functions."""

        @property
        def run(self) -> Callable[[array[int], int], int]: ...
        @property
        def appraise(self) -> Callable[[array[int], int], object]: ...
        @property
        def consider(self) -> Callable[[array[int], int], int]: ...
        @property
        def pay_locals(self) -> Callable[[array[int], int], int]: ...


# The array grows by so much, or, if it is large, by a share: copying must not cost more and more.
_PLACES_GROWTH = const(4)
_MERCHANTS_GROWTH = const(8)
_TAX_FREE_MILLS = const(1_000_000)
_NORMAL_YIELD_MILLS = const(1000)
YIELD_MAX_MILLS = const(100_000)  # config.json and the host's commands have the same limit


class City:
    """A city. Money and prices are in mills, yields in mills of a unit; every number that decides anything is an int.

    Args:
        name: what other cities call it.
        seed: the only source of randomness.
        locals_: the number of locals.
        merchants: the number of merchants at birth; None for half as many as locals.
        goods: the goods.Good rows; None for goods.GOODS.
        recipes: {good: {material: count}} where they differ from the goods' own; None for those that
            goods.CITY_RECIPES has under the city's name.
        merchants_max: the number of merchants at which arriving merchants wait on their road. The state array has its
            full size from the start then, which a small memory needs. None for no limit.
        engine: runs the kernel.

    Attributes:
        state: the state array. Growth replaces it, so it must not be kept across open_road() and admit().
        good_names: the goods in the order of the array.
        places: the cities whose prices the array holds, by place; place 0 is this city.
        roads: {name of the city at the far end: Road}.
        local_roads: those roads that lead to cities of this process.
        ledger: keeps the merchants on roads that leave this machine; None without such roads.
        baggage: {index of a merchant: Merchant}, with the good and the prices that the array has no place for.
        overrides: the goods whose yield is set by hand; sensors do not change it.
    """

    def __init__(
        self,
        name: str,
        seed: int = 1,
        locals_: int = 20,
        merchants: "int | None" = None,
        goods: "Sequence[Good] | None" = None,
        recipes: "Mapping[str, Mapping[str, int]] | None" = None,
        merchants_max: "int | None" = None,
        engine: "Engine" = k,
    ) -> None:
        from deskonomy.economy import layout  # imported only where it is needed, because a board unloads it

        state, good_names = layout.draw_city(name, seed, locals_, merchants, goods, recipes, merchants_max, engine)
        self._initialize(name, seed, state, good_names, [name], merchants_max, engine)

    @classmethod
    def from_state(
        cls,
        name: str,
        seed: int,
        state: "array[int]",
        good_names: "list[str]",
        places: "list[str]",
        merchants_max: "int | None" = None,
        engine: "Engine" = k,
    ) -> "City":
        """Return a city with this state array. Its roads, ledger, baggage and overrides are empty."""
        city = object.__new__(cls)
        city._initialize(name, seed, state, good_names, places, merchants_max, engine)
        return city

    def _initialize(
        self,
        name: str,
        seed: int,
        state: "array[int]",
        good_names: "list[str]",
        places: "list[str]",
        merchants_max: "int | None",
        engine: "Engine",
    ) -> None:
        self.name = name
        self.seed = seed
        self.state = state
        self.good_names = good_names
        self.places = places
        self.merchants_max = merchants_max
        self.engine = engine
        self.roads: dict[str, Road] = {}
        self.local_roads: list[LocalRoad] = []
        self.ledger: Ledger | None = None
        self.baggage: dict[int, Merchant] = {}
        self.overrides: set[str] = set()

    # Time.

    @property
    def tick(self) -> int:
        """The number of ticks since the city's birth."""
        return (self.state[k.TICK_HIGH] << 30) | self.state[k.TICK]

    def run(self, ticks: int = 1) -> None:
        """Run this many ticks: merchants arrive, residents act, merchants leave. Never wait for a road."""
        while ticks > 0:
            batch = ticks
            for road in self.local_roads:
                road.begin_tick()
            if self._admit_waiting():
                batch = 1
            if self._update_roads():
                self._reconsider_deals()
            ticks -= self.engine.run(self.state, batch)
            if self.state[k.LEAVING]:
                self.send_leaving_merchants()

    def _admit_waiting(self) -> bool:
        """Let at most one merchant per road arrive. Return whether more wait that the next tick may admit."""
        waiting = False
        room = k.NEVER if self.merchants_max is None else self.merchants_max - self.state[k.MERCHANTS]
        count = turn = 0  # roads on which merchants wait, and the one of them that comes first
        if room < len(self.roads):  # roads take turns: the next one has its turn with each merchant that enters
            for road in self.roads.values():
                turn += road.received
                if road.inbound:
                    count += 1
            turn = turn % count if room < count else 0
        index = -1
        for place in range(1, len(self.places)):
            road = self.roads.get(self.places[place])
            if road is None or not road.inbound:
                continue
            index += 1
            merchant = road.take() if room >= count or (index - turn) % count < room else None
            if merchant is not None:
                self.admit(merchant)
                waiting = waiting or bool(road.inbound)
        return waiting

    def _update_roads(self) -> bool:
        """Write the roads' credit into the state array. Return whether a road has opened or closed."""
        state = self.state
        at_roads = state[k.AT_ROADS]
        changed = False
        last_road = 0
        for place in range(1, len(self.places)):
            road = self.roads.get(self.places[place])
            entry = k.CLOSED if road is None or road.state != "up" else 1 + road.credit()
            if (entry == k.CLOSED) != (state[at_roads + place] == k.CLOSED):
                changed = True
            state[at_roads + place] = entry
            if entry != k.CLOSED:
                last_road = place
        state[k.LAST_ROAD] = last_road
        return changed

    # Roads.

    def open_road(self, road: "Road") -> None:
        """Let merchants arrive and leave by this road; it replaces a road of the same name."""
        self._assign_place(road.name, True)
        self.roads[road.name] = road

    def close_road(self, name: str) -> None:
        """Remove the road to this city. The prices that merchants expect there stay with them."""
        del self.roads[name]

    def _assign_place(self, name: str, required: bool) -> int:
        """Return the place of a city in the array; 0 if none is free and it is not required."""
        if name in self.places:
            return self.places.index(name)
        if len(self.places) < self.state[k.PLACES]:
            self.places.append(name)
            return len(self.places) - 1
        if not required:
            return 0
        for place in range(1, len(self.places)):
            if self.places[place] not in self.roads:
                self._clear_place(place)
                self.places[place] = name
                return place
        places = self.state[k.PLACES]
        self._grow(places + max(_PLACES_GROWTH, places // 8), self.state[k.SLOTS])
        self.places.append(name)
        return len(self.places) - 1

    def _clear_place(self, place: int) -> None:
        """Move the prices that merchants expect at a place from the array to their baggage."""
        state, name = self.state, self.places[place]
        for index in range(state[k.MERCHANTS]):
            bag = self.baggage.get(index)
            prices = {} if bag is None else bag.prices_mills
            for good, good_name in enumerate(self.good_names):
                price = state[self.expected_price_offset(index, good, place)]
                if price:
                    prices.setdefault(good_name, {})[name] = price
                    state[self.expected_price_offset(index, good, place)] = 0
            if prices:
                self.baggage[index] = Merchant(bag and bag.good, prices_mills=prices)
        state[state[k.AT_ROADS] + place] = k.CLOSED

    # Merchants that arrive and leave.

    def admit(self, merchant: Merchant) -> None:
        """Add an arriving merchant. It pays a tenth of its money above 1000 coins, shared equally by the locals."""
        state = self.state
        if merchant.money_mills > _TAX_FREE_MILLS and state[k.LOCALS]:
            share = (merchant.money_mills - _TAX_FREE_MILLS) // 10 // state[k.LOCALS]
            if share:
                merchant.money_mills -= share * self.engine.pay_locals(state, share)
        index = state[k.MERCHANTS]
        if state[k.LOCALS] + index == state[k.SLOTS]:
            self._grow(state[k.PLACES], state[k.SLOTS] + max(_MERCHANTS_GROWTH, index // 16))
            state = self.state
        state[k.MERCHANTS] = index + 1
        self._update_primes()
        self._write_merchant(index, merchant)
        self.engine.consider(state, index)

    def copy_merchant(self, index: int) -> Merchant:
        """Return the merchant at this index as a record, with its baggage."""
        state = self.state
        record = self.merchant_offset(index)
        bag = self.baggage.get(index)
        good = state[record + k.GOOD]
        merchant = Merchant(
            self.good_names[good] if good < len(self.good_names) or bag is None else bag.good,
            state[record + k.MONEY],
            state[record + k.CAPACITY],
            state[record + k.OWNED],
        )
        rest = {} if bag is None else bag.prices_mills
        for good in range(len(self.good_names)):  # enumerate() would allocate memory in a tick
            name = self.good_names[good]
            prices = rest.pop(name, None) or {}
            for place in range(len(self.places)):
                price = state[self.expected_price_offset(index, good, place)]
                if price:
                    prices[self.places[place]] = price
            if prices:
                merchant.learn_prices(name, prices)
        for name, prices in rest.items():
            merchant.learn_prices(name, prices)
        return merchant

    def remove_merchant(self, index: int) -> None:
        """Remove a merchant from the array; the last merchant moves to its index."""
        state = self.state
        last = state[k.MERCHANTS] - 1
        here, there = self.merchant_offset(index), self.merchant_offset(last)
        self.baggage.pop(index, None)
        if last in self.baggage:
            self.baggage[index] = self.baggage.pop(last)
        for offset in range(state[k.MERCHANT_SIZE]):
            state[here + offset] = state[there + offset]
            state[there + offset] = 0
        for good in range(len(self.good_names)):
            prices = self.price_offset(good, state[k.LOCALS])
            asks = prices + state[k.AT_ASKS] - state[k.AT_PRICES]
            state[prices + index] = state[prices + last]
            state[prices + last] = 0
            state[asks + index] = state[asks + last]
            state[asks + last] = k.NEVER
        state[k.MERCHANTS] = last
        self._update_primes()

    def send_leaving_merchants(self) -> None:
        """Move the merchants that decided to leave in this tick to their roads, in the order of their decisions.

        A merchant stays if its road does not accept its good.
        """
        state = self.state
        leaving = []
        index = state[k.LEAVING] - 1
        while index >= 0:
            leaving.append(index)
            index = state[self.merchant_offset(index) + k.NEXT] - 1
        state[k.LEAVING] = 0
        gone = []
        for index in reversed(leaving):
            record = self.merchant_offset(index)
            road = self.roads[self.places[state[record + k.ROAD]]]
            merchant = self.copy_merchant(index)
            if road.accepts(merchant.good):
                road.send(merchant)
                gone.append(index)
            else:
                state[record + k.ROAD] = state[record + k.NEXT] = 0
                self.engine.consider(state, index)  # it sells here again
        # The highest index first, so that no leaving merchant is moved to another index.
        for index in sorted(gone, reverse=True):
            self.remove_merchant(index)

    def _write_merchant(self, index: int, merchant: Merchant) -> None:
        """Write a merchant into the array; what the array has no place for becomes baggage."""
        state = self.state
        record = self.merchant_offset(index)
        state[record + k.MONEY] = merchant.money_mills
        state[record + k.GOOD] = self._find_good(merchant.good)
        state[record + k.CAPACITY] = merchant.capacity
        state[record + k.OWNED] = merchant.owned
        unknown_cities = []
        for _, cities, _ in merchant.iterate_prices():
            for city in cities:
                if city not in self.places:
                    unknown_cities.append(city)
        for city in sorted(unknown_cities):
            self._assign_place(city, False)
        bag = Merchant(merchant.good) if state[record + k.GOOD] == len(self.good_names) else None
        for good, cities, begin in merchant.iterate_prices():
            rest = {}
            for city in cities:
                price = merchant.flat_prices_mills[begin]
                if good in self.good_names and city in self.places:
                    offset = self.expected_price_offset(index, self._find_good(good), self.places.index(city))
                    state[offset] = price
                else:
                    rest[city] = price
                begin += 1
            if rest:
                bag = bag or Merchant(merchant.good)
                bag.learn_prices(good, rest)
        if bag is not None:
            self.baggage[index] = bag

    # Yields.

    def set_yield(self, good: str, yield_mills: int, override: bool = False) -> None:
        """Set how many mills of a unit one act of making a good gives: 1000 is normal, 0 stops it.

        Args:
            good: the name of the good.
            yield_mills: 0 to YIELD_MAX_MILLS.
            override: the yield is set by hand: it stays until clear_override(), and sensors do not change it.

        Raises:
            ValueError: the city has no such good, or the yield is out of range.
        """
        if good not in self.good_names:
            raise ValueError("%s makes no %s, only %s" % (self.name, good, ", ".join(self.good_names)))
        if not 0 <= yield_mills <= YIELD_MAX_MILLS:
            raise ValueError("a yield is 0 to %d, not %s" % (YIELD_MAX_MILLS // 1000, yield_mills / 1000))
        if override:
            self.overrides.add(good)
        elif good in self.overrides:
            return
        self.state[self.good_offset(good) + k.YIELD] = yield_mills

    def clear_override(self, good: str) -> None:
        """Return a yield that is set by hand to the sensors; it is 1 until a sensor changes it."""
        self.overrides.discard(good)
        self.set_yield(good, _NORMAL_YIELD_MILLS)

    def yield_mills(self, good: str) -> int:
        """Return how many mills of a unit one act of making this good gives."""
        return self.state[self.good_offset(good) + k.YIELD]

    # The state array.

    def digest(self) -> str:
        """Return the first 16 hex digits of the SHA-256 of the state array, as little-endian 32-bit integers."""
        return "".join(["%02x" % byte for byte in hashlib.sha256(self.state).digest()[:8]])

    def locals_column(self, field: int) -> "Sequence[int]":
        """Return one field of every local's record, such as kernel.MONEY."""
        size = self.state[k.LOCAL_SIZE]
        start = self.state[k.AT_LOCALS]
        return slice_by_step(self.state, start + field, start + self.state[k.LOCALS] * size, size)

    def merchants_column(self, field: int) -> "Sequence[int]":
        """Return one field of every merchant's record, such as kernel.MONEY."""
        size = self.state[k.MERCHANT_SIZE]
        start = self.state[k.AT_MERCHANTS]
        return slice_by_step(self.state, start + field, start + self.state[k.MERCHANTS] * size, size)

    def good_offset(self, good: str) -> int:
        """Return where the row of a good begins in the state array."""
        return self.state[k.AT_GOODS] + self.good_names.index(good) * self.state[k.GOOD_SIZE]

    def merchant_offset(self, index: int) -> int:
        """Return where the record of a merchant begins in the state array."""
        return self.state[k.AT_MERCHANTS] + index * self.state[k.MERCHANT_SIZE]

    def price_offset(self, good: int, resident: int) -> int:
        """Return where the price is that a resident expects of a good here. Both are indexes."""
        return self.state[k.AT_PRICES] + good * self.state[k.SLOTS] + resident

    def expected_price_offset(self, index: int, good: int, place: int) -> int:
        """Return where the price is that a merchant expects of a good at a place. All are indexes."""
        if place == 0:
            return self.price_offset(good, self.state[k.LOCALS] + index)
        return self.merchant_offset(index) + k.FAR + (place - 1) * len(self.good_names) + good

    def _find_good(self, name: "str | None") -> int:
        """Return a good's index; the number of goods for a good that this city does not know."""
        return self.good_names.index(name) if name in self.good_names else len(self.good_names)

    def _grow(self, places: int, residents: int) -> None:
        from deskonomy.economy import layout

        self.state = layout.grow_state(self.state, places, residents)

    def _update_primes(self) -> None:
        state = self.state
        state[k.PRIME_MERCHANTS] = k.find_prime(state[k.MERCHANTS])
        state[k.PRIME_RESIDENTS] = k.find_prime(state[k.LOCALS] + state[k.MERCHANTS])

    def _reconsider_deals(self) -> None:
        """Find every merchant's best deals again, because a road has opened or closed."""
        for index in range(self.state[k.MERCHANTS]):
            self.engine.consider(self.state, index)
