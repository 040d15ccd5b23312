"""`deskonomy demo`: a real MicroPython with the real firmware beside two cities, and nothing of it left at the end."""

import os
import pathlib

import pytest

pytestmark = pytest.mark.usefixtures("micropython")


def left_behind(environment):
    """The command lines of processes that still run in this environment (where /proc tells)."""
    mark = f"XDG_RUNTIME_DIR={environment['XDG_RUNTIME_DIR']}".encode()
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue  # it has just ended, or is not ours
    return found


def price_of_wood(status):
    return status["price"]["wood"]["mean"]


def test_the_whole_story(start, deskonomy, environment):
    running = start("demo --json")
    for city in ("RIVERWOOD", "SEASIDE"):
        running.next(city)
    assert len(left_behind(environment)) >= 1

    # It is night at first, and wood becomes dear.
    dusk = running.until(lambda status: "level" in status["sensors"].get("light", {}), "DESKTOWN")
    assert dusk["sensors"]["light"]["level"] == pytest.approx(0.05, abs=0.01)
    assert dusk["yield"]["wood"] == pytest.approx(0.1, abs=0.02)
    running.until(lambda status: price_of_wood(status) > price_of_wood(dusk) + 0.1, "DESKTOWN")

    # Three cities trade with each other.
    def trades(status):
        roads = status["roads"]
        return len(roads) == 2 and all(road["state"] == "up" for road in roads.values())

    board = running.until(trades, "DESKTOWN")
    running.until(lambda status: any(road["received"] for road in status["roads"].values()), "DESKTOWN")
    assert board["heap"]["free"] > 0

    # Light changes the yield at once, and the price after.
    done = deskonomy("board sense light 1")
    assert (done.returncode, done.stderr) == (0, "")
    lit = running.until(lambda status: status["sensors"]["light"]["raw"] > 3800, "DESKTOWN")

    def is_day(status):
        return status["yield"]["wood"] > 1.9

    day = lit if is_day(lit) else running.until(is_day, "DESKTOWN")
    assert day["uptime_s"] - lit["uptime_s"] <= 4
    running.until(lambda status: price_of_wood(status) < price_of_wood(day) - 0.1, "DESKTOWN")

    # So does whoever sets a yield by hand.
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
    assert left_behind(environment) == []
    assert os.listdir(os.path.join(environment["XDG_RUNTIME_DIR"], "deskonomy")) == []


def test_ctrl_c_while_the_board_is_deployed(start, deskonomy, environment):
    running = start("demo --json")
    running.next()
    status, _, err = running.end()
    assert (status, "Traceback" in err) == (130, False)
    assert left_behind(environment) == []
    done = deskonomy("demo --duration 0.7")
    assert (done.returncode, done.stderr) == (0, "")
    assert "DESKTOWN's board starts" in done.stdout
    assert left_behind(environment) == []


def test_without_a_micropython(deskonomy, environment):
    done = deskonomy("demo --micropython /nowhere/micropython")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--micropython PATH" in done.stderr
    environment["DESKONOMY_MICROPYTHON"] = "/nowhere/micropython"
    done = deskonomy("demo")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert left_behind(environment) == []
