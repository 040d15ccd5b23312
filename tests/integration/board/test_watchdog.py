"""The watchdog: it is fed while every part of the program runs, and only then; at the REPL it does not reset."""

import contextlib
import json
import re
import signal
from itertools import pairwise
from unittest import mock

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.deploy import deploy
from helpers.peers import wait_until

HOME = [["HOME", ""]]
TIMEOUT_S, HEARTBEAT_S = 30, 20
DAY_MS = 86_400_000


def find_feeds(records):
    """Return the moments, in seconds, at which the watchdog was fed, each time with the same timeout."""
    assert {detail for _, event, detail in records if event == "watchdog"} == {TIMEOUT_S * 1000}
    return [at_s for at_s, event, _ in records if event == "watchdog"]


def test_watchdog_is_fed_every_second_while_all_parts_run(leap):
    fed = find_feeds(leap(600, watchdog=True))
    assert all(after - before <= 1 for before, after in pairwise(fed)) and fed[-1] >= 599


@pytest.mark.parametrize("part", ["city", "wifi", "sensors"])
def test_watchdog_is_not_fed_when_a_part_hangs(leap, part):
    fed = find_feeds(leap(600, (300, {"dead": [part]}), watchdog=True))
    assert 300 + HEARTBEAT_S - 1 <= fed[-1] <= 300 + HEARTBEAT_S
    fed = find_feeds(leap(600, (300, {"dead": [part]}), (300 + HEARTBEAT_S - 1, {"dead": []}), watchdog=True))
    assert all(after - before <= 1 for before, after in pairwise(fed)), "the pause was short enough"


# The whole firmware.


def wait_for_status(desk, text):
    """Wait for a status line with this text, and return it."""
    return json.loads(desk.wait_for(text)[-1])


def read_timeout_ms(desk):
    """Return the timeout with which the watchdog was last fed; None while it never was."""
    fed = desk.machine._signals / "watchdog"
    return int(fed.read_text().split()[0]) if fed.exists() else None


def wait_for_timeout(desk, timeout_ms):
    """Wait until the watchdog has this timeout."""
    desk.run(wait_until(lambda: read_timeout_ms(desk) == timeout_ms))


def test_hanging_program_is_reset(desk):
    desk.restart({"checkpoint_s": 1})
    assert wait_for_status(desk, '"tick"')["reset"] == "power"
    desk.machine._process.send_signal(signal.SIGSTOP)
    assert wait_for_status(desk, '"reset": "watchdog"')["uptime_s"] < TIMEOUT_S
    assert "The watchdog reset the board: its program stood still." in (desk.flash / "crash.log").read_text()


@contextlib.contextmanager
def changed_module(desk, tmp_path, path, old, new):
    """Deploy the firmware with a replacement in the source of this module, for the block."""
    files = paths.list_firmware_files()
    source = files[path].read_text(encoding="utf-8")
    assert source.count(old) == 1
    changed = tmp_path / "changed.py"
    changed.write_text(source.replace(old, new), encoding="utf-8")
    with mock.patch.object(paths, "list_firmware_files", lambda: {**files, path: changed}):
        desk.run(deploy(desk.machine.serial))
    try:
        yield
    finally:
        desk.run(deploy(desk.machine.serial))


@pytest.mark.parametrize("part", ["clock.run()", "run_sensors(sensors, city)", "wifi.keep_connected(roads, servers)"])
def test_hanging_part_is_reset(desk, tmp_path, part):
    """Only this part hangs; the others run on."""
    with changed_module(desk, tmp_path, "main.py", part, "asyncio.Event().wait()"):
        desk.restart({"page": None}, clock=4)
        output = "".join(desk.wait_for('"reset": "watchdog"'))
        assert int(re.findall(r'"uptime_s": (\d+), "reset": "power"', output)[-1]) >= TIMEOUT_S, "nothing blocks"


def test_sensor_that_hangs_at_once_is_reset_until_safe_mode(desk, tmp_path):
    with changed_module(
        desk,
        tmp_path,
        "deskonomy_board/sensors/drivers/adc.py",
        "    while True:\n",
        "    while True:\n        pass\n    while True:\n",
    ):
        desk.restart({})
        desk.wait_for("SAFE MODE")
    assert "The watchdog reset the board: its program stood still." in (desk.flash / "crash.log").read_text()


def test_watchdog_does_not_reset_at_the_repl(desk, loop):
    desk.restart({}, clock=1)
    desk.wait_for('"tick"')
    assert read_timeout_ms(desk) == TIMEOUT_S * 1000
    loop.call(desk.machine.send, b"\x03")
    desk.wait_for("KeyboardInterrupt")
    wait_for_timeout(desk, DAY_MS)
    desk.machine.clock = 50  # so that a reset would come soon
    loop.call(desk.machine.send, b"import time; time.sleep(1.5); print(6 * 7)\r")
    desk.wait_for("42")
    # A soft reset starts the city, which the watchdog guards as before.
    desk.machine.clock = 1
    loop.call(desk.machine.send, b"\x04")
    desk.wait_for('"reset": "soft"', 3)
    wait_for_timeout(desk, TIMEOUT_S * 1000)


def test_watchdog_does_not_reset_after_a_second_ctrl_c(desk, loop, tmp_path):
    """The second one comes while the board still handles the first, because its flash is slow."""
    begin = "    forget_crashes()\n    if settings and"
    # Each call but the last goes on until the next Ctrl-C, however late that comes.
    slow = "    machine.calls = getattr(machine, 'calls', 0) + 1\n    print('leaving')\n"
    slow += "    time.sleep(60 if machine.calls < 3 else 0)\n"
    with changed_module(desk, tmp_path, "deskonomy_board/boot_guard.py", begin, slow + begin):
        desk.restart({}, clock=1)
        desk.wait_for('"tick"')
        for _ in range(3):
            loop.call(desk.machine.send, b"\x03")
            desk.wait_for("leaving")
        desk.wait_for("KeyboardInterrupt")
        wait_for_timeout(desk, DAY_MS)


def test_watchdog_does_not_reset_during_deploy_to_running_board(desk, loop):
    for page in desk.flash.glob("?/deskonomy_board/page.html"):  # of each slot
        page.write_text("older")
    desk.restart({}, clock=1)
    desk.wait_for('"tick"')
    fed = []
    assert loop.run(deploy(desk.machine.serial, on_progress=lambda *_: fed.append(read_timeout_ms(desk)))).send
    assert set(fed) == {DAY_MS}
    output = desk.wait_for('"reset": "hard"')
    assert not any('"reset": "watchdog"' in line for line in output)
