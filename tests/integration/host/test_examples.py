"""The examples as a user runs them: each a program of its own, with running cities."""

import ast
import asyncio
import importlib.util
import re
import subprocess
import sys
import textwrap

import pytest
from deskonomy.events import ROAD_OPEN
from deskonomy_host.history.reader import History
from helpers.commands import PATIENCE_S
from helpers.repository import REPO

EXAMPLES = REPO / "host" / "examples"


@pytest.fixture
def example(environment):
    """A function that runs an example to its end: example("two_worlds.py A 127.0.0.1:1") returns a CompletedProcess."""

    def run(line):
        name, *arguments = line.split()
        return subprocess.run(
            [sys.executable, str(EXAMPLES / name), *arguments],
            env=environment,
            text=True,
            capture_output=True,
            timeout=2 * PATIENCE_S,
        )

    return run


def read_addresses(running, count):
    return [running.next()["address"] for _ in range(count)]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.stem)
def test_example_is_short_and_describes_its_use(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    description = ast.get_docstring(ast.parse(text))
    assert description
    if "__main__" in text:
        assert f"{path.name}" in description


@pytest.mark.parametrize("name", ["cheap_beds", "covered_light", "four_cities"])
def test_story_without_matplotlib_says_so_before_its_run(name, environment):
    program = (
        "import runpy, sys; sys.modules['matplotlib'] = None; "
        f"runpy.run_path({str(EXAMPLES / 'stories' / f'{name}.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=EXAMPLES, text=True, capture_output=True, timeout=20
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pictures need matplotlib, which is not installed; type: ")
    assert all(command in done.stderr for command in ("pip install '", "pipx install --force '", "uv pip install '"))


def test_program_of_library_document_sends_and_receives_merchants(start, environment):
    running = start("run RIVERWOOD --json --speed 300 --merchants 5")
    (address,) = read_addresses(running, 1)
    text = (REPO / "docs" / "library.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(from deskonomy_host import .*?)```", text, re.S)[1]
    assert "desktown.local:55555" in program
    program = program.replace("desktown.local:55555", address).replace("print(merchant)", "print(merchant, flush=True)")
    program = f"import asyncio\nasync def main():\n{textwrap.indent(program, '    ')}\nasyncio.run(main())"
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline().startswith("Merchant(good='")
        process.kill()
    running.until(lambda status: status["roads"]["JAVAVILLE"]["received"] >= 1)


def test_fox_and_rabbit_sells_furs(start, example):
    running = start(f"run {EXAMPLES / 'fox_and_rabbit.toml'} --json --speed 1000")
    (address,) = read_addresses(running, 1)
    done = example(f"fox_and_rabbit.py {address} --days 151")
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("day 0: 407 rabbits, 41 foxes, 0 furs sold")
    assert last.startswith("day 150: ")
    assert "0 furs sold" not in last.split(", ")
    status = running.until(lambda status: status["roads"].get("FOREST", {}).get("received", 0) > 0)
    assert status["price"]["fur"]["mean"] > 0
    assert status["merchants"]["fur"] > 0


def test_stock_market_follows_its_series(start, example):
    both = read_addresses(start("run RIVERWOOD SEASIDE --json --speed 1000"), 2)
    done = example(f"stock_market.py {' '.join(both)} --days-per-s 20")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("day 0: 40.33 coins, ")
    assert lines[-1].startswith("day 240: 51.43 coins, ")
    assert len({line.rpartition(" ")[2] for line in lines}) > 2  # beds were bought and sold


def test_two_worlds_carries_merchants_both_ways(start, example):
    west, east = start("run RIVERWOOD --json --speed 1000"), start("run PORTSVILLE --json --speed 1000")
    here, there = read_addresses(west, 1)[0], read_addresses(east, 1)[0]
    done = example(f"two_worlds.py RIVERWOOD {here} PORTSVILLE {there} --seconds 15")
    assert (done.returncode, done.stderr) == (0, "")
    assert "RIVERWOOD to PORTSVILLE" in done.stdout
    assert "PORTSVILLE to RIVERWOOD" in done.stdout
    # Each world sees the other as a neighbour.
    assert list(west.until(lambda status: status["roads"])["roads"]) == ["PORTSVILLE"]
    assert list(east.until(lambda status: status["roads"])["roads"]) == ["RIVERWOOD"]


def test_two_worlds_rejects_city_of_other_name(start, example):
    here = read_addresses(start("run RIVERWOOD --json"), 1)[0]
    there = read_addresses(start("run PORTSVILLE --json"), 1)[0]
    done = example(f"two_worlds.py SEASIDE {here} PORTSVILLE {there}")
    assert (done.returncode, done.stderr) == (1, "the city there is called RIVERWOOD, not SEASIDE\n")


def test_analysis_answers_each_question(tmp_path, deskonomy, example):
    file = tmp_path / "two.db"
    assert deskonomy(f"run RIVERWOOD SEASIDE --speed 2000 --ticks 3000 --json --history {file}").returncode == 0
    done = example(f"analysis.py {file}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "bed: RIVERWOOD and SEASIDE are " in done.stdout
    assert "SEASIDE: Gini 0." in done.stdout
    assert "all coins: " in done.stdout


def check_picture(path):
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 150_000


def test_pictures_of_stories_are_small():
    for name in ("cheap-beds", "four-cities", "covered-light"):
        check_picture(REPO / "docs" / "pictures" / f"{name}.png")


def compute_mean_price(history, city, good, tick):
    """Return the mean price in coins around a tick."""
    prices = history.prices(city, good)
    samples = [(abs(at - tick), price) for at, price in zip(prices.tick, prices.mean, strict=True)]
    near = [price for apart, price in samples if apart <= 350]
    near = near or [min(samples)[1]]  # on a machine that was too busy to sample
    return sum(near) / len(near)


def load_story(name):
    """Return a story as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / "stories" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cheap_beds_fall_when_road_opens(tmp_path):
    """Alone, SEASIDE has dear beds; with the road their price falls, and merchants gather there."""
    story = load_story("cheap_beds")
    story.record_history(tmp_path / "beds.db")
    with History(tmp_path / "beds.db") as history:
        alone = compute_mean_price(history, "SEASIDE", "bed", story.OPENS)
        assert alone > compute_mean_price(history, "RIVERWOOD", "bed", story.OPENS) + 15
        assert compute_mean_price(history, "SEASIDE", "bed", story.ENDS) < alone - 10
        # Beds of RIVERWOOD became cheaper all the time, until buyers from SEASIDE raised their price.
        assert (
            compute_mean_price(history, "RIVERWOOD", "bed", story.OPENS + 2500)
            > compute_mean_price(history, "RIVERWOOD", "bed", story.OPENS) + 2
        )
        assert history.prices("SEASIDE", "bed").merchants[-1] >= 16


def test_cheap_beds_draws_picture(tmp_path, example):
    done = example(f"stories/cheap_beds.py -o {tmp_path / 'beds.png'}")
    assert (done.returncode, done.stderr) == (0, "")
    check_picture(tmp_path / "beds.png")


def count_merchants(history, first_tick, last_tick):
    """Return how many merchants were in all cities of a history on average, between these ticks."""
    counts = []
    for city in history.cities:
        for prices in (history.prices(city, good) for good in history.goods):
            in_range = [
                count for at, count in zip(prices.tick, prices.merchants, strict=True) if first_tick <= at <= last_tick
            ]
            counts.append(sum(in_range) / len(in_range))
    return sum(counts)


def find_opening_tick(history, city, other):
    """Return the city's tick when its road to another city was first open."""
    opened = (ROAD_OPEN, city, other)
    time_s = next(event.time_s for event in history.events() if (event.type, event.city, event.road) == opened)
    return next(status["tick"] for status in history.at(time_s)[1] if status["city"] == city)


def test_four_cities_trade_after_joining(tmp_path, runtime):
    """After the two worlds are joined, beds fall in the east, and merchants gather in the west."""
    story = load_story("four_cities")
    west, east = story.record_histories(tmp_path, joined=4000, ends=15_000, speed=1000)
    with History(west) as west, History(east) as east:
        for city in ("PORTSVILLE", "WINTERHOLD"):
            joined, last = find_opening_tick(east, city, "RIVERWOOD"), east.prices(city, "bed").tick[-1]
            assert compute_mean_price(east, city, "bed", last) < compute_mean_price(east, city, "bed", joined) - 3
        joined = find_opening_tick(west, "RIVERWOOD", "PORTSVILLE")
        assert count_merchants(west, joined + 2000, 14_000) > 55  # of 80; each world had 40


def test_covered_light_changes_yield_and_price(tmp_path, micropython):
    """A hand on the board's sensor stops the gathering of wood, which becomes dear; a lamp makes it cheap."""
    story = load_story("covered_light")
    asyncio.run(
        story.record_history(
            tmp_path / "light.db", [(0.2, 400, "evening"), (0, 2500, "hand"), (0.8, 2000, "lamp")], 600
        )
    )
    with History(tmp_path / "light.db") as history:
        ticks = history.prices("DESKTOWN", "wood").tick
        levels = history.sensors("DESKTOWN")["light"][1]
        yields = history.prices("DESKTOWN", "wood").yields
        assert min(levels) < 0.01 and min(yields) < 0.02
        assert levels[-1] > 0.7 and yields[-1] > 1.4
        covered = (
            compute_mean_price(history, "DESKTOWN", "wood", 400),
            compute_mean_price(history, "DESKTOWN", "wood", 2900),
        )
        assert covered[0] * 1.08 < covered[1]
        assert compute_mean_price(history, "DESKTOWN", "wood", ticks[-1]) < covered[1] * 0.9
        assert [event.text for event in history.events() if event.category == "note"] == ["evening", "hand", "lamp"]
