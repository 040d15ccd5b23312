"""Let an emulated ESP32 do what one on a desk would: python tests/emulated/run.py --emulator QEMU --image FILE.bin

Here: the command, and one proof after the other, each with a line that says what was seen. Not here: who trades, types
and listens (desk.py), the emulator (emulator.py). Exits 1, and says why, if anything is wrong. Timing, light and I2C
are not those of a real chip.
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

from deskonomy_host.boards.serial.console import BoardPort
from deskonomy_host.boards.simulator.interpreter import find_micropython
from deskonomy_host.errors import OperationError, UsageError
from proofs.emulated.desk import PATIENCE_S, Desk
from proofs.emulated.emulator import Emulator, until

CITY = "DESKTOWN"
OFF_AND_ON = "nothing comes through the Wi-Fi: off and on"
SILENT_S = 75
STANDS_STILL = "def readings(settings):\n    while True:\n        pass\n    yield\n"


def setup(desk):
    began = time.monotonic()
    printed = desk.type("board", "setup", desk.chip.port, "--config", str(desk.settings))
    last = printed.splitlines()[-1]
    desk.say("board setup, %d s: %s" % (time.monotonic() - began, last))
    began = time.monotonic()
    printed = desk.type("board", "deploy", desk.chip.port)
    desk.say("board deploy, %d s: %s" % (time.monotonic() - began, printed.splitlines()[0]))


def trade(desk):
    for host in desk.hosts:
        host.start()
    desk.say("trade both ways on four keyed roads after %d s" % desk.wait_for_trade())
    with urllib.request.urlopen("http://127.0.0.1:%d/api/state" % desk.chip.page_port, timeout=60) as answer:
        page = json.load(answer)
    desk.say("its page, with four roads up: %s at tick %d, %s" % (page["city"], page["tick"], page["heap"]))


def lose_power(desk):
    for _ in range(2):
        desk.say("power cut in the midst of trade: " + desk.cut_power())
        desk.chip.power_on()
        desk.say("trade again after %d s" % desk.wait_for_trade())
    desk.chip.press_reset()
    desk.wait_for(lambda status: status["uptime_s"] < 5, "its start after a reset")
    desk.say("reset in the midst of trade; trade again after %d s" % desk.wait_for_trade())


def go_silent(desk):
    before = desk.wait_for(lambda _: True, "a status")["tick"]
    said = desk.said.count(OFF_AND_ON)
    began = time.monotonic()
    desk.chip.mute(True)
    desk.wait_for(
        lambda status: all(row["state"] == "down" for row in status["roads"].values()), "the end of its roads"
    )
    closed_s = time.monotonic() - began
    desk.wait_for(lambda _: desk.said.count(OFF_AND_ON) > said, OFF_AND_ON)
    noticed_s = time.monotonic() - began
    until(lambda: time.monotonic() > began + SILENT_S, 2 * SILENT_S, "time")
    ticks = desk.wait_for(lambda _: True, "a status")["tick"] - before
    desk.chip.mute(False)
    desk.say(
        "a link silent for %d s: roads closed after %d s, the radio off and on after %d s, %d ticks meanwhile; trade "
        "again %d s after it was back" % (time.monotonic() - began, closed_s, noticed_s, ticks, desk.wait_for_trade())
    )


def stand_still(desk):
    """A driver that never returns, as the watchdog sees it."""
    desk.mpremote("rm", ":a/deskonomy_board/sensors/drivers/mcu.mpy")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as driver:
        driver.write(STANDS_STILL)
        driver.flush()
        desk.mpremote("cp", driver.name, ":a/deskonomy_board/sensors/drivers/mcu.py")
    desk.chip.press_reset()
    began = time.monotonic()
    with BoardPort(desk.chip.port) as port:
        lines = []
        until(lambda: [line for line in lines.extend(port.lines()) or lines if "SAFE MODE" in line], 600, "safe mode")
    starts = sum("rst:" in line for line in lines)
    desk.say("a program that stands still: safe mode after %d s, at start %d" % (time.monotonic() - began, starts))
    desk.type("board", "deploy", desk.chip.port)
    desk.say("board deploy puts it right; trade again after %d s" % desk.wait_for_trade())


def live(desk, minutes):
    """As it is, for so long."""
    began = time.monotonic()
    desk.seen.clear()
    desk.wait_for(lambda _: time.monotonic() > began + 60 * minutes, "time", 60 * minutes + PATIENCE_S)
    seen = desk.seen
    used = sorted(status["heap"]["used"] for status in seen)
    assert seen[-1]["uptime_s"] > seen[0]["uptime_s"] + 50 * minutes, "it was reset: %s" % seen[-1]["reset"]
    before, roads = seen[0]["roads"], seen[-1]["roads"]
    sent, received = (sum(row[way] - before[name][way] for name, row in roads.items()) for way in ("sent", "received"))
    lost = sum(row["lost"] + row["refused"] for row in roads.values())
    third = len(seen) // 3
    first, last = (
        statistics.median(status["heap"]["used"] for status in part) for part in (seen[:third], seen[-third:])
    )
    heap = seen[-1]["heap"]
    desk.say(
        "%d s of its time with four keyed roads, page, light and three sensors: no reset, %d ticks, %d merchants "
        "sent, %d received, %d lost or refused"
        % (
            *(seen[-1]["uptime_s"] - seen[0]["uptime_s"], seen[-1]["tick"] - seen[0]["tick"]),
            *(sent, received, lost),
        )
    )
    desk.say(
        "heap after a collection: %d KB in the median, %d in nine tenths of all seconds, %d at most, of %d; %+d bytes "
        "in the end"
        % (
            *(statistics.median(used) // 1000, used[len(used) * 9 // 10] // 1000, used[-1] // 1000),
            *(sum(heap.values()) // 1000, last - first),
        )
    )
    desk.say("power cut at the end: " + desk.cut_power())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", required=True, help="such as qemu-system-xtensa, for the image's chip")
    parser.add_argument("--image", required=True, help="MicroPython for it, the .bin that goes on a blank chip")
    parser.add_argument("--minutes", type=float, default=10, help="that it lives on in the end")
    words = parser.parse_args()
    try:
        show(words)
    except (AssertionError, OperationError, UsageError, OSError, subprocess.SubprocessError) as error:
        sys.exit(str(error))


def show(words):
    """All of it, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        chip = Emulator(words.emulator, words.image, folder, CITY, find_micropython())
        desk = Desk(chip, Path(folder), lambda line: print(line, flush=True))
        try:
            chip.power_on()
            setup(desk)
            trade(desk)
            lose_power(desk)
            go_silent(desk)
            stand_still(desk)
            live(desk, words.minutes)
        finally:
            desk.end()


if __name__ == "__main__":
    main()
