"""No intermediate value of the kernel leaves 32 signed bits, on extremes too.

A desktop's viper computes with 64 bits and would never show it; a board would. So the plain kernel runs here on
integers that check themselves after every operation, over ordinary cities and over states drawn from the limits.
"""

import operator
import random

import pytest
from core import scenarios
from deskonomy import status
from deskonomy.economy import goods
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.road import Road

LOW, HIGH = -(2**31), 2**31 - 1


class Int32(int):
    """An int that refuses to leave 32 signed bits, and makes of every result one of its kind."""


def _checked(name):
    plain = getattr(int, name)

    def method(self, *others):
        result = plain(self, *others)
        if result is NotImplemented or isinstance(result, bool):
            return result
        if not LOW <= result <= HIGH:
            raise OverflowError(f"{name}{(int(self), *others)} = {result}")
        return Int32(result)

    return method


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    for _full in (f"__{_name}__", f"__r{_name}__"):
        setattr(Int32, _full, _checked(_full))
Int32.__neg__ = _checked("__neg__")


class Words(list):
    """An array of self-checking words, none of which may be negative."""

    def __init__(self, words):
        super().__init__(Int32(word) for word in words)

    def __getitem__(self, index):
        return Int32(super().__getitem__(index))

    def __setitem__(self, index, value):
        if not 0 <= operator.index(value) <= HIGH:
            raise OverflowError(f"word {index} = {value}")
        super().__setitem__(index, value)


class Checked:
    """The plain kernel on self-checking words; the caller's array gets the result."""


def _on_words(function):
    def call(state, *rest):
        words = Words(state)
        result = function(words, *(Int32(value) for value in rest))
        for index, word in enumerate(words):
            state[index] = word
        return result

    return staticmethod(call)


PLAIN = scenarios.plain_kernel()
for _name in ("run", "appraise", "consider", "pay_locals"):
    setattr(Checked, _name, _on_words(getattr(PLAIN, _name)))


def test_the_check_itself_notices():
    with pytest.raises(OverflowError):
        Int32(2**20) * 2**11
    with pytest.raises(OverflowError):
        2**11 * Int32(2**20)
    with pytest.raises(OverflowError):
        -(2**31) - Int32(1)
    with pytest.raises(OverflowError):
        Words([0])[0] = -1


@pytest.mark.parametrize("seed, locals_, merchants, names", scenarios.SIZES)
def test_ordinary_cities(seed, locals_, merchants, names):
    cities = scenarios.world(seed, locals_, merchants, names, Checked)
    same = scenarios.world(seed, locals_, merchants, names)
    scenarios.run(cities, 120)
    scenarios.run(same, 120)
    assert [city.digest() for city in cities] == [city.digest() for city in same]


def extreme_city(rng):
    """A city whose every free word is at, or near, one of its limits."""
    materials = {"wood": rng.choice((1, 4, 10_000)), "thread": rng.choice((1, 10, 9_999))}
    value = rng.choice(((1, 2), (4000, 8000), (k.VALUE_MAX - 1, k.VALUE_MAX)))
    rows = [
        goods.Good("wood", 20, value, rng.choice((1, 15, 10_000)), {}, True),
        goods.Good("chair", 10, value, rng.choice((1, 5, 1000)), {"wood": 4}, True),
        goods.Good("thread", 30, (2000, 4000), 50, {}, False),
        goods.Good("bed", 2, value, 2, materials, True),
    ]
    city = City("LIMIT", rng.randrange(2**32), 12, 8, goods=rows, engine=Checked)
    city.open_road(Road("A", room=rng.choice((0, 1, 10_000))))
    city.open_road(Road("B"))
    money = (0, 1, 999_999, 1_000_000, 4_094_999, 4_095_000, k.MONEY_MAX - 1, k.MONEY_MAX)
    prices = (0, 1, 4000, 262_143, 262_144, 50_000_000, k.MONEY_MAX - 1, k.MONEY_MAX)
    stocks = (0, 1, 2, 5, 20, 9_999, k.STOCK_MAX)
    words, count = city.words, len(rows)
    for local in range(words[k.LOCALS]):
        record = words[k.AT_LOCALS] + local * words[k.LOCAL_WORDS]
        words[record + k.MONEY] = rng.choice(money)
        words[record + k.LEISURE] = rng.choice(stocks)
        for good in range(count):
            words[city._price(good, local)] = rng.choice(prices)
            words[record + k.LOCAL_ROWS + good] = rng.choice(stocks)
        Checked.appraise(words, local)
    for index in range(words[k.MERCHANTS]):
        record = city._merchant(index)
        words[record + k.MONEY] = rng.choice(money)
        for good in range(count):
            for place in range(3):
                words[city._expects(index, good, place)] = rng.choice(prices)
        words[record + k.GOOD] = rng.randrange(count + 1)
        city.baggage[index] = Merchant("fur")
        words[record + k.CAPACITY] = rng.choice((1, 20, 10_000))
        words[record + k.OWNED] = rng.choice((0, 1, 20, 10_000))
        Checked.consider(words, index)
    words[k.TICK] = rng.choice((0, 2**30 - 2))
    for good in rows:
        city.set_yield(good.name, rng.choice((0, 1, 250, 999, 1000, 1001, 32_767, 32_768, 100_000)))
    return city


@pytest.mark.parametrize("seed", range(60))
def test_extremes(seed):
    city = extreme_city(random.Random(seed))
    before = scenarios.money_mills([city])
    for _ in range(12):
        city.run(1)
    assert scenarios.money_mills([city]) == before
    assert max(status.locals_column(city, k.MONEY)) <= k.MONEY_MAX
    for good, name in enumerate(city.good_names):
        assert status.prices_mills(city, name)[2] <= k.MONEY_MAX
        assert max(status.locals_column(city, k.LOCAL_ROWS + good)) <= k.STOCK_MAX
