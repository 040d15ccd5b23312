"""A world over several processes: the same as in one, to the bit, and gone with whoever started it."""

import asyncio
import json
import math
import os
import signal
import socket
import subprocess
import time
from dataclasses import replace

import pytest
from deskonomy.economy.merchant import Merchant
from deskonomy_host.runtime import workers
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.runtime.lockstep import Lockstep, Neighbour
from deskonomy_host.runtime.workers import Workers, choose, divide, spread
from deskonomy_host.world import plan as world
from helpers.commands import PATIENCE_S
from helpers.purse import purse
from helpers.repository import REPO

NAMES = ("A", "B", "C", "D", "E")
ROADS = [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E"), ("E", "A"), ("A", "C"), ("B", "E")]  # a ring, and across it
YIELDS = ((700, "A", "wood", 250), (900, "E", "bed", 3000), (800, "C", "thread", 0), (600, "C", "thread", None))


def plan(order=NAMES, locals_=12):
    cities = [world.CityPlan(name, "green", locals_ + NAMES.index(name), seed=NAMES.index(name)) for name in order]
    return world.World(cities, ROADS, speed=math.inf, port=56000)


async def live(plan, processes):
    """The statuses of a world at the end, with yields changed on the way."""
    async with spread(plan, lambda line: None, processes) as cities:
        assert isinstance(cities, Cities if processes == 1 else Workers)
        for ticks, city, good, yield_mills in YIELDS:
            await cities.live(ticks)
            reply = cities.commands["influence"](city=city, good=good, yield_mills=yield_mills)
            reply = await reply if processes > 1 else reply
            assert reply["yield_mills"] == (1000 if yield_mills is None else yield_mills)
        await cities.live(500)
        return {status["city"]: status for status in cities.read()}


def comparable(statuses):
    """What does not depend on the machine."""
    return {
        name: {key: value for key, value in status.items() if key not in ("ticks_per_s", "address")}
        for name, status in statuses.items()
    }


@pytest.fixture(scope="module")
def alone():
    """The world in one process."""
    return asyncio.run(live(plan(), 1))


@pytest.mark.parametrize("processes, order", [(1, "EDCBA"), (2, "ABCDE"), (2, "CEBAD"), (3, "ABCDE"), (5, "DACEB")])
def test_one_result_whatever_the_processes_and_the_order(alone, processes, order):
    found = asyncio.run(live(plan(tuple(order)), processes))
    assert comparable(found) == comparable(alone)
    assert found["A"]["tick"] == 3500
    assert all(road["received"] for status in found.values() for road in status["roads"].values())


@pytest.mark.parametrize("processes", [1, 3])
def test_money_is_conserved(monkeypatch, processes):
    monkeypatch.setenv("PYTHONPATH", str(REPO / "tests"))

    async def totals():
        found = []
        async with spread(plan(locals_=4), lambda line: None, processes, {"purse": purse}) as cities:
            for ticks in (1, 300, 1000, 7):
                await cities.live(ticks)
                found.append(sum(status["purse"] for status in cities.read()))
        return found

    people = sum(4 + n + (4 + n) // 2 for n in range(5))
    assert asyncio.run(totals()) == [1_000_000 * people] * 4


def test_a_pause_and_another_pace():
    async def scene():
        async with Workers(plan(), lambda line: None, [["A", "B"], ["C", "D", "E"]]) as cities:
            await cities.set_pace(None, paused=True)
            living = asyncio.create_task(cities.live(2000))
            done, _ = await asyncio.wait([living], timeout=0.3)
            assert not done and all(status["tick"] == 0 for status in cities.read())
            await cities.set_pace(100)  # so that it has 20 s until its end
            await asyncio.sleep(0.2)
            await cities.set_pace(100, paused=True)
            ticks = {status["tick"] for status in cities.read()}
            assert len(ticks) == 1
            await cities.step(30)
            assert {status["tick"] for status in cities.read()} == {ticks.pop() + 30}
            await cities.set_pace(None)
            await living
            return {status["tick"] for status in cities.read()}

    assert asyncio.run(scene()) == {2000}


class Still:
    """A city that does nothing in its ticks."""

    def __init__(self):
        self.roads = {}

    def open_road(self, road):
        self.roads[road.name] = road

    def run(self, ticks):
        pass


def test_crowds_that_no_buffer_holds_cross_both_ways_and_nothing_is_lost():
    sides = []
    for end, name in zip(socket.socketpair(), ("A", "B"), strict=True):
        city, neighbour = Still(), Neighbour(end)
        neighbour.open_road(city, name)
        sides.append((city.roads[name], Lockstep([city], None, [neighbour])))
    prices = {"bed": {f"city {n}": n for n in range(3000)}}
    for number, (road, _) in enumerate(sides):
        for _ in range(100):
            road.send(Merchant("no good", 2**40 + number, 3, 2, prices))

    async def drive(lockstep):
        await lockstep.meet()
        await lockstep.run(2)

    async def both():
        await asyncio.gather(*(drive(lockstep) for _, lockstep in sides))

    asyncio.run(both())
    for number, (road, lockstep) in enumerate(sides):
        assert lockstep.ticks == 2
        assert (len(road.outbound), len(road.inbound), road.space()) == (0, 100, 0)
        merchant = road.take()
        assert merchant.money_mills == 2**40 + 1 - number and merchant.prices_mills == prices


@pytest.mark.parametrize(
    "locals_, count, shares",
    [
        ((20, 20, 20, 20, 20), 2, ["AB", "CDE"]),
        ((20, 20, 20, 20, 20), 3, ["AB", "C", "DE"]),
        ((20, 20), 8, ["A", "B"]),
        ((10_000, 20, 20, 20), 2, ["A", "BCD"]),
        ((0, 0, 0), 2, ["A", "BC"]),
    ],
)
def test_shares(locals_, count, shares):
    cities = [world.CityPlan(name, "green", number) for name, number in zip(NAMES, locals_, strict=False)]
    assert ["".join(share) for share in divide(replace(plan(), cities=cities), count)] == shares


@pytest.mark.parametrize(
    "cores, locals_, engine, speed, processes",
    [
        (2, 20, "plain", math.inf, 1),
        (2, 10_000, "numba", math.inf, 2),
        (8, 10_000, "numba", math.inf, 5),
        (1, 10_000, "numba", math.inf, 1),
        (2, 10_000, "numba", 20, 1),
        (2, 10_000, "numba", 1000, 2),
        (2, 200, "plain", math.inf, 2),
    ],
)
def test_as_many_processes_as_pay(monkeypatch, cores, locals_, engine, speed, processes):
    monkeypatch.setattr(workers, "_cores", lambda: cores)
    assert choose(replace(plan(locals_=locals_), engine=engine, speed=speed)) == processes


# As a user types it.


def workers_of(pid):
    """The processes that this one has started."""
    rows = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    found = [row.split(None, 2) for row in rows.splitlines()]
    return [int(row[0]) for row in found if int(row[1]) == pid and "deskonomy_host.runtime.worker" in row[2]]


def assert_gone(pids):
    """They end, if not at once."""
    deadline = time.monotonic() + PATIENCE_S
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.05)


def is_running(pid):
    row = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return row != "" and not row.startswith("Z")  # nobody may be there to bury it


def test_the_end_lines_are_the_same(deskonomy):
    found = []
    for processes in (1, 2):
        done = deskonomy(f"run A B C --ticks 900 --speed max --json --processes {processes}")
        assert done.returncode == 0
        lines = {status["city"]: status for status in map(json.loads, done.stdout.splitlines()[-3:])}
        assert list(lines) == ["A", "B", "C"]
        found.append(lines)
        assert done.stderr.count("listens on") == 3
    assert comparable(found[0]) == comparable(found[1])


def test_a_paced_run_on_display(deskonomy):
    done = deskonomy("run A B --duration 2 --speed 100 --processes 2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "B tick " in done.stdout and "B listens on" in done.stdout


def test_control_and_tcp_roads(start, deskonomy):
    one = start("run RIVERWOOD SEASIDE --json --speed 300 --processes 2")
    other = start("run PORTSVILLE --json --speed 300")
    address = other.next()["address"]
    one.next("SEASIDE")
    assert deskonomy("influence SEASIDE wood 0.25").stdout == "SEASIDE: one act of making wood gives 0.25\n"
    one.until(lambda status: status["yield"]["wood"] == 0.25, "SEASIDE")
    assert deskonomy(f"connect SEASIDE {address}").returncode == 0
    one.until(lambda status: status["roads"].get("PORTSVILLE", {"received": 0})["received"], "SEASIDE")
    done = deskonomy("influence SEASIDE gold 2")
    assert done.returncode == 2 and "gold" in done.stderr and done.stderr.count("\n") == 1
    assert one.end()[0] == other.end()[0] == 130


def test_ctrl_c_leaves_no_process(start):
    running = start("run A B C --json --speed max --processes 3")
    running.next("C")
    workers = workers_of(running.process.pid)
    assert len(workers) == 3
    status, out, err = running.end()
    assert (status, "Traceback" in err) == (130, False)
    ends = [json.loads(line) for line in out.splitlines()[-3:]]
    assert [end["city"] for end in ends] == ["A", "B", "C"] and len({end["tick"] for end in ends}) == 1
    assert_gone(workers)


def test_a_worker_that_is_killed_ends_the_run(start):
    running = start("run A B C --json --speed max --processes 3")
    running.next("C")
    workers = workers_of(running.process.pid)
    os.kill(workers[1], signal.SIGKILL)
    running.rest()
    status, _, err = running.end()
    assert status == 1
    assert err.splitlines()[-1] == "deskonomy: the process that runs B was killed by SIGKILL"
    assert len([line for line in err.splitlines() if "listens on" not in line]) == 1
    assert_gone(workers)


def test_workers_end_with_a_parent_that_is_killed(start):
    running = start("run A B --json --speed max --processes 2")
    running.next("B")
    workers = workers_of(running.process.pid)
    running.process.kill()
    _, _, err = running.end()
    assert_gone(workers)
    assert all("listens on" in line for line in err.splitlines())


def test_what_a_worker_cannot_do_is_one_line(deskonomy):
    done = deskonomy("run A B --processes 2 --listen 192.0.2.1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("deskonomy: A cannot listen on 192.0.2.1")
