"""The examples as a user runs them: each a program of its own, against cities that run."""

import ast
import asyncio
import subprocess
import sys

import pytest
from deskonomy_host.history.reader import History
from helpers.commands import PATIENCE_S
from helpers.repository import REPO

EXAMPLES = REPO / "host" / "examples"


@pytest.fixture
def example(environment):
    """Run an example and wait for its end: example("two_worlds.py A 127.0.0.1:1") -> CompletedProcess."""

    def run(line):
        name, *words = line.split()
        return subprocess.run(
            [sys.executable, str(EXAMPLES / name), *words],
            env=environment,
            text=True,
            capture_output=True,
            timeout=2 * PATIENCE_S,
        )

    return run


def addresses(running, count):
    return [running.next()["address"] for _ in range(count)]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_says_how_to_run_it(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    described = ast.get_docstring(ast.parse(text))
    assert described
    if "__main__" in text:
        assert f"{path.name}" in described


def test_merchant_school(start, example):
    (address,) = addresses(start("run RIVERWOOD --json --speed 300 --merchants 0"), 1)
    done = example(f"merchant_school.py {address} --count 5 --wait 1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Connected to RIVERWOOD\n5 merchants have arrived in RIVERWOOD\n")
    assert done.stdout.rstrip().endswith("came back")


def test_fox_and_rabbit(start, example):
    running = start(f"run {EXAMPLES / 'fox_and_rabbit.toml'} --json --speed 1000")
    (address,) = addresses(running, 1)
    done = example(f"fox_and_rabbit.py {address} --days 151")
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("day 0: 407 rabbits, 41 foxes, 0 furs sold")
    assert last.startswith("day 150: ")
    assert "0 furs sold" not in last.split(", ")
    status = running.until(lambda status: status["roads"].get("FOREST", {}).get("received", 0) > 0)
    assert status["price"]["fur"]["mean"] > 0
    assert status["merchants"]["fur"] > 0


def test_stock_market(start, example):
    both = addresses(start("run RIVERWOOD SEASIDE --json --speed 1000"), 2)
    done = example(f"stock_market.py {' '.join(both)} --days-per-s 20")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("day 0: 40.33 coins, ")
    assert lines[-1].startswith("day 240: 51.43 coins, ")
    assert len({line.rpartition(" ")[2] for line in lines}) > 2  # beds were bought and sold


def test_two_worlds(start, example):
    west, east = start("run RIVERWOOD --json --speed 1000"), start("run PORTSVILLE --json --speed 1000")
    here, there = addresses(west, 1)[0], addresses(east, 1)[0]
    done = example(f"two_worlds.py RIVERWOOD {here} PORTSVILLE {there} --seconds 15")
    assert (done.returncode, done.stderr) == (0, "")
    assert "RIVERWOOD to PORTSVILLE" in done.stdout
    assert "PORTSVILLE to RIVERWOOD" in done.stdout
    # Each world sees the other as if it stood at its door.
    assert list(west.until(lambda status: status["roads"])["roads"]) == ["PORTSVILLE"]
    assert list(east.until(lambda status: status["roads"])["roads"]) == ["RIVERWOOD"]


def test_a_ferry_to_the_wrong_city(start, example):
    here = addresses(start("run RIVERWOOD --json"), 1)[0]
    there = addresses(start("run PORTSVILLE --json"), 1)[0]
    done = example(f"two_worlds.py SEASIDE {here} PORTSVILLE {there}")
    assert (done.returncode, done.stderr) == (1, "the city there is called RIVERWOOD, not SEASIDE\n")


def test_analysis(tmp_path, deskonomy, example):
    file = tmp_path / "two.db"
    assert deskonomy(f"run RIVERWOOD SEASIDE --speed 2000 --ticks 3000 --json --history {file}").returncode == 0
    done = example(f"analysis.py {file}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "bed: RIVERWOOD and SEASIDE are " in done.stdout
    assert "SEASIDE: Gini 0." in done.stdout
    assert "all coins: " in done.stdout


def picture(path):
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 150_000


def test_the_pictures_are_there_and_small():
    for name in ("cheap-beds", "four-cities", "covered-light"):
        picture(REPO / "docs" / "pictures" / f"{name}.png")


def mean(history, city, good, tick):
    """The mean price around a tick."""
    prices = history.prices(city, good)
    told = [(abs(at - tick), price) for at, price in zip(prices.tick, prices.mean, strict=True)]
    near = [price for apart, price in told if apart <= 350]
    near = near or [min(told)[1]]  # on a machine that stood still meanwhile
    return sum(near) / len(near)


def load(name):
    """A story as a module."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, EXAMPLES / "stories" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cheap_beds(tmp_path):
    """Alone, SEASIDE's beds stay dear; with the road their price falls, and merchants gather there."""
    story = load("cheap_beds")
    story.tell(tmp_path / "beds.db")
    with History(tmp_path / "beds.db") as history:
        alone = mean(history, "SEASIDE", "bed", story.OPENS)
        assert alone > mean(history, "RIVERWOOD", "bed", story.OPENS) + 15
        assert mean(history, "SEASIDE", "bed", story.ENDS) < alone - 10
        # RIVERWOOD's beds were getting cheaper all the time; buyers from elsewhere raised their price.
        assert (
            mean(history, "RIVERWOOD", "bed", story.OPENS + 2500) > mean(history, "RIVERWOOD", "bed", story.OPENS) + 2
        )
        assert history.prices("SEASIDE", "bed").merchants[-1] >= 16


def test_cheap_beds_is_one_command(tmp_path, example):
    done = example(f"stories/cheap_beds.py -o {tmp_path / 'beds.png'}")
    assert (done.returncode, done.stderr) == (0, "")
    picture(tmp_path / "beds.png")


def merchants_in(history, since, until):
    """How many merchants were in all cities of a history on average, between these ticks."""
    counts = []
    for city in history.cities:
        for prices in (history.prices(city, good) for good in history.goods):
            there = [count for at, count in zip(prices.tick, prices.merchants, strict=True) if since <= at <= until]
            counts.append(sum(there) / len(there))
    return sum(counts)


def opened(history, city, other):
    """The city's tick when its road to another was first seen open."""
    text = f"{city}: the road to {other} is open"
    time_s = next(event.time_s for event in history.events() if event.text == text)
    return next(status["tick"] for status in history.at(time_s)[1] if status["city"] == city)


def test_four_cities(tmp_path, runtime):
    """After the two worlds are joined, beds fall in the east, and merchants gather in the west."""
    story = load("four_cities")
    west, east = story.tell(tmp_path, joined=4000, ends=15_000, speed=1000)
    with History(west) as west, History(east) as east:
        for city in ("PORTSVILLE", "WINTERHOLD"):
            joined, last = opened(east, city, "RIVERWOOD"), east.prices(city, "bed").tick[-1]
            assert mean(east, city, "bed", last) < mean(east, city, "bed", joined) - 3
        joined = opened(west, "RIVERWOOD", "PORTSVILLE")
        assert merchants_in(west, joined + 2000, 14_000) > 55  # of 80; each world had 40


def test_covered_light(tmp_path, micropython):
    """A hand on the board's sensor stops the gathering of wood, which gets dearer; a lamp makes it cheap."""
    story = load("covered_light")
    asyncio.run(story.tell(tmp_path / "light.db", [(0.2, 400, "evening"), (0, 2500, "hand"), (0.8, 2000, "lamp")], 600))
    with History(tmp_path / "light.db") as history:
        ticks = history.prices("DESKTOWN", "wood").tick
        levels = history.sensors("DESKTOWN")["light"][1]
        yields = history.prices("DESKTOWN", "wood").yields
        assert min(levels) < 0.01 and min(yields) < 0.02
        assert levels[-1] > 0.7 and yields[-1] > 1.4
        covered = mean(history, "DESKTOWN", "wood", 400), mean(history, "DESKTOWN", "wood", 2900)
        assert covered[0] * 1.08 < covered[1]
        assert mean(history, "DESKTOWN", "wood", ticks[-1]) < covered[1] * 0.9
        assert [event.text for event in history.events() if event.kind == "note"] == ["evening", "hand", "lamp"]
