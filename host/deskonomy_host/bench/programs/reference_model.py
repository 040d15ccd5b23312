"""The rules of a tick once more, as plain as they can be: objects, dicts and floats, straight from the description.

Here: an independent second opinion on kernel.py, which is judged against it, and the baseline of the benchmark.
Not here: speed, exactness, determinism across interpreters, roads longer than a list. Nothing of firmware/ is used.
"""

import math

GOODS = ("wood", "chair", "thread", "bed")
BIRTH = {"wood": (20, 4, 8), "chair": (10, 30, 50), "thread": (30, 2, 4), "bed": (2, 50, 60)}
HALF = {"wood": 15, "chair": 5, "thread": 50, "bed": 2, "leisure": 50}
RECIPES = {"chair": {"wood": 4}, "bed": {"wood": 2, "thread": 10}}
BREAKS = ("chair", "bed")


class Local:
    """One who lives here, gathers, crafts, rests, buys and sells. Money and prices are floats, in coins."""

    def __init__(self, city, rng):
        self.city = city
        self.money = 1000.0
        self.stock = {good: rng.randrange(BIRTH[good][0]) for good in GOODS}
        self.value = {good: rng.uniform(BIRTH[good][1], BIRTH[good][2]) for good in GOODS}
        self.stock["leisure"] = 0
        self.value["leisure"] = rng.uniform(2, 6)
        self.price = {good: self.current(good) for good in GOODS}
        self.patience = {good: 0 for good in GOODS}

    def personal(self, good, stock):
        return self.value[good] / ((stock / HALF[good]) ** 3 + 1)

    def potential(self, good):
        return self.personal(good, self.stock[good] + 1)

    def current(self, good):
        return self.personal(good, self.stock[good])

    def worth(self, price):
        return price * 1000 / (self.money + 1)

    def buys(self, good):
        return self.worth(self.price[good]) < self.potential(good)

    def asks(self, good):
        """What it would sell one for, or None."""
        if self.stock[good] >= 1 and self.worth(self.price[good]) > self.current(good):
            return self.price[good]
        return None

    def expects(self, good):
        return self.price[good]

    def volatility(self, good):
        return self.value[good] / 50

    def sold(self, good, ask):
        self.money += ask
        self.stock[good] -= 1
        self.price[good] += self.volatility(good)
        self.patience[good] = 0

    def act(self, rng):
        self.wear_out(rng)
        self.make(rng)
        for good in rng.sample(GOODS, len(GOODS)):
            self.go_to_market(good, rng)

    def wear_out(self, rng):
        for good in BREAKS:
            if rng.random() < 0.01 and self.stock[good] > 0:
                self.stock[good] -= 1
                self.city.broken[good] += 1

    def make(self, rng):
        best, best_worth = "leisure", self.potential("leisure")
        for good in GOODS:
            worth = max(self.potential(good), self.worth(self.price[good])) * self.city.yields[good]
            recipe = self.city.recipes.get(good, {})
            if self.city.yields[good] == 0 or any(self.stock[part] <= count for part, count in recipe.items()):
                worth = 0
            else:
                for part, count in recipe.items():
                    worth -= count * max(self.current(part), self.worth(self.price[part]))
            if worth > best_worth:
                best, best_worth = good, worth
        if best == "leisure":
            self.stock["leisure"] += 1
            return
        self.stock["leisure"] = 0
        units = math.floor(self.city.yields[best])
        if rng.random() < self.city.yields[best] - units:
            units += 1
        self.stock[best] += units
        self.city.made[best] += units
        for part, count in self.city.recipes.get(best, {}).items():
            self.stock[part] -= count
            self.city.used[part] += count

    def go_to_market(self, good, rng):
        if rng.random() < 0.01:
            heard = rng.choice(self.city.residents()).expects(good)
            if heard > self.price[good]:
                self.price[good] += self.volatility(good)
            elif heard < self.price[good]:
                self.price[good] -= self.volatility(good)
        buys = self.buys(good) and self.money >= self.price[good]
        if buys or self.asks(good) is not None:
            self.patience[good] += 1
        if buys:
            residents = self.city.residents()
            for seller in rng.sample(residents, len(residents)):
                ask = None if seller is self else seller.asks(good)
                if ask is not None and ask <= self.price[good] and ask <= self.money:
                    seller.sold(good, ask)
                    self.money -= ask
                    self.stock[good] += 1
                    self.price[good] -= self.volatility(good)
                    self.patience[good] = 0
                    break
        if self.patience[good] > 10:
            self.patience[good] = 0
            self.price[good] += self.volatility(good) if buys else -self.volatility(good)


class Merchant:
    """One who buys where it is cheap and sells where it is dear. Money and prices are floats, in coins."""

    def __init__(self, city):
        self.city = city
        self.money = 1000.0
        self.good = "chair"
        self.capacity = 20
        self.owned = 0
        self.price = {good: {} for good in GOODS}

    def expects(self, good, place=None):
        return self.price[good].get(place or self.city.name, 0.0)

    def deal(self, good):
        """(the best place to sell at, the profit)"""
        places = [self.city.name] + sorted(self.city.roads)
        best, best_profit = self.city.name, 0.0
        for buy in places:
            for sell in places:
                profit = self.expects(good, sell) - (self.expects(good, buy) + 1)
                if profit > best_profit:
                    best, best_profit = sell, profit
        return best, best_profit

    def asks(self, good):
        if good == self.good and self.owned > 0 and self.deal(good)[0] == self.city.name:
            return self.expects(good)
        return None

    def sold(self, good, ask):
        self.money += ask
        self.owned -= 1

    def act(self, rng):
        city, here = self.city, self.city.name
        residents = city.residents()
        for resident in rng.sample(residents, len(residents)):
            for good in GOODS:
                self.price[good][here] = 0.9 * self.expects(good) + 0.1 * resident.expects(good)
        best, _ = self.deal(self.good)
        if best != here and self.owned < self.capacity:
            for local in rng.sample(city.locals, len(city.locals)):
                ask = local.asks(self.good)
                most = min(self.expects(self.good), self.money)
                if ask is not None and ask <= most and ask < self.expects(self.good, best):
                    local.sold(self.good, ask)
                    self.money -= ask
                    self.owned += 1
                    break
        if rng.random() < 0.01 and city.roads and self.leave(rng.choice(sorted(city.roads))):
            return
        if self.owned >= self.capacity and best != here and self.leave(best):
            return
        if self.owned == 0:
            self.good = "bed"
            best_profit = 0.0
            for good in GOODS:
                profit = self.deal(good)[1]
                if profit > best_profit:
                    self.good, best_profit = good, profit

    def leave(self, place):
        road = self.city.roads[place]
        if len(road) >= 100:
            return False
        self.city.merchants.remove(self)
        road.append(self)
        return True


class City:
    """A city of locals and half as many merchants. recipes: those that differ from RECIPES, {good: {part: count}}."""

    def __init__(self, name, rng, locals_=20, merchants=None, recipes=None):
        self.name = name
        self.rng = rng
        self.recipes = dict(RECIPES)
        self.recipes.update(recipes or {})
        self.yields = {good: 1.0 for good in GOODS}
        self.made = {good: 0 for good in GOODS}
        self.used = {good: 0 for good in GOODS}
        self.broken = {good: 0 for good in GOODS}
        self.roads = {}  # city: the list of merchants that are on their way there
        self.arrivals = []  # the lists that lead here
        self.locals = [Local(self, rng) for _ in range(locals_)]
        self.merchants = [Merchant(self) for _ in range(locals_ // 2 if merchants is None else merchants)]

    def residents(self):
        return self.locals + self.merchants

    def tick(self):
        for road in self.arrivals:
            if road:
                self.welcome(road.pop(0))
        for people in (self.locals, self.merchants):
            for person in self.rng.sample(people, len(people)):
                if self.rng.random() < 0.1:
                    person.act(self.rng)

    def welcome(self, merchant):
        merchant.city = self
        self.merchants.append(merchant)
        if merchant.money > 1000:
            tax = (merchant.money - 1000) / 10
            merchant.money -= tax
            for local in self.locals:
                local.money += tax / len(self.locals)

    def mean_price(self, good):
        return sum(local.price[good] for local in self.locals) / len(self.locals)


def connect(one, other):
    """Open a road between two cities."""
    for here, there in ((one, other), (other, one)):
        here.roads[there.name] = []
        there.arrivals.append(here.roads[there.name])
