"""Statistics of a city: the spread of wealth, leisure, and merchants on the road."""

import json

import pytest
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.local import connect
from deskonomy_host.telemetry.statistics import QUANTILES, CityStatistics, gini


def test_statistics_of_a_new_city_and_of_a_merchant_that_leaves():
    oak, pine = City("OAK", 1), City("PINE", 2)
    connect(oak, pine)
    statistics = CityStatistics(max_age_s=0)
    first = statistics(oak)
    assert len(first["wealth"]) == QUANTILES + 1 and first["wealth"] == [1000.0] * (QUANTILES + 1)
    assert first["gini"] == 0 and len(first["leisure"]) == 20
    oak.roads["PINE"].send(Merchant("bed", money_mills=5000))
    second = statistics(oak)
    assert second["travelled"] == {"PINE": {"bed": 1}} and second["under_way"] == 5
    json.dumps(second)


def test_statistics_count_arrivals_and_go_on_when_a_road_is_replaced():
    oak, pine = City("OAK", 1), City("PINE", 2)
    connect(oak, pine)
    statistics = CityStatistics(max_age_s=0)
    statistics(oak)
    oak.roads["PINE"].inbound.append(Merchant("chair"))
    assert oak.roads["PINE"].take() is not None and oak.roads["PINE"].take() is None
    assert statistics(oak)["arrived"] == {"PINE": {"chair": 1}}
    connect(oak, pine)
    statistics(oak)
    oak.roads["PINE"].inbound.append(Merchant("bed"))
    oak.roads["PINE"].take()
    assert statistics(oak)["arrived"] == {"PINE": {"chair": 1, "bed": 1}}


def test_goods_beyond_the_limit_are_counted_together_and_forgotten_roads_are_not_counted():
    oak = City("OAK", 1)
    connect(oak, City("PINE", 2))
    statistics = CityStatistics(max_age_s=0)
    statistics(oak)
    for number in range(1000):
        oak.roads["PINE"].inbound.append(Merchant(f"good {number}"))
        oak.roads["PINE"].take()
    arrived = statistics(oak)["arrived"]["PINE"]
    assert len(arrived) == 33 and arrived["other goods"] == 1000 - 32
    for number in range(100):
        connect(oak, City(f"TOWN {number}", 2))
        statistics(oak)
        oak.close_road(f"TOWN {number}")
    assert statistics(oak)["travelled"].keys() == {"PINE"} and len(statistics._traffic) == 1


def test_money_under_way_is_current_while_the_rest_is_kept():
    oak, pine = City("OAK", 1), City("PINE", 2)
    connect(oak, pine)
    statistics = CityStatistics(max_age_s=3600)
    first = statistics(oak)
    oak.roads["PINE"].send(Merchant("bed", money_mills=5000))
    assert statistics(oak) == first | {"under_way": 5, "travelled": {"PINE": {"bed": 1}}}


def test_gini():
    assert gini([]) == gini([0, 0]) == 0
    assert gini([7, 7, 7, 7]) == pytest.approx(0)
    assert gini([0, 0, 0, 12]) == pytest.approx(0.75)
    assert gini([1, 2, 3, 4]) == pytest.approx(0.25)
