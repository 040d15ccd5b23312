"""Time series and thinning: what is kept of a long past, and how much memory that takes."""

import math
import random

import pytest
from deskonomy_host.telemetry.thinning import Thinning
from deskonomy_host.telemetry.timeseries import TimeSeries


def test_time_series_stays_small_and_keeps_extremes():
    series = TimeSeries(recent=20, older=10)
    chance = random.Random(1)
    values = [chance.random() for _ in range(20_000)]
    for at, value in enumerate(values):
        series.add(float(at), {"A": {"x.min": value, "x.max": value, "x": value}})
        assert len(series.times) == sum(series.thinning.counts) <= 21 + 11 * math.log2(at + 2)
    columns = series.columns["A"]
    assert {len(column) for column in columns.values()} == {len(series.times)}
    assert list(series.times) == sorted(series.times) and series.times[0] == 0
    assert list(series.times)[-20:] == list(range(19_980, 20_000))
    assert min(columns["x.min"]) == min(values) and max(columns["x.max"]) == max(values)
    assert list(columns["x"])[-20:] == values[-20:]
    assert sum(columns["x"][:20]) / 20 == pytest.approx(0.5, abs=0.05)


def test_rows_of_one_age_stand_for_as_many_samples():
    series = TimeSeries(recent=4, older=3)
    for at in range(1000):
        series.add(float(at), {"A": {"x": float(at)}})
    row, sample = 0, 0
    for age, count in reversed(list(enumerate(series.thinning.counts))):
        for _ in range(count):
            samples = range(sample, sample + 2**age)
            assert series.times[row] == samples[0] and series.columns["A"]["x"][row] == sum(samples) / len(samples)
            row, sample = row + 1, sample + 2**age
    assert (row, sample) == (len(series.times), 1000)


def test_thinning_continues_with_the_rows_that_exist():
    whole, first = Thinning(5, 3), Thinning(5, 3)
    merges = [list(whole.add()) for _ in range(300)]
    assert [list(first.add()) for _ in range(123)] == merges[:123]
    second = Thinning(5, 3, first.counts)
    assert [list(second.add()) for _ in range(123, 300)] == merges[123:]


def test_city_that_appears_late_or_disappears_has_gaps():
    series = TimeSeries(recent=4, older=4)
    series.add(0.0, {"A": {"x": 1.0}})
    series.add(1.0, {"A": {"x": 2.0}, "B": {"x": 5.0}})
    assert math.isnan(series.columns["B"]["x"][0]) and series.columns["B"]["x"][1] == 5
    for at in range(2, 2000):
        series.add(float(at), {"B": {"x": 5.0}})
    assert set(series.columns["B"]["x"]) == {5.0} and len(series.columns) <= 2
    assert series.columns["A"]["x"][0] == 1.5 and math.isnan(series.columns["A"]["x"][-1])
