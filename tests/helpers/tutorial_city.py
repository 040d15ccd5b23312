"""A city of the tutorial, as strict as the tutorial's program is: what it dies of, and what it learns.

Here: its economy in short, its queues and its lines, without sockets. Not here: connections (peers.py). The rules are
those of the reference program, whose two editions differ in a good and in how often merchants leave:

- A merchant is any JSON object. Another line is logged, and nothing else.
- The program crashes of a good that it does not have, in BuysSells or as a key of ExpectedPrices, and of a good whose
  value is null.
- A merchant learns the prices of those goods only that are keys of its ExpectedPrices.
- A channel holds 100 merchants. The city stands still while a merchant waits for room in the channel to another city,
  and a connection is not read while the channel from it is full.
- A second connection to a city that it has a channel to is never used, and never closed.
"""

import json
import random
from typing import Any

GOODS = {7: ("wood", "chair", "thread", "bed"), 8: ("wood", "chair", "fur", "bed")}
COMMON_GOODS = {"wood", "chair", "bed"}
CHANNEL_MAX = 100
_TAX_FREE_MILLS = 1_000_000
_LEAVING_CHANCES = {7: 1 / 100, 8: 1 / 1000}
_MIDDLE_PRICES = {"wood": 4.0, "chair": 20.0, "thread": 3.0, "fur": 2.0, "bed": 40.0}


class DeadCityError(Exception):
    """The program of a tutorial city has crashed; the text states of what."""


def parse_merchant(line: bytes) -> dict[str, Any] | None:
    """Return the merchant on a line, which is any JSON object, None if the line has none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def find_death(goods: tuple[str, ...], merchant: dict[str, Any]) -> str | None:
    """Return what a program with these goods crashes of when this merchant arrives, None for nothing."""
    if merchant.get("BuysSells") not in goods:
        return f"its graph has no {merchant.get('BuysSells')}"
    for good, prices in (merchant.get("ExpectedPrices") or {}).items():
        if good not in goods:
            return f"its locals have no market of {good}"
        if prices is None:
            return f"the prices of {good} are a nil map"
    return None


class Channel:
    """The way between a tutorial city and another city: two bounded queues.

    Attributes:
        inbound, outbound: merchants, as JSON objects, towards the tutorial city and away from it.
    """

    def __init__(self) -> None:
        self.inbound: list[dict[str, Any]] = []
        self.outbound: list[dict[str, Any]] = []


class TutorialCity:
    """A running program of the tutorial with one city.

    Attributes:
        name: the city's name.
        goods: its goods.
        channels: {name of another city: Channel}.
        merchants: those in the city.
        money_mills: what its locals have.
        admitted: how many merchants have arrived.
        incomplete: how many of them lacked the key of a good that every edition has.
        unread_lines: lines that were logged only.
        moneyless: objects without money, which the program lets in as merchants.
    """

    def __init__(self, name: str, edition: int = 8, seed: int = 1, merchants: int = 10) -> None:
        self.name = name
        self.goods = GOODS[edition]
        self.channels: dict[str, Channel] = {}
        self.money_mills = 20_000_000
        self.admitted = self.incomplete = 0
        self.unread_lines: list[bytes] = []
        self.moneyless: list[dict[str, Any]] = []
        self._edition = edition
        self._random = random.Random(seed)
        self._prices = {good: _MIDDLE_PRICES[good] * self._random.uniform(0.5, 1.5) for good in self.goods}
        self.merchants = [self._create_merchant() for _ in range(merchants)]

    def sum_money_mills(self) -> int:
        """Return all money of the program."""
        everywhere = list(self.merchants)
        for channel in self.channels.values():
            everywhere += channel.inbound + channel.outbound
        return self.money_mills + sum(read_mills(merchant) for merchant in everywhere)

    def read_line(self, channel: Channel, line: bytes) -> None:
        """Read a line of another city, as the program's reader does."""
        found = parse_merchant(line)
        if found is None:
            self.unread_lines.append(line)
            return
        if "Money" not in found:
            self.moneyless.append(found)
        fields = ("Money", "BuysSells", "CarryingCapacity", "Owned", "ExpectedPrices")
        channel.inbound.append({field: found.get(field) for field in fields})

    def tick(self) -> None:
        """Do one update of the program. Raises DeadCityError."""
        if any(len(channel.outbound) >= CHANNEL_MAX for channel in self.channels.values()):
            return
        for channel in self.channels.values():
            if channel.inbound:
                self._admit(channel.inbound.pop(0))
        self._prices = {
            good: max(-1.0, price + self._random.uniform(-0.02, 0.02) * _MIDDLE_PRICES[good])  # a little below 0
            for good, price in self._prices.items()
        }
        for merchant in list(self.merchants):
            if self._random.random() < 0.1:
                self._update(merchant)

    def _admit(self, merchant: dict[str, Any]) -> None:
        death = find_death(self.goods, merchant)
        if death is not None:
            raise DeadCityError(f"{self.name} has crashed: {death}, and this merchant came: {json.dumps(merchant)}")
        self.admitted += 1
        self.incomplete += not set(merchant["ExpectedPrices"]) >= COMMON_GOODS
        tax = max(0, read_mills(merchant) - _TAX_FREE_MILLS) // 10
        self._pay(merchant, -tax)
        self.merchants.append(merchant)

    def _update(self, merchant: dict[str, Any]) -> None:
        prices, good, name = merchant["ExpectedPrices"], merchant["BuysSells"], self.name
        for known in prices:  # no other good is ever learned
            prices[known][name] = 0.9 * prices[known].get(name, 0.0) + 0.1 * self._prices[known]
        best = self._find_best_place(merchant, good)
        price_mills = max(0, round(1000 * self._prices[good]))
        if best != name and merchant["Owned"] < merchant["CarryingCapacity"] and price_mills <= read_mills(merchant):
            self._pay(merchant, -price_mills)
            merchant["Owned"] += 1
        elif best == name and merchant["Owned"] and price_mills <= self.money_mills:
            self._pay(merchant, price_mills)
            merchant["Owned"] -= 1
        if self.channels and self._random.random() < _LEAVING_CHANCES[self._edition]:
            self._leave(merchant, self._random.choice(sorted(self.channels)))
        elif best != name and merchant["Owned"] >= merchant["CarryingCapacity"]:
            self._leave(merchant, best)
        elif self._edition == 7 and not merchant["Owned"] and prices:
            merchant["BuysSells"] = self._random.choice(sorted(prices))

    def _find_best_place(self, merchant: dict[str, Any], good: str) -> str:
        places = [self.name, *self.channels]
        known = merchant["ExpectedPrices"].get(good, {})
        best = max(places, key=lambda place: known.get(place, 0.0))
        lowest = min(known.get(place, 0.0) for place in places)
        return best if known.get(best, 0.0) > lowest + 1 else self.name

    def _leave(self, merchant: dict[str, Any], to: str) -> None:
        self.merchants.remove(merchant)
        self.channels[to].outbound.append(merchant)

    def _pay(self, merchant: dict[str, Any], mills: int) -> None:
        merchant["Money"] = (read_mills(merchant) + mills) / 1000
        self.money_mills -= mills

    def _create_merchant(self) -> dict[str, Any]:
        return {
            "Money": 1000.0,
            "BuysSells": self._random.choice(self.goods) if self._edition == 7 else self.goods[2],
            "CarryingCapacity": 20,
            "Owned": 0,
            "ExpectedPrices": {good: {self.name: 0.0} for good in self.goods},
        }


def read_mills(merchant: dict[str, Any]) -> int:
    """Return the money of a merchant in mills."""
    return round(1000 * (merchant.get("Money") or 0))
