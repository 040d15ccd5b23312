"""A city: everybody who lives in it, and who comes and goes.

Here: the array and what happens to it between ticks: birth, arrivals and their tax, departures, yields, roads.
Not here: the rules of a tick (kernel.py), how merchants travel (road.py), what is shown of a city (status.py).
"""

import hashlib
from array import array

from . import goods as defaults
from . import kernel as k
from .merchant import Merchant

PLACES = 6  # columns of prices kept in the array; a world of more names grows it
_GROWTH = 8  # merchants that the array grows by


class City:
    """One city. Money and prices are mills, yields mills of a unit; every number that decides anything is an int.

    name: what other cities call it. seed: the only source of chance. merchants: None for half as many as locals.
    goods: a sequence of goods.Good. recipes: {good: {material: count}} where this city makes something its own way; None
    for what goods.CITY_RECIPES says of its name. merchants_max: who comes when so many are in waits on the road.
    engine: the kernel to run (a module like kernel.py).
    """

    def __init__(
        self,
        name,
        seed=1,
        locals_=20,
        merchants=None,
        goods=defaults.GOODS,
        recipes=None,
        merchants_max=1_000_000,
        engine=k,
    ):
        if merchants is None:
            merchants = locals_ // 2
        self.name = name
        self.seed = seed
        self.goods = goods
        self.engine = engine
        self.merchants_max = merchants_max
        self.good_names = [good.name for good in goods]
        self.places = [name]  # whose prices each column keeps; 0 is here
        self.roads = {}  # by the name of the city at the other end
        self.baggage = {}  # merchant's index: a Merchant with what the array has no place for
        self.by_hand = set()  # goods whose yield somebody set by hand: sensors leave them alone
        recipes = defaults.CITY_RECIPES.get(name, {}) if recipes is None else recipes
        self._lay_out(locals_, merchants, recipes)
        self._be_born(merchants)

    # Birth.

    def _lay_out(self, locals_, merchants, recipes):
        count = len(self.goods)
        good_words = k.NEEDS + count
        local_words = k.PRICE + 2 * count + k.LOCAL_ROWS + 4 * count
        merchant_words = k.PRICE + 2 * count + k.FAR + (PLACES - 1) * count
        at_roads = k.HEADER_WORDS
        at_odds = at_roads + PLACES
        at_goods = at_odds + k.ODDS_WORDS
        at_locals = at_goods + count * good_words
        at_merchants = at_locals + locals_ * local_words
        words = array("i", bytes(4 * (at_merchants + merchants * merchant_words)))
        words[k.LOCALS] = locals_
        words[k.MERCHANTS] = merchants
        words[k.GOODS] = count
        words[k.PLACES] = PLACES
        words[k.AT_ROADS] = at_roads
        words[k.AT_ODDS] = at_odds
        words[k.AT_GOODS] = at_goods
        words[k.AT_LOCALS] = at_locals
        words[k.AT_MERCHANTS] = at_merchants
        words[k.LOCAL_WORDS] = local_words
        words[k.MERCHANT_WORDS] = merchant_words
        words[k.GOOD_WORDS] = good_words
        words[k.PRIME_LOCALS] = _prime(locals_)
        words[k.PRIME_GOODS] = _prime(count)
        words[k.FALLBACK] = (
            self.good_names.index(defaults.FALLBACK) if defaults.FALLBACK in self.good_names else count - 1
        )
        words[k.LEISURE_HALF] = defaults.LEISURE.half
        for place in range(PLACES):
            words[at_roads + place] = k.CLOSED
        odds = 32768
        for n in range(k.ODDS_WORDS):
            words[at_odds + n] = odds
            odds = (odds * 9 + 5) // 10
        for index, good in enumerate(self.goods):
            row = at_goods + index * good_words
            needs = recipes.get(good.name, good.needs)
            words[row + k.HALF] = good.half
            words[row + k.YIELD] = 1000
            words[row + k.BREAKS] = 1 if good.breaks else 0
            words[row + k.CRAFTED] = 1 if needs else 0
            for material in needs:
                words[row + k.NEEDS + self.good_names.index(material)] = needs[material]
        self.words = words
        self._count_residents()

    def _be_born(self, merchants):
        words, count = self.words, len(self.goods)
        digest = hashlib.sha256(("%d %s" % (self.seed, self.name)).encode()).digest()
        # Any state but 0 and the largest will do for a multiply-with-carry generator.
        words[k.RANDOM_A] = int.from_bytes(digest[:4], "little") % (30903 * 65536 - 2) + 1
        words[k.RANDOM_B] = int.from_bytes(digest[4:8], "little") % (18000 * 65536 - 2) + 1
        leisure = defaults.LEISURE.value_mills
        for local in range(words[k.AT_LOCALS], words[k.AT_MERCHANTS], words[k.LOCAL_WORDS]):
            own = local + k.PRICE + 2 * count
            stocks = own + k.LOCAL_ROWS
            values = stocks + count
            words[own + k.LEISURE_VALUE] = self._draw(leisure[0], leisure[1])
            for index, good in enumerate(self.goods):
                words[stocks + index] = self._draw(0, good.stock)
                words[values + index] = self._draw(good.value_mills[0], good.value_mills[1])
            # With 999 coins a price and a personal value are the same number, so this reads the value of what it has.
            words[local + k.MONEY] = 999_000
            self.engine.appraise(words, local)
            for index in range(count):
                has = words[stocks + index] > 0
                sell_from = words[local + k.PRICE + count + index]
                words[local + k.PRICE + index] = sell_from - 1 if has else words[values + index]
            words[local + k.MONEY] = 1_000_000
            self.engine.appraise(words, local)
        chair = self.good_names.index("chair") if "chair" in self.good_names else 0
        for index in range(merchants):
            self._settle(index, Merchant(self.good_names[chair]))
        self._reconsider()

    def _draw(self, low, high):
        """A random integer in [low, high), from the generator of the kernel."""
        words = self.words
        a, b = words[k.RANDOM_A], words[k.RANDOM_B]
        a = 30903 * (a & 65535) + (a >> 16)
        b = 18000 * (b & 65535) + (b >> 16)
        words[k.RANDOM_A], words[k.RANDOM_B] = a, b
        return low + (((a & 32767) << 16) | (b & 65535)) % (high - low)

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
            at_roads = words[k.AT_ROADS]
            # At most one merchant arrives per road and tick.
            for place in range(1, len(self.places)):
                road = self.roads.get(self.places[place])
                if road is not None and road.inbound and words[k.MERCHANTS] < self.merchants_max:
                    self.admit(road.take())
                    words = self.words
                    if road.inbound:
                        batch = 1
            for place in range(1, len(self.places)):
                road = self.roads.get(self.places[place])
                room = k.CLOSED if road is None or road.state != "up" else 1 + road.space()
                if (room == k.CLOSED) != (words[at_roads + place] == k.CLOSED):
                    changed = True
                words[at_roads + place] = room
            if changed:
                self._reconsider()
            ticks -= self.engine.run(words, batch)
            if words[k.LEAVING]:
                self._depart()

    # Roads.

    def open_road(self, road):
        """From now on merchants come and go by this road (see road.Road); it takes the place of one of the same name."""
        self._place_of(road.name, True)
        self.roads[road.name] = road

    def close_road(self, name):
        """Forget the road to this city. What the merchants know of its prices stays with them."""
        del self.roads[name]

    def _place_of(self, name, needed):
        """The column for a city's prices; 0 if there is none left and it is not needed."""
        if name in self.places:
            return self.places.index(name)
        if len(self.places) < self.words[k.PLACES]:
            self.places.append(name)
            return len(self.places) - 1
        if not needed:
            return 0
        for place in range(1, len(self.places)):
            if self.places[place] not in self.roads:
                self._clear_column(place)
                self.places[place] = name
                return place
        self._widen(self.words[k.PLACES] + 4)
        self.places.append(name)
        return len(self.places) - 1

    def _clear_column(self, place):
        """Move what the merchants know of a place from the array to their baggage."""
        words, name = self.words, self.places[place]
        for index in range(words[k.MERCHANTS]):
            far = self._far(index, place)
            for good, good_name in enumerate(self.good_names):
                if words[far + good]:
                    bag = self.baggage.setdefault(index, Merchant(None))
                    bag.prices_mills.setdefault(good_name, {})[name] = words[far + good]
                    words[far + good] = 0
        self.words[self.words[k.AT_ROADS] + place] = k.CLOSED

    def _widen(self, places):
        """Make room for the prices of so many places."""
        old = self.words
        goods, roads, words = len(self.goods), old[k.PLACES], old[k.MERCHANT_WORDS]
        more = places - roads
        new = array("i", old[: old[k.AT_ODDS]])
        new.extend(array("i", [k.CLOSED] * more))
        new.extend(old[old[k.AT_ODDS] : old[k.AT_MERCHANTS]])
        for start in range(old[k.AT_MERCHANTS], len(old), words):
            new.extend(old[start : start + words])
            new.extend(array("i", bytes(4 * more * goods)))
        new[k.PLACES] = places
        new[k.MERCHANT_WORDS] += more * goods
        for offset in (k.AT_ODDS, k.AT_GOODS, k.AT_LOCALS, k.AT_MERCHANTS):
            new[offset] += more
        self.words = new

    # Who comes and goes.

    def admit(self, merchant):
        """Take in a merchant that arrives. Above 1000 coins it pays a tenth of the rest, shared equally by the locals."""
        words = self.words
        if merchant.money_mills > 1_000_000 and words[k.LOCALS]:
            share = (merchant.money_mills - 1_000_000) // 10 // words[k.LOCALS]
            if share:
                merchant.money_mills -= share * self.engine.pay_locals(words, share)
        index = words[k.MERCHANTS]
        words[k.MERCHANTS] = index + 1
        if self._merchant(index) >= len(words):
            words.extend(array("i", bytes(4 * _GROWTH * words[k.MERCHANT_WORDS])))
        self._count_residents()
        self._settle(index, merchant)
        self.engine.consider(words, self._merchant(index))

    def _settle(self, index, merchant):
        """Write a merchant into the array; what it has no place for goes into the baggage."""
        words = self.words
        start = self._merchant(index)
        own = start + k.PRICE + 2 * len(self.goods)
        words[start + k.MONEY] = merchant.money_mills
        words[own + k.GOOD] = self._good(merchant.good)
        words[own + k.CAPACITY] = merchant.capacity
        words[own + k.OWNED] = merchant.owned
        rest = {}
        for good in sorted(merchant.prices_mills):
            prices = merchant.prices_mills[good]
            for city in sorted(prices):
                place = self._place_of(city, False)
                if good not in self.good_names or (place == 0 and city != self.name):
                    rest.setdefault(good, {})[city] = prices[city]
                elif place == 0:
                    words[start + k.PRICE + self.good_names.index(good)] = prices[city]
                else:
                    words[self._far(index, place) + self.good_names.index(good)] = prices[city]
        if rest or words[own + k.GOOD] == len(self.goods):
            self.baggage[index] = Merchant(merchant.good, prices_mills=rest)

    def _depart(self):
        """Send off everybody who decided to leave in this tick."""
        words = self.words
        leaving = []
        index = words[k.LEAVING] - 1
        while index >= 0:
            leaving.append(index)
            index = words[self._own(index) + k.NEXT] - 1
        words[k.LEAVING] = 0
        for index in reversed(leaving):
            road = self.roads[self.places[words[self._own(index) + k.ROAD]]]
            road.send(self._record(index))
        # From the end, so that none of those still to go is moved.
        for index in sorted(leaving, reverse=True):
            self._remove(index)
        self._count_residents()

    def _record(self, index):
        """The merchant at this index as a record."""
        words = self.words
        start, own = self._merchant(index), self._own(index)
        bag = self.baggage.get(index)
        prices = {}
        if bag is not None:
            for good in bag.prices_mills:
                prices[good] = dict(bag.prices_mills[good])
        for good, good_name in enumerate(self.good_names):
            for place, city in enumerate(self.places):
                price = words[start + k.PRICE + good] if place == 0 else words[self._far(index, place) + good]
                if price:
                    prices.setdefault(good_name, {})[city] = price
        good = words[own + k.GOOD]
        return Merchant(
            bag.good if good == len(self.goods) else self.good_names[good],
            words[start + k.MONEY],
            words[own + k.CAPACITY],
            words[own + k.OWNED],
            prices,
        )

    def _remove(self, index):
        """Take a merchant out of the array; the last one moves into its place."""
        words, size = self.words, self.words[k.MERCHANT_WORDS]
        last = words[k.MERCHANTS] - 1
        here, there = self._merchant(index), self._merchant(last)
        self.baggage.pop(index, None)
        if index != last:
            words[here : here + size] = words[there : there + size]
            if last in self.baggage:
                self.baggage[index] = self.baggage.pop(last)
        for offset in range(there, there + size):
            words[offset] = 0
        words[k.MERCHANTS] = last

    # Influence.

    def set_yield(self, good, yield_mills, by_hand=False):
        """Set how many mills of a unit one act of making a good gives (1000 is normal, 0 stops it, 100,000 is the most).

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
        """The first 16 hex digits of the SHA-256 of the array in use, as little-endian 32-bit integers."""
        used = memoryview(self.words)[: self._merchant(self.words[k.MERCHANTS])]
        return "".join("%02x" % byte for byte in hashlib.sha256(used).digest()[:8])

    def _merchant(self, index):
        return self.words[k.AT_MERCHANTS] + index * self.words[k.MERCHANT_WORDS]

    def _own(self, index):
        return self._merchant(index) + k.PRICE + 2 * len(self.goods)

    def _far(self, index, place):
        return self._own(index) + k.FAR + (place - 1) * len(self.goods)

    def _good(self, name):
        """A good's index; len(goods) for one that this city does not know."""
        return self.good_names.index(name) if name in self.good_names else len(self.goods)

    def _row(self, good):
        return self.words[k.AT_GOODS] + self.good_names.index(good) * self.words[k.GOOD_WORDS]

    def _count_residents(self):
        words = self.words
        words[k.PRIME_MERCHANTS] = _prime(words[k.MERCHANTS])
        words[k.PRIME_RESIDENTS] = _prime(words[k.LOCALS] + words[k.MERCHANTS])

    def _reconsider(self):
        """Where the merchants do best has changed with the roads."""
        for index in range(self.words[k.MERCHANTS]):
            self.engine.consider(self.words, self._merchant(index))


def _prime(least):
    """The smallest prime that is at least this, and at least 2."""
    prime = max(2, least)
    while any(prime % divisor == 0 for divisor in range(2, int(prime**0.5) + 1)):
        prime += 1
    return prime
