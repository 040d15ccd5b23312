"""Saved cities: `--state DIR` goes on to the bit, and nobody is lost or doubled when processes are killed."""

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
from deskonomy.roads.local import Lane
from deskonomy.storage.decode import thaw
from deskonomy_host.errors import OperationError
from deskonomy_host.runtime import store as state
from deskonomy_host.runtime.store import State
from deskonomy_host.world import plan as world
from helpers.peers import until
from proofs.chaos.town import free_ports

KILLS = 6


def plan(*names, **more):
    return world.World(world.of_names(names).cities, world.of_names(names).roads, **more)


def build(saved, *names, **more):
    cities = world.build(plan(*names, **more), saved=saved.city)
    saved.adopt(cities)
    return cities


def last(stdout):
    """The last status of each city."""
    return {status["city"]: status for status in map(json.loads, stdout.splitlines())}


def bare(status):
    return {key: value for key, value in status.items() if key not in ("ticks_per_s", "address")}


def test_a_run_goes_on_to_the_bit(deskonomy, tmp_path):
    line = f"run RIVERWOOD SEASIDE --speed max --json --state {tmp_path}/new/saved --ticks"
    for ticks in ("300", "401", "299"):
        done = deskonomy(line, ticks)
        assert done.returncode == 0, done.stderr
    assert "RIVERWOOD goes on from tick 701" in done.stderr
    through = last(deskonomy("run RIVERWOOD SEASIDE --speed max --json --ticks 1000").stdout)
    for city, status in last(done.stdout).items():
        assert status["tick"] == 1000 and bare(status) == bare(through[city])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_a_last_time(start, deskonomy, tmp_path, how):
    running = start(f"run RIVERWOOD --json --speed 200 --state {tmp_path}")
    running.until(lambda status: status["tick"] > 100)
    status, out, err = running.end(how)
    assert status == 130, err
    end = last(out)["RIVERWOOD"]
    assert end["roads"] == {}  # so nothing had crossed a border
    done = deskonomy(f"run RIVERWOOD --json --speed max --state {tmp_path} --ticks 1")
    assert last(done.stdout)["RIVERWOOD"]["tick"] == end["tick"] + 1


def test_a_directory_is_one_process_s(start, deskonomy, tmp_path):
    running = start(f"run RIVERWOOD --json --state {tmp_path}")
    running.next()
    done = deskonomy(f"run RIVERWOOD --json --state {tmp_path}")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "another process runs" in done.stderr
    running.end(signal.SIGKILL)
    assert deskonomy(f"run RIVERWOOD --json --state {tmp_path} --ticks 1").returncode == 0


def test_several_processes_are_refused(deskonomy, tmp_path):
    done = deskonomy(f"run RIVERWOOD SEASIDE --state {tmp_path} --processes 2")
    assert done.returncode == 2 and "leave out --processes" in done.stderr


def spoil(path, how):
    if how == "text":
        path.write_text("my diary")
    elif how == "foreign":
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE diary (day TEXT)")
            db.commit()
    else:
        with State(path.parent) as saved:
            (city,) = build(saved, "RIVERWOOD")
            city.run(100)
            saved.save()
        with contextlib.closing(sqlite3.connect(path)) as db:
            data = bytearray(db.execute("SELECT data FROM cities").fetchone()[0])
            data[len(data) // 2] ^= 1
            db.execute("UPDATE cities SET data = ?", (data,))
            db.commit()


@pytest.mark.parametrize(
    "how, said", [("text", "not a database"), ("foreign", "holds no cities"), ("damaged", "its checksum is wrong")]
)
def test_what_cannot_be_used_is_said_in_one_line(deskonomy, tmp_path, how, said):
    path = tmp_path / state.FILE
    spoil(path, how)
    before = path.read_bytes()
    done = deskonomy(f"run RIVERWOOD --json --state {tmp_path} --ticks 1")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and said in done.stderr
    assert path.read_bytes() == before


def test_another_world_than_the_saved_one(tmp_path):
    lines = []
    with State(tmp_path) as saved:
        build(saved, "RIVERWOOD", "SEASIDE")
        saved.save()
    with State(tmp_path) as saved, pytest.raises(OperationError, match="also holds SEASIDE: run all of them"):
        build(saved, "RIVERWOOD")
    with (
        State(tmp_path) as saved,
        pytest.raises(OperationError, match="is of a city with wood, chair, thread, bed, not wood"),
    ):
        build(saved, "RIVERWOOD", "SEASIDE", goods=world.GOODS[:2])
    with State(tmp_path, lines.append) as saved:
        other = plan("RIVERWOOD", "SEASIDE", "WINTERHOLD")
        other.cities[0].recipes = {"chair": {"wood": 1}}
        saved.adopt(world.build(other, saved=saved.city))
        saved.save()
    assert "RIVERWOOD keeps the goods and recipes that it was saved with" in lines
    assert not [line for line in lines if line.startswith("SEASIDE keeps")]
    with State(tmp_path, lines.append) as saved:
        assert [city.name for city in build(saved, "RIVERWOOD", "SEASIDE", "WINTERHOLD")][2] == "WINTERHOLD"
    assert lines[-1] == "WINTERHOLD goes on from tick 0"


def test_a_road_that_is_no_more_loses_nobody(tmp_path):
    with State(tmp_path) as saved:
        cities = build(saved, "RIVERWOOD", "SEASIDE")
        there, back = cities[0].roads["SEASIDE"], cities[1].roads["RIVERWOOD"]
        for merchant in range(3):
            there.send(Merchant("chair", merchant))
        back.inbound.append(Merchant("bed", 7))
        money = scenarios.money_mills(cities)
        saved.save()
    with State(tmp_path) as saved:
        apart = plan("RIVERWOOD", "SEASIDE")
        apart.roads = []
        cities = world.build(apart, saved=saved.city)
        saved.adopt(cities)
        assert [city.roads for city in cities] == [{}, {}]
        assert scenarios.money_mills(cities) == money


def test_who_crosses_within_the_process_is_in_the_same_checkpoint(tmp_path):
    """Taken up after any tick, the sums are the same, whoever is on the road."""
    with State(tmp_path) as saved:
        cities = build(saved, "RIVERWOOD", "SEASIDE", "WINTERHOLD")
        money, units = scenarios.money_mills(cities), scenarios.units(cities)
        digests = {}
        for tick in range(1, 400):
            for city in cities:
                city.run(1)
            if tick % 7 == 0:
                saved.save()
                copy = [thaw(data) for _, data in saved._take()[0]]
                assert scenarios.money_mills(copy) == money and scenarios.units(copy) == units
        for _ in range(50):
            for city in cities:
                city.run(1)
        digests = [city.digest() for city in cities]
    with State(tmp_path) as saved:
        cities = build(saved, "RIVERWOOD", "SEASIDE", "WINTERHOLD")
        assert cities[0].tick == 399 // 7 * 7 and all(
            isinstance(city.roads[city.lanes[0].name], Lane) for city in cities
        )
        for _ in range(399 - cities[0].tick + 50):
            for city in cities:
                city.run(1)
        assert [city.digest() for city in cities] == digests


def test_checkpoints_are_taken_when_somebody_has_crossed(tmp_path):
    lines = []

    async def story():
        with State(tmp_path, lines.append) as saved:
            (city,) = build(saved, "RIVERWOOD")
            assert isinstance(city.ledger, Ledger) and not city.ledger.volatile
            road = city.ledger.road("ELSEWHERE", 100)
            city.open_road(road)
            # Ended below.
            keeping = asyncio.create_task(saved.keep())
            road.send(Merchant("chair"))
            assert road.saved == 0
            await until(lambda: road.saved == 1)
            # A full disk: that is said once, and nobody is let go.
            pages = saved._writer.submit(lambda: saved._db.execute("PRAGMA page_count").fetchone()[0]).result()
            saved._writer.submit(saved._db.execute, f"PRAGMA max_page_count = {pages}").result()
            for n in range(50):
                road.send(Merchant("chair", prices_mills={f"G{m}": {f"CITY{n}": 1 << 30 - m} for m in range(20)}))
            await until(lambda: len(lines) == 1)
            assert "the cities cannot be saved: database or disk is full" in lines[0] and road.saved == 1
            with pytest.raises(OperationError, match="cannot be saved"):
                saved.save()
            saved._writer.submit(saved._db.execute, "PRAGMA max_page_count = 1000000").result()
            await until(lambda: road.saved == 51)
            assert lines[1:] == ["the cities are saved again"]
            keeping.cancel()

    asyncio.run(story())
    with State(tmp_path, lines.append) as saved:
        (city,) = build(saved, "RIVERWOOD")
        assert len(city.roads["ELSEWHERE"].outbound) == 51


def settled(*directories):
    """All saved cities; of those who are still in a ledger but have arrived, only the one who has."""
    cities = []
    for directory in directories:
        with contextlib.closing(sqlite3.connect(directory / state.FILE)) as db:
            cities += [thaw(data) for _, data in db.execute("SELECT name, data FROM cities ORDER BY name")]
    by_name = {city.name: city for city in cities}
    for city in cities:
        for road in city.ledger.roads.values():
            arrivals = by_name[road.name].ledger.arrivals
            road.acknowledge(max([0, *(n for who, n, _ in arrivals if who == city.ledger.incarnation)]))
    return cities


def test_killed_at_any_moment_nobody_is_lost_or_doubled(start, tmp_path):
    """Two processes trade by TCP; one or both are killed again and again. All money and goods are there at the end."""
    chance = random.Random(20)
    port = free_ports(1)[0]
    here, there = tmp_path / "here", tmp_path / "there"
    lines = {
        here: f"run RIVERWOOD SEASIDE --json --speed 400 --state {here} --port {port + 1} --connect 127.0.0.1:{port}",
        there: f"run WINTERHOLD --json --speed 400 --state {there} --port {port} --locals 30",
    }
    born = world.build(plan("RIVERWOOD", "SEASIDE")) + world.build(world.with_words(plan("WINTERHOLD"), locals_=30))
    money, units = scenarios.money_mills(born), scenarios.units(born)
    running = {directory: start(line) for directory, line in lines.items()}
    arrived = 0

    def arrivals(status):
        """How many have gone over and are saved there."""
        road = status["roads"].get("WINTERHOLD", {"sent": 0, "waiting": 0})
        return road["sent"] - road["waiting"]

    def trade():
        """Wait until more have come over from the city that dials."""
        nonlocal arrived
        arrived = arrivals(running[here].until(lambda status: arrivals(status) > arrived, "RIVERWOOD"))

    trade()
    for _ in range(KILLS):
        victims = chance.choice([[here], [there], [here, there]])
        time.sleep(chance.random())  # any moment
        for directory in victims:
            running[directory].end(signal.SIGKILL)
        if len(victims) == 2:  # what is on the disk adds up at any time
            cities = settled(here, there)
            assert (scenarios.money_mills(cities), scenarios.units(cities)) == (money, units)
        for directory in victims:
            running[directory] = start(lines[directory])
        arrived = 0 if here in victims else arrived
        trade()
    running[there].next()  # before that it may not hear Ctrl-C yet
    for directory in (here, there):
        status, _, err = running[directory].end()
        assert status == 130, err
    cities = settled(here, there)
    assert sum(road.received for city in cities for road in city.ledger.roads.values()) > 0
    assert (scenarios.money_mills(cities), scenarios.units(cities)) == (money, units)
