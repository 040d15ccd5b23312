"""`deskonomy run` as a user types it: its status lines, its end, and equal results for equal seeds."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from dataclasses import replace

import pytest
from deskonomy.version import SOFTWARE, WIRE
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.world.engines import list_engines
from deskonomy_host.world.plan import plan_cities
from helpers.commands import COMMAND, PATIENCE_S
from helpers.ports import find_free_ports

GOODS = ["wood", "chair", "thread", "bed"]
NUMBER = (int, float)


def check_status(status):
    """Assert that a status line has every field that programs read, each with its type."""
    assert type(status["city"]) is str
    for field in ("tick", "seed", "locals"):
        assert type(status[field]) is int
    assert status["version"] == {"software": SOFTWARE, "wire": WIRE}
    assert len(status["digest"]) == 16 and int(status["digest"], 16) >= 0
    for field in ("price", "owned", "yield", "merchants"):
        assert list(status[field]) == GOODS
    for good in GOODS:
        band = status["price"][good]
        assert list(band) == ["min", "mean", "max"] and 0 <= band["min"] <= band["mean"] <= band["max"]
        assert isinstance(status["owned"][good], NUMBER) and isinstance(status["yield"][good], NUMBER)
        assert type(status["merchants"][good]) is int
    assert list(status["money"]) == ["locals", "merchants", "ledger", "waiting_to_enter", "total"]
    assert all(isinstance(amount, NUMBER) for amount in status["money"].values())
    assert status["sensors"] == {} and "heap" not in status
    for road in status["roads"].values():
        assert road["state"] in ("up", "down") and road["kind"] in ("in-process", "ours", "legacy")
        assert all(type(road[count]) is int for count in ("sent", "received", "waiting", "lost"))
    assert isinstance(status["ticks_per_s"], NUMBER)
    host, port = status["address"].split(":")
    assert host == "127.0.0.1" and int(port) >= 55555


def read_last(stdout, city):
    """Return the last status of a city."""
    return [status for status in map(json.loads, stdout.splitlines()) if status["city"] == city][-1]


def test_hundred_cities_leave_a_port_to_the_next_run():
    async def scenario():
        many = replace(plan_cities([f"CITY {number}" for number in range(101)]), roads=[])
        many.cities = [replace(city, locals_=0) for city in many.cities]
        async with Cities(many) as cities, Cities(plan_cities(["RIVERWOOD"])) as others:
            ports = [cities.networks[name].port for name in cities.names]
            assert ports == sorted(set(ports))
            assert others.networks["RIVERWOOD"].port > ports[0]

    asyncio.run(scenario())


def test_hundred_cities_of_two_processes_have_different_ports(deskonomy):
    names = " ".join(f"C{number}" for number in range(101))
    done = deskonomy(f"run {names} --json --ticks 1 --locals 0 --processes 2")
    assert done.returncode == 0
    assert len({json.loads(line)["address"] for line in done.stdout.splitlines()}) == 101


def test_json_lines_have_all_fields(deskonomy):
    done = deskonomy("run RIVERWOOD SEASIDE --duration 2.5 --json --speed 100")
    assert done.returncode == 0
    statuses = [json.loads(line) for line in done.stdout.splitlines()]
    for status in statuses:
        check_status(status)
    times = len(statuses) // 2  # at 0, 1, 2 s and the end; fewer on a machine that stood still meanwhile
    assert 2 <= times <= 4
    assert [status["city"] for status in statuses] == ["RIVERWOOD", "SEASIDE"] * times
    assert statuses[-1]["roads"].keys() == {"RIVERWOOD"}
    assert 0 < statuses[-1]["ticks_per_s"] < 300  # it may catch up the ticks of a second
    assert "listens on" in done.stderr and "{" not in done.stderr


def test_same_seed_gives_same_digest(deskonomy):
    line = "run RIVERWOOD SEASIDE --ticks 700 --speed max --json --seed"
    once, again, other = (deskonomy(line, seed).stdout for seed in ("7", "7", "8"))
    for city, seed in (("RIVERWOOD", 7), ("SEASIDE", 8)):
        assert read_last(once, city)["tick"] == 700 and read_last(once, city)["seed"] == seed
        assert read_last(once, city)["digest"] == read_last(again, city)["digest"] != read_last(other, city)["digest"]
        assert read_last(once, city)["roads"] == read_last(again, city)["roads"]


def test_digest_is_that_of_the_core(deskonomy):
    from deskonomy.economy.city import City

    done = deskonomy("run RIVERWOOD --ticks 300 --speed max --json --seed 5 --locals 8 --merchants 3")
    city = City("RIVERWOOD", 5, 8, 3)
    city.run(300)
    assert read_last(done.stdout, "RIVERWOOD")["digest"] == city.digest()


def test_stdout_that_is_no_terminal_gets_plain_lines(deskonomy):
    done = deskonomy("run A B --ticks 20 --speed max")
    assert done.returncode == 0 and done.stderr == ""
    assert "A tick 20: wood " in done.stdout and "10 merchants, B up 0 out 0 in\n" in done.stdout
    assert "\x1b" not in done.stdout


def test_letter_that_encoding_lacks_is_replaced(deskonomy, environment):
    environment["PYTHONIOENCODING"] = "ascii"
    done = deskonomy("run Århus --ticks 1 --speed max")
    assert (done.returncode, done.stderr) == (0, "") and "?rhus tick 1" in done.stdout


def test_city_takes_next_port_if_first_is_taken(deskonomy):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = deskonomy(f"run A --ticks 1 --speed max --json --port {port}")
    assert done.returncode == 0
    assert port < int(read_last(done.stdout, "A")["address"].split(":")[1]) < port + 100


@pytest.mark.parametrize("address", ["192.0.2.1", "nowhere.invalid", "not an address"])
def test_address_of_other_machine_is_an_error(deskonomy, address):
    done = deskonomy("run A --listen", address)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"deskonomy: A cannot listen on {address}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_run_and_leaves_no_entry_and_no_port(start, environment, number):
    [port] = find_free_ports(1)  # 55555 may be used by another test
    running = start(f"run RIVERWOOD SEASIDE --json --port {port}")
    assert running.next()["address"] == f"127.0.0.1:{port}"
    status, out, err = running.end(number)
    assert (status, "Traceback" in err) == (130, False)
    assert json.loads(out.splitlines()[-1])["city"] == "SEASIDE"  # there are status lines at the end, too
    assert os.listdir(os.path.join(environment["XDG_RUNTIME_DIR"], "deskonomy")) == []
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("arguments", [["run", "A", "--json"], ["run", "A"], ["--help"]])
def test_closed_pipe_is_an_error(arguments, environment):
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [*COMMAND, *arguments], env=environment, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S
    )
    os.close(writer)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "deskonomy: stdout is closed: no program reads it any more"
    assert "Traceback" not in run.stderr


def test_two_processes_trade_until_one_ends(start):
    first = start("run RIVERWOOD SEASIDE --json --speed 300")
    address = first.next("RIVERWOOD")["address"]
    second = start(f"run PORTSVILLE WINTERHOLD --json --speed 300 --connect {address}")

    def traded(status):
        road = status["roads"].get("RIVERWOOD", {"state": "down", "sent": 0, "received": 0})
        return road["state"] == "up" and road["sent"] and road["received"]

    second.until(traded, "PORTSVILLE")
    assert second.next("WINTERHOLD")["roads"].keys() == {"PORTSVILLE"}
    assert second.end()[0] == 130
    first.until(lambda status: status["roads"].get("PORTSVILLE", {}).get("state") == "down", "RIVERWOOD")
    assert first.end()[0] == 130


def test_every_engine_gives_same_digest(deskonomy):
    digests = set()
    for engine in list_engines():
        done = deskonomy(f"run RIVERWOOD --ticks 3000 --speed max --seed 7 --json --engine {engine}")
        digests.add(json.loads(done.stdout.splitlines()[-1])["digest"])
    assert len(digests) == 1
