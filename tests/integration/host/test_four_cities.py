"""The tutorial's last picture: four cities in two processes, roads between all, one city that makes beds cheaply.

The same four run twice, with RIVERWOOD's own recipe and without it; beds must be cheaper everywhere else in the first
run. In cities of this size the mean of one run varies by about 0.8 coins, and RIVERWOOD lowers it by about 4.5.
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


def run_four_cities(start, tmp_path, recipes):
    """Return {city: mean price of a bed} after TICKS ticks of the second process, and {city: its roads}."""
    west, east = tmp_path / "west.toml", tmp_path / "east.toml"
    west.write_text(WORLD.format("RIVERWOOD", recipes, "SEASIDE", ""))
    first = start(f"run {west} --json")
    addresses = [first.next()["address"] for _ in range(2)]
    dial = f"connect = {addresses!r}"
    east.write_text(WORLD.format("PORTSVILLE", dial, "WINTERHOLD", dial))
    second = start(f"run {east} --ticks {TICKS} --seed 3 --json")
    with ThreadPoolExecutor(1) as pool:  # a process whose output is not read stops
        first_statuses = pool.submit(first.rest)
        statuses = second.rest()
        first.process.send_signal(signal.SIGINT)
        statuses += first_statuses.result()
    prices = {status["city"]: status["price"]["bed"]["mean"] for status in statuses}
    return prices, {status["city"]: status["roads"] for status in statuses}


def test_cheap_beds_lower_price_in_other_cities(start, tmp_path):
    cheap, roads = run_four_cities(start, tmp_path, "")
    dear, _ = run_four_cities(start, tmp_path, "recipes = { bed = { wood = 2, thread = 10 } }")
    for city, ends in roads.items():
        assert set(ends) == {"RIVERWOOD", *OTHERS} - {city}
        assert all(end["sent"] > 0 and end["received"] > 0 for end in ends.values()), ends
    assert fmean(cheap[city] for city in OTHERS) < fmean(dear[city] for city in OTHERS) - 1, (cheap, dear)
    assert cheap["RIVERWOOD"] < min(cheap[city] for city in OTHERS)
