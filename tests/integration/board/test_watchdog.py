"""The watchdog: it is fed while all that a board is for goes on, and only then; it leaves people at the REPL alone."""

import contextlib
import json
import re
import signal
from itertools import pairwise

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.deploy import deploy
from helpers.peers import until

HOME = [["HOME", ""]]
BITES_S, STILL_S = 30, 20
DAY_MS = 86_400_000


def feeds(told):
    """When it was fed; each time it was told the same."""
    assert {more for _, what, more in told if what == "watchdog"} == {BITES_S * 1000}
    return [at_s for at_s, what, _ in told if what == "watchdog"]


def test_it_is_fed_every_second_while_all_is_well(leap):
    fed = feeds(leap(600, watchdog=True))
    assert all(after - before <= 1 for before, after in pairwise(fed)) and fed[-1] >= 599


@pytest.mark.parametrize("part", ["city", "wifi", "sensors"])
def test_it_is_fed_no_more_when_one_of_them_stands_still(leap, part):
    fed = feeds(leap(600, (300, {"dead": [part]}), watchdog=True))
    assert 300 + STILL_S - 1 <= fed[-1] <= 300 + STILL_S
    fed = feeds(leap(600, (300, {"dead": [part]}), (300 + STILL_S - 1, {"dead": []}), watchdog=True))
    assert all(after - before <= 1 for before, after in pairwise(fed)), "it had time enough"


# The whole firmware.


def status(desk, text):
    """The next status line that has this text."""
    return json.loads(desk.wait_for(text)[-1])


def timeout(desk):
    """When it bites, in ms after it was fed; None while it never was."""
    fed = desk.machine._signals / "watchdog"
    return int(fed.read_text().split()[0]) if fed.exists() else None


def bites_after(desk, timeout_ms):
    """Wait until the watchdog bites after so long."""
    desk.run(until(lambda: timeout(desk) == timeout_ms))


def test_a_program_that_stands_still_is_bitten(desk):
    desk.starts({"checkpoint_s": 1})
    assert status(desk, '"tick"')["reset"] == "power"
    desk.machine._process.send_signal(signal.SIGSTOP)
    assert status(desk, '"reset": "watchdog"')["uptime_s"] < BITES_S
    assert "The watchdog reset the board: its program stood still." in (desk.flash / "crash.log").read_text()


@contextlib.contextmanager
def other(desk, path, old, new):
    """Run this module from its source meanwhile, with something else in it."""
    source = (paths.FIRMWARE / path).read_text(encoding="utf-8")
    assert source.count(old) == 1
    [compiled] = desk.flash.glob("?/" + path.replace(".py", ".mpy"))
    aside, here = compiled.rename(compiled.with_suffix(".aside")), compiled.with_suffix(".py")
    here.write_text(source.replace(old, new))
    try:
        yield
    finally:
        here.unlink()
        aside.rename(compiled)


@pytest.mark.parametrize("part", ["pace.run()", "follow(sensors, city)", "wifi.keep(travel)"])
def test_a_part_that_stands_still_is_bitten(desk, part):
    """This part alone: all the others go on."""
    with other(desk, "main.py", part, "asyncio.Event().wait()"):
        desk.starts({"page": None}, clock=4)
        said = "".join(desk.wait_for('"reset": "watchdog"'))
        assert int(re.findall(r'"uptime_s": (\d+), "reset": "power"', said)[-1]) >= BITES_S, "nothing blocks"


def test_a_sensor_that_stands_still_at_once_is_bitten_until_safe_mode(desk):
    with other(
        desk,
        "deskonomy_board/sensors/drivers/adc.py",
        "    while True:\n",
        "    while True:\n        pass\n    while True:\n",
    ):
        desk.starts({})
        desk.wait_for("SAFE MODE")
    assert "The watchdog reset the board: its program stood still." in (desk.flash / "crash.log").read_text()


def test_it_does_not_bite_at_the_repl(desk, loop):
    desk.starts({}, clock=1)
    desk.wait_for('"tick"')
    assert timeout(desk) == BITES_S * 1000
    loop.call(desk.machine.type, b"\x03")
    desk.wait_for("KeyboardInterrupt")
    bites_after(desk, DAY_MS)
    desk.machine.clock = 50  # for who looks whether it bites
    loop.call(desk.machine.type, b"import time; time.sleep(1.5); print(6 * 7)\r")
    desk.wait_for("42")
    # A soft reset starts the city, and the watchdog looks after it as before.
    desk.machine.clock = 1
    loop.call(desk.machine.type, b"\x04")
    desk.wait_for('"reset": "soft"', 3)
    bites_after(desk, BITES_S * 1000)


def test_nor_after_a_second_ctrl_c(desk, loop):
    """It comes while the board still lays itself to rest, for its flash is slow."""
    begins = "    forget()\n    if settings and"
    # Each rest but the last goes on until the next Ctrl-C, however late that comes.
    slow = "    machine.rests = getattr(machine, 'rests', 0) + 1\n    print('resting')\n"
    slow += "    time.sleep(60 if machine.rests < 3 else 0)\n"
    with other(desk, "board/start.py", begins, slow + begins):
        desk.starts({}, clock=1)
        desk.wait_for('"tick"')
        for _ in range(3):
            loop.call(desk.machine.type, b"\x03")
            desk.wait_for("resting")
        desk.wait_for("KeyboardInterrupt")
        bites_after(desk, DAY_MS)


def test_a_deploy_to_a_running_board_is_not_bitten(desk, loop):
    [page] = desk.flash.glob("?/deskonomy_board/page.html")
    page.write_text("older")
    desk.starts({}, clock=1)
    desk.wait_for('"tick"')
    fed = []
    assert loop.run(deploy(desk.machine.serial, on_step=lambda *_: fed.append(timeout(desk)))).send
    assert set(fed) == {DAY_MS}
    said = desk.wait_for('"reset": "hard"')
    assert not any('"reset": "watchdog"' in line for line in said)
