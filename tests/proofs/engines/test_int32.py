"""No intermediate value of the kernel leaves 32 signed bits, not even for cities at their limits.

A desktop's viper computes with 64 bits and cannot show such a value; a board's computes with 32. So the plain kernel
runs here on integers that check themselves after every operation, for ordinary cities and for states at the limits.
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
    """An int that raises OverflowError outside 32 signed bits; the result of an operation is an Int32, too."""


def make_checked_method(name):
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
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Int32, _method, make_checked_method(_method))
Int32.__neg__ = make_checked_method("__neg__")


class CheckedState(list):
    """A state array of Int32, none of which may become negative."""

    def __init__(self, state):
        super().__init__(Int32(number) for number in state)

    def __getitem__(self, index):
        return Int32(super().__getitem__(index))

    def __setitem__(self, index, value):
        if not 0 <= operator.index(value) <= HIGH:
            raise OverflowError(f"number {index} = {value}")
        super().__setitem__(index, value)


class CheckedEngine:
    """The plain kernel on a CheckedState; the caller's array gets the result."""


def run_checked(function):
    def call(state, *arguments):
        checked = CheckedState(state)
        result = function(checked, *(Int32(value) for value in arguments))
        for index, number in enumerate(checked):
            state[index] = number
        return result

    return staticmethod(call)


PLAIN_KERNEL = scenarios.load_plain_kernel()
for _name in ("run", "appraise", "consider", "pay_locals"):
    setattr(CheckedEngine, _name, run_checked(getattr(PLAIN_KERNEL, _name)))


def test_checked_numbers_raise_outside_32_bits():
    with pytest.raises(OverflowError):
        Int32(2**20) * 2**11
    with pytest.raises(OverflowError):
        2**11 * Int32(2**20)
    with pytest.raises(OverflowError):
        -(2**31) - Int32(1)
    with pytest.raises(OverflowError):
        CheckedState([0])[0] = -1


@pytest.mark.parametrize("seed, locals_, merchants, names", scenarios.SIZES)
def test_ordinary_cities_stay_within_32_bits(seed, locals_, merchants, names):
    checked = scenarios.build_world(seed, locals_, merchants, names, CheckedEngine)
    plain = scenarios.build_world(seed, locals_, merchants, names)
    scenarios.run_world(checked, 120)
    scenarios.run_world(plain, 120)
    assert [city.digest() for city in checked] == [city.digest() for city in plain]


def build_extreme_city(rng):
    """Return a city in which every number that may vary is at a limit, or near it."""
    materials = {"wood": rng.choice((1, 4, 10_000)), "thread": rng.choice((1, 10, 9_999))}
    value = rng.choice(((1, 2), (4000, 8000), (k.VALUE_MAX - 1, k.VALUE_MAX)))
    rows = [
        goods.Good("wood", 20, value, rng.choice((1, 15, 10_000)), {}, True),
        goods.Good("chair", 10, value, rng.choice((1, 5, 1000)), {"wood": 4}, True),
        goods.Good("thread", 30, (2000, 4000), 50, {}, False),
        goods.Good("bed", 2, value, 2, materials, True),
    ]
    city = City("LIMIT", rng.randrange(2**32), 12, 8, goods=rows, engine=CheckedEngine)
    city.open_road(Road("A", capacity=rng.choice((0, 1, 10_000))))
    city.open_road(Road("B"))
    money = (0, 1, 999_999, 1_000_000, 4_094_999, 4_095_000, k.MONEY_MAX - 1, k.MONEY_MAX)
    prices = (0, 1, 4000, 262_143, 262_144, 50_000_000, k.MONEY_MAX - 1, k.MONEY_MAX)
    stocks = (0, 1, 2, 5, 20, 9_999, k.STOCK_MAX)
    state, count = city.state, len(rows)
    for local in range(state[k.LOCALS]):
        record = state[k.AT_LOCALS] + local * state[k.LOCAL_SIZE]
        state[record + k.MONEY] = rng.choice(money)
        state[record + k.LEISURE] = rng.choice(stocks)
        for good in range(count):
            state[city.price_offset(good, local)] = rng.choice(prices)
            state[record + k.LOCAL_ROWS + good] = rng.choice(stocks)
        CheckedEngine.appraise(state, local)
    for index in range(state[k.MERCHANTS]):
        record = city.merchant_offset(index)
        state[record + k.MONEY] = rng.choice(money)
        for good in range(count):
            for place in range(3):
                state[city.expected_price_offset(index, good, place)] = rng.choice(prices)
        state[record + k.GOOD] = rng.randrange(count + 1)
        city.baggage[index] = Merchant("fur")
        state[record + k.CAPACITY] = rng.choice((1, 20, 10_000))
        state[record + k.OWNED] = rng.choice((0, 1, 20, 10_000))
        CheckedEngine.consider(state, index)
    state[k.TICK] = rng.choice((0, 2**30 - 2))
    for good in rows:
        city.set_yield(good.name, rng.choice((0, 1, 250, 999, 1000, 1001, 32_767, 32_768, 100_000)))
    return city


@pytest.mark.parametrize("seed", range(60))
def test_cities_at_their_limits_stay_within_32_bits(seed):
    city = build_extreme_city(random.Random(seed))
    before = scenarios.sum_money_mills([city])
    for _ in range(12):
        city.run(1)
    assert scenarios.sum_money_mills([city]) == before
    assert max(city.locals_column(k.MONEY)) <= k.MONEY_MAX
    for good, name in enumerate(city.good_names):
        assert status.summarize_prices_mills(city, name)[2] <= k.MONEY_MAX
        assert max(city.locals_column(k.LOCAL_ROWS + good)) <= k.STOCK_MAX
