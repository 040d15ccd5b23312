"""A city: everybody who lives in it, and who comes and goes.

Here: what happens to the array between ticks: arrivals and their tax, departures, yields, roads. Not here: its birth
(birth.py), the rules of a tick (kernel.py), how merchants travel (road.py), what is shown of a city (status.py).
"""

import hashlib

from deskonomy.compat import const
from deskonomy.economy import kernel as k
from deskonomy.economy.merchant import Merchant

_PLACES = const(6)  # cities whose prices the merchants keep in the array; more roads than that grow it
_GROWTH = const(8)  # merchants that the array grows by


class City:
    """One city. Money and prices are mills, yields mills of a unit; every number that decides anything is an int.

    name: what other cities call it. seed: the only source of chance. merchants: None for half as many as locals.
    goods: a sequence of goods.Good, None for goods.GOODS. recipes: {good: {material: count}} where this city makes
    something its own way; None for what goods.CITY_RECIPES says of its name. merchants_max: who comes when so many are
    in waits on the road, and the array has its whole size from the start, as a small memory needs it; None for as many
    as come. engine: the kernel to run (a module like kernel.py).
    """

    def __init__(
        self,
        name,
        seed=1,
        locals_=20,
        merchants=None,
        goods=None,
        recipes=None,
        merchants_max=None,
        engine=k,
    ):
        from deskonomy.economy import goods as defaults
        from deskonomy.economy import layout as birth  # only where it is needed: a board lets go of it again

        if goods is None:
            goods = defaults.GOODS
        if merchants is None:
            merchants = locals_ // 2
        self.name = name
        self.seed = seed
        self.engine = engine
        self.merchants_max = merchants_max
        self.good_names = [good.name for good in goods]
        self.places = [name]  # whose prices the merchants keep, in the order of the array; 0 is here
        self.roads = {}  # by the name of the city at the other end
        self.lanes = []  # those of them that lead to cities of this process
        self.ledger = None  # of the roads that leave this machine, if there are any
        self.baggage = {}  # merchant's index: a Merchant with what the array has no place for
        self.by_hand = set()  # goods whose yield somebody set by hand: sensors leave them alone
        recipes = defaults.CITY_RECIPES.get(name, {}) if recipes is None else recipes
        self.words = birth.lay_out(len(goods), locals_, _PLACES, locals_ + max(merchants, merchants_max or 0))
        birth.write_goods(self.words, goods, recipes)
        birth.draw_locals(self.words, goods, seed, name, engine.appraise)
        self.words[k.MERCHANTS] = merchants
        self._count()
        chair = "chair" if "chair" in self.good_names else self.good_names[0]
        for index in range(merchants):
            self._settle(index, Merchant(chair))
        self._reconsider()

    # Time.

    @property
    def tick(self):
        """Ticks since the city was born."""
        return (self.words[k.TICK_HIGH] << 30) | self.words[k.TICK]

    def run(self, ticks=1):
        """Let so many ticks pass: arrivals, then everybody acts, then departures. Never waits for a road."""
        words = self.words
        while ticks > 0:
            batch = ticks
            changed = False
            for lane in self.lanes:
                lane.begin()
            at_roads = words[k.AT_ROADS]
            # At most one merchant arrives per road and tick.
            for place in range(1, len(self.places)):
                road = self.roads.get(self.places[place])
                has_room = self.merchants_max is None or words[k.MERCHANTS] < self.merchants_max
                if road is not None and road.inbound and has_room:
                    self.admit(road.take())
                    words = self.words
                    if road.inbound:
                        batch = 1
            last_road = 0
            for place in range(1, len(self.places)):
                road = self.roads.get(self.places[place])
                room = k.CLOSED if road is None or road.state != "up" else 1 + road.space()
                if (room == k.CLOSED) != (words[at_roads + place] == k.CLOSED):
                    changed = True
                words[at_roads + place] = room
                if room != k.CLOSED:
                    last_road = place
            words[k.LAST_ROAD] = last_road
            if changed:
                self._reconsider()
            ticks -= self.engine.run(words, batch)
            if words[k.LEAVING]:
                self._depart()

    # Roads.

    def open_road(self, road):
        """From now on merchants come and go by this road (a road.Road); it replaces one of the same name."""
        self._place_of(road.name, True)
        self.roads[road.name] = road

    def close_road(self, name):
        """Forget the road to this city. What the merchants know of its prices stays with them."""
        del self.roads[name]

    def _place_of(self, name, needed):
        """The place of a city in the array; 0 if there is none left and it is not needed."""
        if name in self.places:
            return self.places.index(name)
        if len(self.places) < self.words[k.PLACES]:
            self.places.append(name)
            return len(self.places) - 1
        if not needed:
            return 0
        for place in range(1, len(self.places)):
            if self.places[place] not in self.roads:
                self._clear_place(place)
                self.places[place] = name
                return place
        self._grow(self.words[k.PLACES] + 4, self.words[k.SLOTS])
        self.places.append(name)
        return len(self.places) - 1

    def _clear_place(self, place):
        """Move what the merchants know of a place from the array to their baggage."""
        words, name = self.words, self.places[place]
        for index in range(words[k.MERCHANTS]):
            bag = self.baggage.get(index)
            prices = {} if bag is None else bag.prices_mills
            for good, good_name in enumerate(self.good_names):
                price = words[self._expects(index, good, place)]
                if price:
                    prices.setdefault(good_name, {})[name] = price
                    words[self._expects(index, good, place)] = 0
            if prices:
                self.baggage[index] = Merchant(bag and bag.good, prices_mills=prices)
        self.words[self.words[k.AT_ROADS] + place] = k.CLOSED

    # Who comes and goes.

    def admit(self, merchant):
        """Take in a merchant that arrives. It pays a tenth of what is above 1000 coins, shared by the locals."""
        words = self.words
        if merchant.money_mills > 1_000_000 and words[k.LOCALS]:
            share = (merchant.money_mills - 1_000_000) // 10 // words[k.LOCALS]
            if share:
                merchant.money_mills -= share * self.engine.pay_locals(words, share)
        index = words[k.MERCHANTS]
        if words[k.LOCALS] + index == words[k.SLOTS]:
            self._grow(words[k.PLACES], words[k.SLOTS] + _GROWTH)
            words = self.words
        words[k.MERCHANTS] = index + 1
        self._count()
        self._settle(index, merchant)
        self.engine.consider(words, index)

    def _settle(self, index, merchant):
        """Write a merchant into the array; what it has no place for goes into the baggage."""
        words = self.words
        record = self._merchant(index)
        words[record + k.MONEY] = merchant.money_mills
        words[record + k.GOOD] = self._good(merchant.good)
        words[record + k.CAPACITY] = merchant.capacity
        words[record + k.OWNED] = merchant.owned
        strangers = []
        for _, cities, _ in merchant.rows():
            for city in cities:
                if city not in self.places:
                    strangers.append(city)
        for city in sorted(strangers):
            self._place_of(city, False)
        bag = Merchant(merchant.good) if words[record + k.GOOD] == len(self.good_names) else None
        for good, cities, begin in merchant.rows():
            rest = {}
            for city in cities:
                if good in self.good_names and city in self.places:
                    words[self._expects(index, self._good(good), self.places.index(city))] = merchant.mills[begin]
                else:
                    rest[city] = merchant.mills[begin]
                begin += 1
            if rest:
                bag = bag or Merchant(merchant.good)
                bag.learn(good, rest)
        if bag is not None:
            self.baggage[index] = bag

    def _depart(self):
        """Send off everybody who decided to leave in this tick."""
        words = self.words
        leaving = []
        index = words[k.LEAVING] - 1
        while index >= 0:
            leaving.append(index)
            index = words[self._merchant(index) + k.NEXT] - 1
        words[k.LEAVING] = 0
        for index in reversed(leaving):
            road = self.roads[self.places[words[self._merchant(index) + k.ROAD]]]
            road.send(self._record(index))
        # From the end, so that none of those still to go is moved.
        for index in sorted(leaving, reverse=True):
            self._remove(index)
        self._count()

    def _record(self, index):
        """The merchant at this index as a record, which takes the baggage along."""
        words = self.words
        record = self._merchant(index)
        bag = self.baggage.pop(index, None)
        good = words[record + k.GOOD]
        merchant = Merchant(
            self.good_names[good] if good < len(self.good_names) or bag is None else bag.good,
            words[record + k.MONEY],
            words[record + k.CAPACITY],
            words[record + k.OWNED],
        )
        rest = {} if bag is None else bag.prices_mills
        for good in range(len(self.good_names)):  # enumerate() would make garbage in a tick
            name = self.good_names[good]
            prices = rest.pop(name, None) or {}
            for place in range(len(self.places)):
                price = words[self._expects(index, good, place)]
                if price:
                    prices[self.places[place]] = price
            if prices:
                merchant.learn(name, prices)
        for name, prices in rest.items():
            merchant.learn(name, prices)
        return merchant

    def _remove(self, index):
        """Take a merchant out of the array; the last one moves into its place."""
        words, size = self.words, self.words[k.MERCHANT_WORDS]
        last = words[k.MERCHANTS] - 1
        here, there = self._merchant(index), self._merchant(last)
        self.baggage.pop(index, None)
        if last in self.baggage:
            self.baggage[index] = self.baggage.pop(last)
        for offset in range(size):
            words[here + offset] = words[there + offset]
            words[there + offset] = 0
        for good in range(len(self.good_names)):
            prices = self._price(good, words[k.LOCALS])
            asks = prices + words[k.AT_ASKS] - words[k.AT_PRICES]
            words[prices + index] = words[prices + last]
            words[prices + last] = 0
            words[asks + index] = words[asks + last]
            words[asks + last] = k.NEVER
        words[k.MERCHANTS] = last

    # Influence.

    def set_yield(self, good, yield_mills, by_hand=False):
        """Set how many mills of a unit one act of making a good gives: 1000 is normal, 0 stops it, 100,000 is the most.

        A yield that was set by hand stays: sensors no longer move it until release_yield(). Raises ValueError.
        """
        if good not in self.good_names:
            raise ValueError("%s makes no %s, only %s" % (self.name, good, ", ".join(self.good_names)))
        if not 0 <= yield_mills <= 100_000:
            raise ValueError("a yield is 0 to 100, not %s" % (yield_mills / 1000))
        if by_hand:
            self.by_hand.add(good)
        elif good in self.by_hand:
            return
        self.words[self._row(good) + k.YIELD] = yield_mills

    def release_yield(self, good):
        """Give a yield that was set by hand back to the sensors; without one it is 1."""
        self.by_hand.discard(good)
        self.set_yield(good, 1000)

    def yield_mills(self, good):
        """What one act of making this good gives, in mills of a unit."""
        return self.words[self._row(good) + k.YIELD]

    # The array.

    def digest(self):
        """The first 16 hex digits of the SHA-256 of the array, as little-endian 32-bit integers."""
        return "".join(["%02x" % byte for byte in hashlib.sha256(self.words).digest()[:8]])

    def _grow(self, places, residents):
        from deskonomy.economy import layout as birth

        self.words = birth.grow(self.words, places, residents)

    def _merchant(self, index):
        return self.words[k.AT_MERCHANTS] + index * self.words[k.MERCHANT_WORDS]

    def _price(self, good, resident):
        return self.words[k.AT_PRICES] + good * self.words[k.SLOTS] + resident

    def _expects(self, index, good, place):
        """Where the price is that a merchant expects of a good at a place."""
        if place == 0:
            return self._price(good, self.words[k.LOCALS] + index)
        return self._merchant(index) + k.FAR + (place - 1) * len(self.good_names) + good

    def _good(self, name):
        """A good's index; len(goods) for one that this city does not know."""
        return self.good_names.index(name) if name in self.good_names else len(self.good_names)

    def _row(self, good):
        return self.words[k.AT_GOODS] + self.good_names.index(good) * self.words[k.GOOD_WORDS]

    def _count(self):
        words = self.words
        words[k.PRIME_MERCHANTS] = prime(words[k.MERCHANTS])
        words[k.PRIME_RESIDENTS] = prime(words[k.LOCALS] + words[k.MERCHANTS])

    def _reconsider(self):
        """Where the merchants do best has changed with the roads."""
        for index in range(self.words[k.MERCHANTS]):
            self.engine.consider(self.words, index)


def prime(least):
    """The smallest prime that is at least this, and at least 2."""
    number = max(2, least)
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor:
            divisor += 1
        else:
            number += 1
            divisor = 2
    return number
