"""A second implementation of the rules of a tick: objects, dicts and floats, written from the description alone.

Here: what tests compare kernel.py with, and the baseline of the benchmark. It runs on CPython and on MicroPython and
imports nothing of firmware/. Not here: speed, exactness, equal results on all interpreters, roads that are more than a
list.
"""

import math
import random

GOODS = ("wood", "chair", "thread", "bed")
# {good: (a local has 0 .. n - 1 units at its birth, lowest and highest personal value in coins)}
BIRTH = {"wood": (20, 4, 8), "chair": (10, 30, 50), "thread": (30, 2, 4), "bed": (2, 50, 60)}
# {good: the stock at which a further unit is worth half of the personal value}
HALF = {"wood": 15, "chair": 5, "thread": 50, "bed": 2, "leisure": 50}
RECIPES = {"chair": {"wood": 4}, "bed": {"wood": 2, "thread": 10}}
BREAKS = ("chair", "bed")
ROAD_CAPACITY = 100


class Local:
    """A local: it gathers, crafts, rests, buys and sells. Money and prices are floats, in coins."""

    def __init__(self, city: "City", rng: "random.Random") -> None:
        self.city = city
        self.money = 1000.0
        self.stock = {good: rng.randrange(BIRTH[good][0]) for good in GOODS}
        self.value = {good: rng.uniform(BIRTH[good][1], BIRTH[good][2]) for good in GOODS}
        self.stock["leisure"] = 0
        self.value["leisure"] = rng.uniform(2, 6)
        self.price = {good: self.current(good) for good in GOODS}
        self.patience = {good: 0 for good in GOODS}

    def personal(self, good: str, stock: int) -> float:
        """Return the personal value of a good at this stock."""
        return self.value[good] / ((stock / HALF[good]) ** 3 + 1)

    def potential(self, good: str) -> float:
        """Return the personal value of a further unit."""
        return self.personal(good, self.stock[good] + 1)

    def current(self, good: str) -> float:
        """Return the personal value of the last unit."""
        return self.personal(good, self.stock[good])

    def worth(self, price: float) -> float:
        """Return the value of a price: money has diminishing utility."""
        return price * 1000 / (self.money + 1)

    def buys(self, good: str) -> bool:
        """Return whether a further unit is worth more than its expected price."""
        return self.worth(self.price[good]) < self.potential(good)

    def asks(self, good: str) -> "float | None":
        """Return the price at which it sells a unit, or None."""
        if self.stock[good] >= 1 and self.worth(self.price[good]) > self.current(good):
            return self.price[good]
        return None

    def expects(self, good: str) -> float:
        """Return the price that it expects."""
        return self.price[good]

    def volatility(self, good: str) -> float:
        """Return the step by which its expected price changes."""
        return self.value[good] / 50

    def sell(self, good: str, ask: float) -> None:
        """Give a unit for this ask."""
        self.money += ask
        self.stock[good] -= 1
        self.price[good] += self.volatility(good)
        self.patience[good] = 0

    def act(self, rng: "random.Random") -> None:
        """Take its turn: goods wear out, it makes a good or rests, and it goes to market with each good."""
        self.wear_out(rng)
        self.make(rng)
        for good in rng.sample(GOODS, len(GOODS)):
            self.go_to_market(good, rng)

    def wear_out(self, rng: "random.Random") -> None:
        """Break a unit of each good that breaks, with probability 0.01."""
        for good in BREAKS:
            if rng.random() < 0.01 and self.stock[good] > 0:
                self.stock[good] -= 1
                self.city.broken[good] += 1

    def make(self, rng: "random.Random") -> None:
        """Make what is worth most, or rest."""
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

    def go_to_market(self, good: str, rng: "random.Random") -> None:
        """Hear a price, buy a unit from the first resident whose ask fits, and change the price without patience."""
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
                    seller.sell(good, ask)
                    self.money -= ask
                    self.stock[good] += 1
                    self.price[good] -= self.volatility(good)
                    self.patience[good] = 0
                    break
        if self.patience[good] > 10:
            self.patience[good] = 0
            self.price[good] += self.volatility(good) if buys else -self.volatility(good)


class Merchant:
    """A merchant: it buys a good where it is cheap and sells it where it is dear. Money is in coins, a float."""

    def __init__(self, city: "City") -> None:
        self.city = city
        self.money = 1000.0
        self.good = "chair"
        self.capacity = 20
        self.owned = 0
        self.price: dict[str, dict[str, float]] = {good: {} for good in GOODS}

    def expects(self, good: str, place: "str | None" = None) -> float:
        """Return the price that it expects at a place, by default in its city."""
        return self.price[good].get(place or self.city.name, 0.0)

    def deal(self, good: str) -> "tuple[str, float]":
        """Return (the best place to sell at, the profit)."""
        places = [self.city.name] + sorted(self.city.roads)
        best, best_profit = self.city.name, 0.0
        for buy in places:
            for sell in places:
                profit = self.expects(good, sell) - (self.expects(good, buy) + 1)
                if profit > best_profit:
                    best, best_profit = sell, profit
        return best, best_profit

    def asks(self, good: str) -> "float | None":
        """Return the price at which it sells a unit here, or None."""
        if good == self.good and self.owned > 0 and self.deal(good)[0] == self.city.name:
            return self.expects(good)
        return None

    def sell(self, good: str, ask: float) -> None:
        """Give a unit for this ask."""
        self.money += ask
        self.owned -= 1

    def act(self, rng: "random.Random") -> None:
        """Take its turn: it hears prices, buys, and leaves or chooses another good."""
        city, here = self.city, self.city.name
        residents = city.residents()
        for resident in rng.sample(residents, len(residents)):
            for good in GOODS:
                self.price[good][here] = 0.9 * self.expects(good) + 0.1 * resident.expects(good)
        best, _ = self.deal(self.good)
        if best != here and self.owned < self.capacity:
            self.buy(best, rng)
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

    def buy(self, best: str, rng: "random.Random") -> None:
        """Buy a unit of its good from the first local whose ask promises a profit at the best place."""
        for local in rng.sample(self.city.locals, len(self.city.locals)):
            ask = local.asks(self.good)
            limit = min(self.expects(self.good), self.money)
            if ask is not None and ask <= limit and ask < self.expects(self.good, best):
                local.sell(self.good, ask)
                self.money -= ask
                self.owned += 1
                break

    def leave(self, place: str) -> bool:
        """Leave by the road to this place. Return whether the road has room."""
        road = self.city.roads[place]
        if len(road) >= ROAD_CAPACITY:
            return False
        self.city.merchants.remove(self)
        road.append(self)
        return True


class City:
    """A city of locals and merchants.

    Args:
        name: what other cities call it.
        rng: the source of randomness.
        locals_: the number of locals.
        merchants: the number of merchants; None for half as many as locals.
        recipes: those that differ from RECIPES, {good: {part: count}}.

    Attributes:
        roads: {city: the list of merchants that are under way to it}.
        arrivals: the lists of merchants that are under way to this city.
        made, used, broken: {good: units}, counted from birth.
    """

    def __init__(
        self,
        name: str,
        rng: "random.Random",
        locals_: int = 20,
        merchants: "int | None" = None,
        recipes: "dict[str, dict[str, int]] | None" = None,
    ) -> None:
        self.name = name
        self.rng = rng
        self.recipes = dict(RECIPES)
        self.recipes.update(recipes or {})
        self.yields = {good: 1.0 for good in GOODS}
        self.made = {good: 0 for good in GOODS}
        self.used = {good: 0 for good in GOODS}
        self.broken = {good: 0 for good in GOODS}
        self.roads: dict[str, list[Merchant]] = {}
        self.arrivals: list[list[Merchant]] = []
        self.locals = [Local(self, rng) for _ in range(locals_)]
        self.merchants = [Merchant(self) for _ in range(locals_ // 2 if merchants is None else merchants)]

    def residents(self) -> "list[Local | Merchant]":
        """Return all locals and merchants."""
        return self.locals + self.merchants

    def tick(self) -> None:
        """Let at most one merchant per road arrive; then let all locals and all merchants act, in random order."""
        for road in self.arrivals:
            if road:
                self.admit(road.pop(0))
        for group in (self.locals, self.merchants):
            for resident in self.rng.sample(group, len(group)):
                if self.rng.random() < 0.1:
                    resident.act(self.rng)

    def admit(self, merchant: Merchant) -> None:
        """Add an arriving merchant. It pays a tenth of its money above 1000 coins, shared equally by the locals."""
        merchant.city = self
        self.merchants.append(merchant)
        if merchant.money > 1000:
            tax = (merchant.money - 1000) / 10
            merchant.money -= tax
            for local in self.locals:
                local.money += tax / len(self.locals)

    def mean_price(self, good: str) -> float:
        """Return the mean of the prices that the locals expect."""
        return sum(local.price[good] for local in self.locals) / len(self.locals)


def connect(city: City, other: City) -> None:
    """Open a road between two cities."""
    for here, there in ((city, other), (other, city)):
        here.roads[there.name] = []
        there.arrivals.append(here.roads[there.name])
