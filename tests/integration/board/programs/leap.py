# ruff: noqa: E402 - paths and clock come first
"""Runs on MicroPython, for test_wifi.py and others: `micropython leap.py STAND_INS FIRMWARE STORY`.

Here: the board's own tasks on the stand-ins, with a clock that jumps from one deadline to the next: hours take no time,
and the moment of each event is exact.

STORY is a JSON file, {"wifi": networks or null, "watchdog": whether the watchdog runs, "indicator": settings or null,
"begin": changes, "events": [[at s, changes]], "end_s": when the story ends}. Changes are of "air" as in network.py, of
"quiet_ms" since a peer was heard, of whether the radio is "broken", of the parts that are "dead" (a list of "city",
"wifi", "sensors", and of "page", until it listens again), and of the price of wood ("price_mills").

Prints a line of JSON for each event: [ms, type of the event, detail].
"""

import asyncio
import json
import sys
from asyncio import core

stand_ins, firmware, story_file = sys.argv[1:]
sys.path.insert(0, stand_ins)
sys.path.insert(0, firmware)
with open(story_file) as file:
    story = json.load(file)
START = core.ticks() + 60_000  # never behind the true time: see the stand-in clock.py
_wait = core.IOQueue.wait_io_event


class Clock:
    now = START
    sleep = None

    def ticks_ms():
        return Clock.now

    def ticks_diff(a, b):
        return a - b

    def ticks_add(a, b):
        return a + b


def jump(queue, dt):
    _wait(queue, 0)
    if dt > 0:
        Clock.now = max(Clock.now, core._task_queue.peek().ph_key)


core.IOQueue.wait_io_event = jump
core.ticks = Clock.ticks_ms
sys.modules["time"] = Clock
import hardware

now = {"air": {"networks": {}, "address": "127.0.0.1", "gateway": "127.0.0.1", "join_ms": 0, "deaf": 0, "busy": 0}}
now.update({"broken": False, "rssi": -50, "quiet_ms": 3_600_000, "dead": [], "price_mills": 1000})


def record(*event):
    print(json.dumps((Clock.now - START,) + event))


def record_log(event, text):
    record("log", text)


hardware.read = lambda name: now[name]
hardware.write = record
import network
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy_board.indicator import drive_indicator
from deskonomy_board.watchdog import Heartbeat, feed_watchdog
from deskonomy_board.wifi import Wifi

network.WLAN(network.STA_IF).active(True)
_active = network.WLAN.active


def active(station, is_active):
    if now["broken"]:
        raise RuntimeError("Wifi Unknown Error 0x3015")
    _active(station, is_active)


network.WLAN.active = active


class AsyncioServer:
    """The page's: dead until the page listens again."""

    class task:
        def done():
            return "page" in now["dead"]


class FakeRoads:
    server = None

    async def listen_at(self, host):
        if host == "0.0.0.1":
            raise OSError(23)
        record("moved", host)

    def silence_ms(self):
        return now["quiet_ms"]


class FakePage:
    server = AsyncioServer

    async def listen_at(self, host):
        record("page", host)
        if "page" in now["dead"]:
            now["dead"].remove("page")


class Part:
    """A part of the program: `rounds` grows until the part is dead."""

    def __init__(self, name):
        self._name = name

    @property
    def rounds(self):
        return 0 if self._name in now["dead"] else Clock.now


def apply_changes(city, changes):
    now["air"].update(changes.pop("air", {}))
    now.update(changes)
    for n in range(2):
        city.state[city.state[k.AT_PRICES] + n] = now["price_mills"]


async def run_story():
    city = City("OAKHAM", 1, 2)
    apply_changes(city, story["begin"])
    wifi = Wifi(story["wifi"] or [], record_log)
    work = []
    if story["wifi"] is not None:
        roads = FakeRoads()
        work.append(wifi.keep_connected(roads, [roads, FakePage()]))
    if story["watchdog"]:
        work.append(feed_watchdog([Heartbeat(Part(name), "rounds") for name in ("city", "wifi", "sensors")]))
    if story["indicator"]:
        work.append(drive_indicator(story["indicator"], city, lambda: wifi.rssi() is None, record_log))
    # They end with the story.
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    for at_s, changes in story["events"] + [[story["end_s"], {}]]:
        await asyncio.sleep_ms(START + int(at_s * 1000) - Clock.now)
        apply_changes(city, changes)
    record("end", [task.done() for task in tasks])


asyncio.run(run_story())
