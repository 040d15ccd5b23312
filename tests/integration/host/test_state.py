"""Saved cities: `--state DIR` continues them to the bit; no merchant is lost or doubled when processes are killed."""

import asyncio
import contextlib
import json
import random
import signal
import sqlite3
import time

import pytest
from core import scenarios
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.ledger import Ledger
from deskonomy.roads.local import LocalRoad
from deskonomy.storage.decode import decode_city
from deskonomy_host import logs
from deskonomy_host.errors import OperationError
from deskonomy_host.runtime import store
from deskonomy_host.runtime.store import Store
from deskonomy_host.world import plan as world
from helpers.formats import replace_format
from helpers.peers import wait_until
from helpers.ports import find_free_ports

KILLS = 6


@pytest.fixture
def lines():
    """The lines that the log gets."""
    found = []
    with logs.attach(logs.LineHandler(found.append)):
        yield found


def make_plan(*names, **fields):
    plan = world.plan_cities(names)
    return world.WorldPlan(plan.cities, plan.roads, **fields)


def build(saved, *names, **fields):
    """Build the cities of these names, or restore them, and let the store save them."""
    cities = world.build_cities(make_plan(*names, **fields), restore=saved.restore_city)
    saved.adopt_cities(cities)
    return cities


def read_last(stdout):
    """Return the last status of each city."""
    return {status["city"]: status for status in map(json.loads, stdout.splitlines())}


def drop_machine_fields(status):
    """Return a status without the fields that depend on the machine."""
    return {key: value for key, value in status.items() if key not in ("ticks_per_s", "gap_ms", "address")}


def test_saved_run_continues_to_the_bit(deskonomy, tmp_path):
    line = f"run RIVERWOOD SEASIDE --speed max --json --state {tmp_path}/new/saved --ticks"
    for ticks in ("300", "401", "299"):
        done = deskonomy(line, ticks)
        assert done.returncode == 0, done.stderr
    assert "RIVERWOOD goes on from tick 701" in done.stderr
    through = read_last(deskonomy("run RIVERWOOD SEASIDE --speed max --json --ticks 1000").stdout)
    for city, status in read_last(done.stdout).items():
        assert status["tick"] == 1000 and drop_machine_fields(status) == drop_machine_fields(through[city])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_cities(start, deskonomy, tmp_path, number):
    running = start(f"run RIVERWOOD --json --speed 200 --state {tmp_path}")
    running.until(lambda status: status["tick"] > 100)
    status, out, err = running.end(number)
    assert status == 130, err
    end = read_last(out)["RIVERWOOD"]
    assert end["roads"] == {}  # so no merchant had crossed a road, and only the end saved the city
    done = deskonomy(f"run RIVERWOOD --json --speed max --state {tmp_path} --ticks 1")
    assert read_last(done.stdout)["RIVERWOOD"]["tick"] == end["tick"] + 1


def test_directory_of_running_process_is_refused(start, deskonomy, tmp_path):
    running = start(f"run RIVERWOOD --json --state {tmp_path}")
    running.next()
    done = deskonomy(f"run RIVERWOOD --json --state {tmp_path}")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "another process runs" in done.stderr
    running.end(signal.SIGKILL)
    assert deskonomy(f"run RIVERWOOD --json --state {tmp_path} --ticks 1").returncode == 0


def test_several_processes_with_state_are_refused(deskonomy, tmp_path):
    done = deskonomy(f"run RIVERWOOD SEASIDE --state {tmp_path} --processes 2")
    assert done.returncode == 2 and "leave out --processes" in done.stderr


def spoil(path, damage):
    if damage == "text":
        path.write_text("my diary")
    elif damage == "foreign":
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE diary (day TEXT)")
            db.commit()
    else:
        with Store(path.parent) as saved:
            (city,) = build(saved, "RIVERWOOD")
            city.run(100)
            saved.save()
        with contextlib.closing(sqlite3.connect(path)) as db:
            data = bytearray(db.execute("SELECT data FROM cities").fetchone()[0])
            if damage == "damaged":
                data[len(data) // 2] ^= 1
            elif damage == "newer city":
                data = replace_format(bytes(data), b"deskonomy3 0.3.0")
            else:
                db.execute("PRAGMA user_version = 2")
            db.execute("UPDATE cities SET data = ?", (data,))
            db.commit()


@pytest.mark.parametrize(
    "damage, message",
    [
        ("text", "not a database"),
        ("foreign", "holds no cities"),
        ("damaged", "its checksum is wrong"),
        ("newer city", "the saved RIVERWOOD is of format 3, by deskonomy 0.3.0; deskonomy"),
        ("newer file", "is of version 2, by a later deskonomy; deskonomy"),
    ],
)
def test_unusable_file_is_reported_and_left_alone(deskonomy, tmp_path, damage, message):
    path = tmp_path / store.FILE
    spoil(path, damage)
    before = path.read_bytes()
    done = deskonomy(f"run RIVERWOOD --json --state {tmp_path} --ticks 1")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.glob("cities*")] == [store.FILE]


def test_plan_that_differs_from_saved_world_is_refused_or_reported(tmp_path, lines):
    with Store(tmp_path) as saved:
        build(saved, "RIVERWOOD", "SEASIDE")
        saved.save()
    with Store(tmp_path) as saved, pytest.raises(OperationError, match="also holds SEASIDE: run all of them"):
        build(saved, "RIVERWOOD")
    with (
        Store(tmp_path) as saved,
        pytest.raises(OperationError, match="is of a city with wood, chair, thread, bed, not wood"),
    ):
        build(saved, "RIVERWOOD", "SEASIDE", goods=world.GOODS[:2])
    with Store(tmp_path) as saved:
        other = make_plan("RIVERWOOD", "SEASIDE", "WINTERHOLD")
        other.cities[0].recipes = {"chair": {"wood": 1}}
        saved.adopt_cities(world.build_cities(other, restore=saved.restore_city))
        saved.save()
    assert "RIVERWOOD keeps the goods and recipes that it was saved with" in lines
    assert not [line for line in lines if line.startswith("SEASIDE keeps")]
    with Store(tmp_path) as saved:
        assert [city.name for city in build(saved, "RIVERWOOD", "SEASIDE", "WINTERHOLD")][2] == "WINTERHOLD"
    assert lines[-1] == "WINTERHOLD goes on from tick 0"


def test_merchants_on_road_that_plan_has_not_any_more_are_kept(tmp_path):
    with Store(tmp_path) as saved:
        cities = build(saved, "RIVERWOOD", "SEASIDE")
        there, back = cities[0].roads["SEASIDE"], cities[1].roads["RIVERWOOD"]
        for merchant in range(3):
            there.send(Merchant("chair", merchant))
        back.inbound.append(Merchant("bed", 7))
        money = scenarios.sum_money_mills(cities)
        saved.save()
    with Store(tmp_path) as saved:
        apart = make_plan("RIVERWOOD", "SEASIDE")
        apart.roads = []
        cities = world.build_cities(apart, restore=saved.restore_city)
        saved.adopt_cities(cities)
        assert [city.roads for city in cities] == [{}, {}]
        assert scenarios.sum_money_mills(cities) == money


def test_checkpoint_after_any_tick_has_every_merchant_once(tmp_path):
    """Restored after any tick, the sums are the same, with merchants on local roads as well."""
    with Store(tmp_path) as saved:
        cities = build(saved, "RIVERWOOD", "SEASIDE", "WINTERHOLD")
        money, units = scenarios.sum_money_mills(cities), scenarios.count_units(cities)
        digests = {}
        for tick in range(1, 400):
            for city in cities:
                city.run(1)
            if tick % 7 == 0:
                saved.save()
                copy = [decode_city(data) for _, data in saved._begin_checkpoint()[0]]
                assert scenarios.sum_money_mills(copy) == money and scenarios.count_units(copy) == units
        for _ in range(50):
            for city in cities:
                city.run(1)
        digests = [city.digest() for city in cities]
    with Store(tmp_path) as saved:
        cities = build(saved, "RIVERWOOD", "SEASIDE", "WINTERHOLD")
        assert cities[0].tick == 399 // 7 * 7 and all(
            isinstance(city.roads[city.local_roads[0].name], LocalRoad) for city in cities
        )
        for _ in range(399 - cities[0].tick + 50):
            for city in cities:
                city.run(1)
        assert [city.digest() for city in cities] == digests


def test_checkpoint_is_taken_when_merchant_has_crossed(tmp_path, lines):
    async def check():
        with Store(tmp_path) as saved:
            (city,) = build(saved, "RIVERWOOD")
            assert isinstance(city.ledger, Ledger) and not city.ledger.volatile
            road = city.ledger.ensure_road("ELSEWHERE", 100)
            city.open_road(road)
            checkpoints = asyncio.create_task(saved.run_checkpoints())
            road.send(Merchant("chair"))
            assert road.saved_sequence == 0
            await wait_until(lambda: road.saved_sequence == 1)
            # A full disk is reported once, and no merchant is committed.
            pages = saved._writer.submit(lambda: saved._db.execute("PRAGMA page_count").fetchone()[0]).result()
            saved._writer.submit(saved._db.execute, f"PRAGMA max_page_count = {pages}").result()
            for n in range(50):
                road.send(Merchant("chair", prices_mills={f"G{m}": {f"CITY{n}": 1 << 30 - m} for m in range(20)}))
            await wait_until(lambda: len(lines) == 1)
            assert "the cities cannot be saved: database or disk is full" in lines[0] and road.saved_sequence == 1
            with pytest.raises(OperationError, match="cannot be saved"):
                saved.save()
            saved._writer.submit(saved._db.execute, "PRAGMA max_page_count = 1000000").result()
            await wait_until(lambda: road.saved_sequence == 51)
            assert lines[1:] == ["the cities are saved again"]
            checkpoints.cancel()

    asyncio.run(check())
    with Store(tmp_path) as saved:
        (city,) = build(saved, "RIVERWOOD")
        assert len(city.roads["ELSEWHERE"].outbound) == 51


def test_checkpoint_is_taken_at_times_without_trade(tmp_path, monkeypatch):
    async def check():
        committed = []
        monkeypatch.setattr(store, "IDLE_S", 0)
        monkeypatch.setattr(Ledger, "commit_checkpoint", lambda ledger, mark: committed.append(mark))
        with Store(tmp_path) as saved:
            (city,) = build(saved, "RIVERWOOD")
            city.run(3)
            checkpoints = asyncio.create_task(saved.run_checkpoints())
            await wait_until(lambda: committed)
            checkpoints.cancel()

    asyncio.run(check())
    assert [city.tick for city in load_cities(tmp_path)] == [3]


def load_cities(*directories):
    """Return all saved cities, without the merchants in a ledger that have arrived in another of them."""
    cities = []
    for directory in directories:
        with contextlib.closing(sqlite3.connect(directory / store.FILE)) as db:
            cities += [decode_city(data) for _, data in db.execute("SELECT name, data FROM cities ORDER BY name")]
    by_name = {city.name: city for city in cities}
    for city in cities:
        for road in city.ledger.roads.values():
            arrivals = by_name[road.name].ledger.arrivals
            road.acknowledge(
                max(
                    [0, *(sequence for incarnation, sequence, *_ in arrivals if incarnation == city.ledger.incarnation)]
                )
            )
    return cities


def test_no_merchant_is_lost_or_doubled_when_processes_are_killed(start, tmp_path):
    """Two processes trade over TCP; one or both are killed again and again. At the end the sums are the same."""
    chance = random.Random(20)
    port = find_free_ports(1)[0]
    here, there = tmp_path / "here", tmp_path / "there"
    lines = {
        here: f"run RIVERWOOD SEASIDE --json --speed 400 --state {here} --port {port + 1} --connect 127.0.0.1:{port}",
        there: f"run WINTERHOLD --json --speed 400 --state {there} --port {port} --locals 30",
    }
    here_born = world.build_cities(make_plan("RIVERWOOD", "SEASIDE"))
    born = here_born + world.build_cities(world.override_plan(make_plan("WINTERHOLD"), locals_=30))
    money, units = scenarios.sum_money_mills(born), scenarios.count_units(born)
    running = {directory: start(line) for directory, line in lines.items()}
    arrived = 0

    def count_arrivals(status):
        """Return how many merchants have crossed and are saved there."""
        road = status["roads"].get("WINTERHOLD", {"sent": 0, "waiting": 0})
        return road["sent"] - road["waiting"]

    def trade():
        """Wait until more merchants have crossed from the city that dials."""
        nonlocal arrived
        arrived = count_arrivals(running[here].until(lambda status: count_arrivals(status) > arrived, "RIVERWOOD"))

    trade()
    for _ in range(KILLS):
        victims = chance.choice([[here], [there], [here, there]])
        time.sleep(chance.random())  # any moment
        for directory in victims:
            running[directory].end(signal.SIGKILL)
        if len(victims) == 2:  # what is on the disk adds up at any moment
            cities = load_cities(here, there)
            assert (scenarios.sum_money_mills(cities), scenarios.count_units(cities)) == (money, units)
        for directory in victims:
            running[directory] = start(lines[directory])
        arrived = 0 if here in victims else arrived
        trade()
    running[there].next()  # before that it may not handle Ctrl-C yet
    for directory in (here, there):
        status, _, err = running[directory].end()
        assert status == 130, err
    cities = load_cities(here, there)
    assert sum(road.received for city in cities for road in city.ledger.roads.values()) > 0
    assert (scenarios.sum_money_mills(cities), scenarios.count_units(cities)) == (money, units)
