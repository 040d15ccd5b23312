"""The tutorial's last picture: four cities in two processes, roads between all, and one that makes beds cheaply.

The same four run twice, once with RIVERWOOD's own recipe and once without; everywhere else beds must be cheaper in the
first. In so large cities the mean of one run varies by about 0.8 coins, and RIVERWOOD pulls it down by about 4.5.
"""

import signal
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean

WORLD = """
speed = 2000
[cities.{0}]
locals = 200
{1}
[cities.{2}]
locals = 200
{3}
"""
OTHERS = ("SEASIDE", "PORTSVILLE", "WINTERHOLD")
TICKS = 12_000


def price_of_beds(start, tmp_path, recipes):
    """{city: the mean price of a bed} when the second process has done TICKS ticks, and the roads of each city."""
    west, east = tmp_path / "west.toml", tmp_path / "east.toml"
    west.write_text(WORLD.format("RIVERWOOD", recipes, "SEASIDE", ""))
    one = start(f"run {west} --json")
    addresses = [one.next()["address"] for _ in range(2)]
    dial = f"connect = {addresses!r}"
    east.write_text(WORLD.format("PORTSVILLE", dial, "WINTERHOLD", dial))
    other = start(f"run {east} --ticks {TICKS} --seed 3 --json")
    with ThreadPoolExecutor(1) as pool:  # who is not read stands still
        of_one = pool.submit(one.rest)
        statuses = other.rest()
        one.process.send_signal(signal.SIGINT)
        statuses += of_one.result()
    prices = {status["city"]: status["price"]["bed"]["mean"] for status in statuses}
    return prices, {status["city"]: status["roads"] for status in statuses}


def test_cheap_beds_pull_the_others_down(start, tmp_path):
    cheap, roads = price_of_beds(start, tmp_path, "")
    dear, _ = price_of_beds(start, tmp_path, "recipes = { bed = { wood = 2, thread = 10 } }")
    for city, ends in roads.items():
        assert set(ends) == {"RIVERWOOD", *OTHERS} - {city}
        assert all(end["sent"] > 0 and end["received"] > 0 for end in ends.values()), ends
    assert fmean(cheap[city] for city in OTHERS) < fmean(dear[city] for city in OTHERS) - 1, (cheap, dear)
    assert cheap["RIVERWOOD"] < min(cheap[city] for city in OTHERS)
