"""bench/programs/ticks.py: cities of the same age, and random choices without random.Random."""

import importlib.util
import io
import sys

import pytest
from deskonomy.economy import kernel
from deskonomy_host import paths


@pytest.fixture
def bench_ticks(monkeypatch):
    """bench/programs/ticks.py as a module, without questions on stdin."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(paths.BENCH_PROGRAMS)])
    monkeypatch.setattr(sys, "argv", ["ticks.py", "kernel"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    spec = importlib.util.spec_from_file_location("bench_ticks", paths.BENCH_PROGRAMS / "ticks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_kernel_cities_are_reset_to_their_age(bench_ticks):
    cities = bench_ticks.KernelCities(kernel, 20, 10, 2, 30)
    digests = []
    for _ in range(2):
        cities.grow_to_age()
        cities.run(5)
        digests.append([city.digest() for city in cities._cities])
        assert [city.tick for city in cities._cities] == [35, 35]
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[0][1]


def test_answer_is_positive(bench_ticks):
    assert bench_ticks.answer(5, 2, 1, 10, 20, 1000) > 0


def test_sample_has_each_item_once_in_any_order(bench_ticks):
    dice = bench_ticks.Dice(1)
    items = ("A", "B", "C")
    orders = [tuple(dice.sample(items, 3)) for _ in range(600)]
    assert all(sorted(order) == ["A", "B", "C"] for order in orders)
    for order in set(orders):
        assert 50 < orders.count(order) < 160
    assert len(set(orders)) == 6
    assert len(set(dice.sample(range(100), 40))) == 40
