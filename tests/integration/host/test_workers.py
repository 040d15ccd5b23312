"""A world in several processes: the same as in one, to the bit; the processes end with the one that started them."""

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
from deskonomy_host.runtime.workers import Workers, choose_process_count, divide_cities, spread_cities
from deskonomy_host.world import plan as world
from helpers.commands import PATIENCE_S
from helpers.ports import find_free_ports
from helpers.purse import make_purse
from helpers.repository import REPO

NAMES = ("A", "B", "C", "D", "E")
ROADS = [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E"), ("E", "A"), ("A", "C"), ("B", "E")]  # a ring and more
YIELDS = ((700, "A", "wood", 250), (900, "E", "bed", 3000), (800, "C", "thread", 0), (600, "C", "thread", None))


def make_plan(order=NAMES, locals_=12):
    cities = [world.CityPlan(name, "green", locals_ + NAMES.index(name), seed=NAMES.index(name)) for name in order]
    return world.WorldPlan(cities, ROADS, speed=math.inf, port=find_free_ports(1)[0])


async def run_world(plan, processes):
    """Return the statuses of a world at the end; yields are changed on the way."""
    async with spread_cities(plan, processes) as cities:
        assert isinstance(cities, Cities if processes == 1 else Workers)
        for ticks, city, good, yield_mills in YIELDS:
            await cities.run(ticks)
            reply = cities.commands["influence"](city=city, good=good, yield_mills=yield_mills)
            reply = await reply if processes > 1 else reply
            assert reply["yield_mills"] == (1000 if yield_mills is None else yield_mills)
        await cities.run(500)
        return {status["city"]: status for status in cities.read_statuses()}


def drop_machine_fields(statuses):
    """Return statuses by city without the fields that depend on the machine."""
    return {
        name: {key: value for key, value in status.items() if key not in ("ticks_per_s", "gap_ms", "address")}
        for name, status in statuses.items()
    }


@pytest.fixture(scope="module")
def single_process_statuses():
    """The statuses of the world in one process."""
    return asyncio.run(run_world(make_plan(), 1))


@pytest.mark.parametrize("processes, order", [(1, "EDCBA"), (2, "ABCDE"), (2, "CEBAD"), (3, "ABCDE"), (5, "DACEB")])
def test_result_is_the_same_for_any_processes_and_order(single_process_statuses, processes, order):
    found = asyncio.run(run_world(make_plan(tuple(order)), processes))
    assert drop_machine_fields(found) == drop_machine_fields(single_process_statuses)
    assert found["A"]["tick"] == 3500
    assert all(road["received"] for status in found.values() for road in status["roads"].values())


@pytest.mark.parametrize("processes", [1, 3])
def test_money_is_conserved_in_any_number_of_processes(monkeypatch, processes):
    monkeypatch.setenv("PYTHONPATH", str(REPO / "tests"))

    async def sum_money():
        found = []
        async with spread_cities(make_plan(locals_=4), processes, {"purse": make_purse}) as cities:
            for ticks in (1, 300, 1000, 7):
                await cities.run(ticks)
                found.append(sum(status["purse"] for status in cities.read_statuses()))
        return found

    residents = sum(4 + n + (4 + n) // 2 for n in range(5))
    assert asyncio.run(sum_money()) == [1_000_000 * residents] * 4


def test_cities_pause_step_and_change_pace_at_same_tick():
    async def check():
        async with Workers(make_plan(), [["A", "B"], ["C", "D", "E"]]) as cities:
            await cities.set_pace(None, paused=True)
            running = asyncio.create_task(cities.run(2000))
            done, _ = await asyncio.wait([running], timeout=0.3)
            assert not done and all(status["tick"] == 0 for status in cities.read_statuses())
            await cities.set_pace(100)  # so that it has 20 s until its end
            await asyncio.sleep(0.2)
            await cities.set_pace(100, paused=True)
            ticks = {status["tick"] for status in cities.read_statuses()}
            assert len(ticks) == 1
            await cities.step(30)
            assert {status["tick"] for status in cities.read_statuses()} == {ticks.pop() + 30}
            await cities.set_pace(None)
            await running
            return {status["tick"] for status in cities.read_statuses()}

    assert asyncio.run(check()) == {2000}


class StillCity:
    """A city without residents, as Lockstep needs it."""

    def __init__(self):
        self.roads = {}

    def open_road(self, road):
        self.roads[road.name] = road

    def run(self, ticks):
        pass


def test_more_merchants_than_socket_buffers_hold_cross_both_ways():
    sides = []
    for end, name in zip(socket.socketpair(), ("A", "B"), strict=True):
        city, neighbour = StillCity(), Neighbour(end)
        neighbour.open_road(city, name)
        sides.append((city.roads[name], Lockstep([city], None, [neighbour])))
    prices = {"bed": {f"city {n}": n for n in range(3000)}}
    for number, (road, _) in enumerate(sides):
        for _ in range(100):
            road.send(Merchant("no good", 2**40 + number, 3, 2, prices))

    async def drive(lockstep):
        await lockstep.exchange()
        await lockstep.run(2)

    async def both():
        await asyncio.gather(*(drive(lockstep) for _, lockstep in sides))

    asyncio.run(both())
    for number, (road, lockstep) in enumerate(sides):
        assert lockstep.ticks == 2
        assert (len(road.outbound), len(road.inbound), road.credit()) == (0, 100, 0)
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
def test_cities_are_divided_by_residents(locals_, count, shares):
    cities = [world.CityPlan(name, "green", number) for name, number in zip(NAMES, locals_, strict=False)]
    assert ["".join(share) for share in divide_cities(replace(make_plan(), cities=cities), count)] == shares


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
def test_process_count_follows_work_per_tick(monkeypatch, cores, locals_, engine, speed, processes):
    monkeypatch.setattr(workers, "_count_cores", lambda: cores)
    assert choose_process_count(replace(make_plan(locals_=locals_), engine=engine, speed=speed)) == processes


# As a user types it.


def find_workers(pid):
    """Return the worker processes that this one has started."""
    rows = subprocess.run(["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    found = [row.split(None, 2) for row in rows.splitlines()]
    return [int(row[0]) for row in found if int(row[1]) == pid and "deskonomy_host.runtime.worker" in row[2]]


def wait_until_gone(pids):
    """Wait until these processes have ended."""
    deadline = time.monotonic() + PATIENCE_S
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.05)


def is_running(pid):
    row = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return row != "" and not row.startswith("Z")  # a zombie has ended, too


def test_last_lines_are_the_same_in_two_processes(deskonomy):
    found = []
    for processes in (1, 2):
        done = deskonomy(f"run A B C --ticks 900 --speed max --json --processes {processes}")
        assert done.returncode == 0
        lines = {status["city"]: status for status in map(json.loads, done.stdout.splitlines()[-3:])}
        assert list(lines) == ["A", "B", "C"]
        found.append(lines)
        assert done.stderr.count("listens on") == 3
    assert drop_machine_fields(found[0]) == drop_machine_fields(found[1])


def test_paced_run_is_displayed(deskonomy):
    done = deskonomy("run A B --duration 2 --speed 100 --processes 2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "B tick " in done.stdout and "B listens on" in done.stdout


def test_commands_and_wire_roads_reach_cities_of_workers(start, deskonomy):
    workers_run = start("run RIVERWOOD SEASIDE --json --speed 300 --processes 2")
    other = start("run PORTSVILLE --json --speed 300")
    address = other.next()["address"]
    workers_run.next("SEASIDE")
    assert deskonomy("influence SEASIDE wood 0.25").stdout == "SEASIDE: one act of making wood gives 0.25\n"
    workers_run.until(lambda status: status["yield"]["wood"] == 0.25, "SEASIDE")
    assert deskonomy(f"connect SEASIDE {address}").returncode == 0
    workers_run.until(lambda status: status["roads"].get("PORTSVILLE", {"received": 0})["received"], "SEASIDE")
    done = deskonomy("influence SEASIDE gold 2")
    assert done.returncode == 2 and "gold" in done.stderr and done.stderr.count("\n") == 1
    assert workers_run.end()[0] == other.end()[0] == 130


def test_ctrl_c_leaves_no_process(start):
    running = start("run A B C --json --speed max --processes 3")
    running.next("C")
    workers = find_workers(running.process.pid)
    assert len(workers) == 3
    status, out, err = running.end()
    assert (status, "Traceback" in err) == (130, False)
    ends = [json.loads(line) for line in out.splitlines()[-3:]]
    assert [end["city"] for end in ends] == ["A", "B", "C"] and len({end["tick"] for end in ends}) == 1
    wait_until_gone(workers)


def test_killed_worker_ends_the_run(start):
    running = start("run A B C --json --speed max --processes 3")
    running.next("C")
    workers = find_workers(running.process.pid)
    os.kill(workers[1], signal.SIGKILL)
    running.rest()
    status, _, err = running.end()
    assert status == 1
    assert err.splitlines()[-1] == "deskonomy: the process that runs B was killed by SIGKILL"
    assert len([line for line in err.splitlines() if "listens on" not in line]) == 1
    wait_until_gone(workers)


def test_workers_end_with_killed_parent(start):
    running = start("run A B --json --speed max --processes 2")
    running.next("B")
    workers = find_workers(running.process.pid)
    running.process.kill()
    _, _, err = running.end()
    wait_until_gone(workers)
    assert all("listens on" in line for line in err.splitlines())


def test_failure_of_worker_is_one_line(deskonomy):
    done = deskonomy("run A B --processes 2 --listen 192.0.2.1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("deskonomy: A cannot listen on 192.0.2.1")
