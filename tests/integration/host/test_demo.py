"""`deskonomy demo`: real MicroPython with the real firmware beside two cities; it leaves no process behind."""

import os
import pathlib

import pytest
from deskonomy_host.control import client

pytestmark = pytest.mark.usefixtures("micropython")


def find_processes(environment):
    """Return the command lines of the processes that run in this environment, on a system with /proc."""
    mark = f"XDG_RUNTIME_DIR={environment['XDG_RUNTIME_DIR']}".encode()
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue  # it has just ended, or belongs to another user
    return found


def read_wood_price(status):
    return status["price"]["wood"]["mean"]


def test_light_moves_prices_of_board_that_trades_with_two_cities(start, deskonomy, environment, runtime):
    running = start("demo --json")
    for city in ("RIVERWOOD", "SEASIDE"):
        running.next(city)
    assert len(find_processes(environment)) >= 1

    # It is night at first, and wood becomes expensive.
    dusk = running.until(lambda status: "level" in status["sensors"].get("light", {}), "DESKTOWN")
    assert dusk["sensors"]["light"]["level"] == pytest.approx(0.05, abs=0.01)
    assert dusk["yield"]["wood"] == pytest.approx(0.1, abs=0.02)
    running.until(lambda status: read_wood_price(status) > read_wood_price(dusk) + 0.1, "DESKTOWN")

    # Three cities trade with each other.
    def trades(status):
        roads = status["roads"]
        return len(roads) == 2 and all(road["state"] == "up" for road in roads.values())

    board = running.until(trades, "DESKTOWN")
    running.until(lambda status: any(road["received"] for road in status["roads"].values()), "DESKTOWN")
    assert board["heap"]["free"] > 0

    # Merchants of the school arrive on the board, too.
    client.send_command("DESKTOWN", "school", count=2, good="wood")
    running.until(lambda status: status["roads"].get("PythonCity", {}).get("received", 0) >= 2, "DESKTOWN")

    # Light changes the yield at once, and the price later.
    done = deskonomy("board sense light 1")
    assert (done.returncode, done.stderr) == (0, "")
    lit = running.until(lambda status: status["sensors"]["light"]["raw"] > 3800, "DESKTOWN")

    def is_day(status):
        return status["yield"]["wood"] > 1.9

    day = lit if is_day(lit) else running.until(is_day, "DESKTOWN")
    assert day["uptime_s"] - lit["uptime_s"] <= 4
    running.until(lambda status: read_wood_price(status) < read_wood_price(day) - 0.1, "DESKTOWN")

    # A yield set by hand does the same.
    done = deskonomy("influence DESKTOWN thread 3")
    assert (done.returncode, done.stdout) == (0, "DESKTOWN: one act of making thread gives 3\n")
    running.until(lambda status: status["yield"]["thread"] == 3, "DESKTOWN")
    assert deskonomy("influence RIVERWOOD thread 2").returncode == 0
    running.until(lambda status: status["yield"]["thread"] == 2, "RIVERWOOD")
    done = deskonomy("board sense noise 0.1")
    assert (done.returncode, done.stderr) == (2, "deskonomy: DESKTOWN has no sensor noise, only: light\n")

    status, out, err = running.end()
    assert (status, "Traceback" in err) == (130, False)
    assert '"city": "DESKTOWN"' in out.splitlines()[-1]
    assert find_processes(environment) == []
    assert os.listdir(os.path.join(environment["XDG_RUNTIME_DIR"], "deskonomy")) == []


def test_ctrl_c_while_board_is_deployed_leaves_no_process(start, deskonomy, environment):
    running = start("demo --json")
    running.next()
    status, _, err = running.end()
    assert (status, "Traceback" in err) == (130, False)
    assert find_processes(environment) == []
    done = deskonomy("demo --duration 0.7")
    assert (done.returncode, done.stderr) == (0, "")
    assert "DESKTOWN's board starts" in done.stdout
    assert find_processes(environment) == []


def test_missing_micropython_is_an_error(deskonomy, environment):
    done = deskonomy("demo --micropython /nowhere/micropython")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--micropython PATH" in done.stderr
    environment["DESKONOMY_MICROPYTHON"] = "/nowhere/micropython"
    done = deskonomy("demo")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert find_processes(environment) == []
