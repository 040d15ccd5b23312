"""Check an emulated ESP32 as a real one: python tests/proofs/emulated/run.py --emulator QEMU --image FILE.bin

Here: the command, and one check after the other, each with a line that reports what was measured. The command exits
with status 1 and prints the reason if a check fails. Not here: the board, its peers and what a user types (bench.py),
the chip (emulator.py). The timing, the light and the I2C bus of an emulator are not those of a real chip.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2])]

from deskonomy_host.boards.serial.console import SerialConsole
from deskonomy_host.boards.simulator.interpreter import find_micropython
from deskonomy_host.errors import OperationError, UsageError
from proofs.emulated.bench import TIMEOUT_S, Status, TestBench
from proofs.emulated.emulator import Emulator, wait_until

CITY = "DESKTOWN"
_RADIO_RESTARTS = "no traffic through the Wi-Fi: the radio restarts"  # as deskonomy_board/wifi.py logs it
_SILENCE_S = 75
_SAFE_MODE_TIMEOUT_S = 600
_PAGE_TIMEOUT_S = 60
_BLOCKING_DRIVER = "def read_sensor(settings):\n    while True:\n        pass\n    yield\n"


def set_up_board(bench: TestBench) -> None:
    """Put the firmware on the blank chip with `board setup`, then deploy again."""
    start_s = time.monotonic()
    printed = bench.run_command("board", "setup", bench.chip.port, "--config", str(bench.settings))
    bench.report_line("board setup, %d s: %s" % (time.monotonic() - start_s, printed.splitlines()[-1]))
    start_s = time.monotonic()
    printed = bench.run_command("board", "deploy", bench.chip.port)
    bench.report_line("board deploy, %d s: %s" % (time.monotonic() - start_s, printed.splitlines()[0]))


def check_trade(bench: TestBench) -> None:
    """Start the hosts; check that every road trades and that the board's page answers."""
    for host in bench.hosts:
        host.start()
    bench.report_line("trade both ways on four keyed roads after %d s" % bench.wait_for_trade())
    url = "http://127.0.0.1:%d/api/state" % bench.chip.page_port
    with urllib.request.urlopen(url, timeout=_PAGE_TIMEOUT_S) as answer:
        page = json.load(answer)
    bench.report_line(
        "the board's page, with four roads up: %s at tick %d, %s" % (page["city"], page["tick"], page["heap"])
    )


def check_power_loss(bench: TestBench) -> None:
    """Cut the power twice and press reset once, each in the middle of trade; check that trade goes on."""
    for _ in range(2):
        bench.report_line("power cut in the middle of trade: " + bench.check_power_cut())
        bench.chip.power_on()
        bench.report_line("trade again after %d s" % bench.wait_for_trade())
    bench.chip.press_reset()
    bench.wait_for(lambda status: status["uptime_s"] < 5, "the start after a reset")
    bench.report_line("reset in the middle of trade; trade again after %d s" % bench.wait_for_trade())


def check_silent_link(bench: TestBench) -> None:
    """Let nothing through the Wi-Fi for a while; check that roads close, the radio restarts and trade resumes."""
    before = bench.read_status()["tick"]
    restarts = bench.log_lines.count(_RADIO_RESTARTS)
    start_s = time.monotonic()
    bench.chip.set_link(False)
    bench.wait_for(lambda status: all(road["state"] == "down" for road in status["roads"].values()), "closed roads")
    closed_s = time.monotonic() - start_s
    bench.wait_for(lambda _: bench.log_lines.count(_RADIO_RESTARTS) > restarts, _RADIO_RESTARTS)
    noticed_s = time.monotonic() - start_s
    wait_until(lambda: time.monotonic() > start_s + _SILENCE_S, 2 * _SILENCE_S, "the end of the silence")
    ticks = bench.read_status()["tick"] - before
    bench.chip.set_link(True)
    silence_s = time.monotonic() - start_s
    bench.report_line(
        "no traffic for %d s: roads closed after %d s, the radio restarted after %d s, %d ticks ran meanwhile; trade "
        "again %d s after the end of the silence" % (silence_s, closed_s, noticed_s, ticks, bench.wait_for_trade())
    )


def check_blocking_driver(bench: TestBench) -> None:
    """Replace a driver by one that never returns; check that safe mode begins, and that a deploy ends it."""
    bench.run_mpremote("rm", ":a/deskonomy_board/sensors/drivers/mcu.mpy")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as driver:
        driver.write(_BLOCKING_DRIVER)
        driver.flush()
        bench.run_mpremote("cp", driver.name, ":a/deskonomy_board/sensors/drivers/mcu.py")
    bench.chip.press_reset()
    start_s = time.monotonic()
    lines: list[str] = []
    with SerialConsole(bench.chip.port) as console:

        def is_in_safe_mode() -> bool:
            lines.extend(console.read_lines())
            return any("SAFE MODE" in line for line in lines)

        wait_until(is_in_safe_mode, _SAFE_MODE_TIMEOUT_S, "safe mode")
    starts = sum("rst:" in line for line in lines)
    safe_mode_s = time.monotonic() - start_s
    bench.report_line("a driver that never returns: safe mode after %d s, at start %d" % (safe_mode_s, starts))
    bench.run_command("board", "deploy", bench.chip.port)
    bench.report_line("board deploy repairs the board; trade again after %d s" % bench.wait_for_trade())


def check_endurance(bench: TestBench, minutes: float) -> None:
    """Let the board trade without faults for so many minutes; check that it was not reset, and report its heap."""
    start_s = time.monotonic()
    bench.statuses.clear()
    timeout_s = 60 * minutes + TIMEOUT_S
    bench.wait_for(lambda _: time.monotonic() > start_s + 60 * minutes, "the end of the time", timeout_s)
    statuses = bench.statuses
    first, last = statuses[0], statuses[-1]
    assert last["uptime_s"] > first["uptime_s"] + 50 * minutes, "the board was reset: %s" % last["reset"]
    sent, received = (
        sum(road[way] - first["roads"][name][way] for name, road in last["roads"].items())
        for way in ("sent", "received")
    )
    lost = sum(road["lost"] + road["refused"] for road in last["roads"].values())
    bench.report_line(
        "%d s of the board's time with four keyed roads, page, light and three sensors: no reset, %d ticks, "
        "%d merchants sent, %d received, %d lost or rejected"
        % (last["uptime_s"] - first["uptime_s"], last["tick"] - first["tick"], sent, received, lost)
    )
    report_heap(bench, statuses)
    bench.report_line("power cut at the end: " + bench.check_power_cut())


def report_heap(bench: TestBench, statuses: list[Status]) -> None:
    """Report the heap in use, and how much the median grew from the first third of the statuses to the last."""
    used_bytes = [status["heap"]["used"] for status in statuses]
    third = len(used_bytes) // 3
    growth_bytes = statistics.median(used_bytes[-third:]) - statistics.median(used_bytes[:third])
    in_order = sorted(used_bytes)
    bench.report_line(
        "heap after a collection: median %d KB, at most %d in nine tenths of all seconds, at most %d, of %d; %+d bytes "
        "at the end"
        % (
            *(statistics.median(used_bytes) // 1000, in_order[len(in_order) * 9 // 10] // 1000, in_order[-1] // 1000),
            *(sum(statuses[-1]["heap"].values()) // 1000, growth_bytes),
        )
    )


def run_checks(emulator: str, image: str, minutes: float) -> None:
    """Run all checks, one after the other.

    Args:
        emulator: The path of QEMU for the chip.
        image: The path of the MicroPython image.
        minutes: How long the last check lasts.

    Raises:
        AssertionError: A check failed.
        OperationError, UsageError, OSError, subprocess.SubprocessError: A command, the image or the emulator failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        chip = Emulator(emulator, image, folder, CITY, find_micropython())
        bench = TestBench(chip, Path(folder), lambda line: print(line, flush=True))
        try:
            chip.power_on()
            set_up_board(bench)
            check_trade(bench)
            check_power_loss(bench)
            check_silent_link(bench)
            check_blocking_driver(bench)
            check_endurance(bench, minutes)
        finally:
            bench.stop()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--emulator", required=True, help="path of QEMU for the image's chip, such as qemu-system-xtensa"
    )
    parser.add_argument("--image", required=True, help="MicroPython for the chip, the .bin file for a blank chip")
    parser.add_argument("--minutes", type=float, default=10, help="how long the board trades without faults at the end")
    options = parser.parse_args()
    try:
        run_checks(options.emulator, options.image, options.minutes)
    except (AssertionError, OperationError, UsageError, OSError, subprocess.SubprocessError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
