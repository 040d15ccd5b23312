# ruff: noqa: E402 - paths and clock come first
"""Runs on MicroPython, for test_wifi.py and others: `micropython leap.py STAND_INS FIRMWARE STORY`.

Here: the board's own tasks on the stand-ins, at a clock that leaps from one deadline to the next: hours take no time,
and what happens when is exact. STORY is a JSON file, {"wifi": networks or null, "watchdog": whether it guards,
"indicator": settings or null, "begin": changes, "events": [[at s, changes]], "end_s": when it ends}. Changes are of
"air" as network.py has it, of "quiet_ms" since a peer was heard, of whether the radio is "broken", of what is "dead" (a
list of "city", "wifi", "sensors", and of "page", until it listens anew), and of what wood costs ("price_mills"). Prints
a line of JSON for each thing that happens: [ms, what, more].
"""

import asyncio
import json
import sys
from asyncio import core

stand_ins, firmware, story = sys.argv[1:]
sys.path.insert(0, stand_ins)
sys.path.insert(0, firmware)
with open(story) as file:
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


def leap(queue, dt):
    _wait(queue, 0)
    if dt > 0:
        Clock.now = max(Clock.now, core._task_queue.peek().ph_key)


core.IOQueue.wait_io_event = leap
core.ticks = Clock.ticks_ms
sys.modules["time"] = Clock
import hardware

now = {"air": {"networks": {}, "address": "127.0.0.1", "gateway": "127.0.0.1", "join_ms": 0, "deaf": 0, "busy": 0}}
now.update({"broken": False, "rssi": -50, "quiet_ms": 3_600_000, "dead": [], "price_mills": 1000})


def tell(*what):
    print(json.dumps((Clock.now - START,) + what))


hardware.read = lambda name: now[name]
hardware.write = tell
import network
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy_board import indicator, watchdog
from deskonomy_board.wifi import Wifi

network.WLAN(network.STA_IF).active(True)
_active = network.WLAN.active


def active(station, is_active):
    if now["broken"]:
        raise RuntimeError("Wifi Unknown Error 0x3015")
    _active(station, is_active)


network.WLAN.active = active


class Server:
    """Of the page: dead until it listens anew."""

    class task:
        def done():
            return "page" in now["dead"]


class Travel:
    server = None

    async def move(self, host):
        if host == "0.0.0.1":
            raise OSError(23)
        tell("moved", host)

    def quiet_ms(self):
        return now["quiet_ms"]


class Page:
    server = Server

    async def move(self, host):
        tell("page", host)
        if "page" in now["dead"]:
            now["dead"].remove("page")


def sign(name):
    return lambda: 0 if name in now["dead"] else Clock.now


def change(city, changes):
    now["air"].update(changes.pop("air", {}))
    now.update(changes)
    for n in range(2):
        city.words[city.words[k.AT_PRICES] + n] = now["price_mills"]


async def tell_story():
    city = City("OAKHAM", 1, 2)
    change(city, story["begin"])
    wifi = Wifi(story["wifi"] or [], lambda line: tell("said", line))
    tasks = []
    if story["wifi"] is not None:
        tasks.append(wifi.keep(Travel(), Page()))
    if story["watchdog"]:
        tasks.append(watchdog.guard([sign(name) for name in ("city", "wifi", "sensors")]))
    if story["indicator"]:
        tasks.append(indicator.show(story["indicator"], city, lambda: wifi.rssi() is None))
    # They end with the story.
    tasks = [asyncio.create_task(task) for task in tasks]
    for at_s, changes in story["events"] + [[story["end_s"], {}]]:
        await asyncio.sleep_ms(START + int(at_s * 1000) - Clock.now)
        change(city, changes)
    tell("ended", [task.done() for task in tasks])


asyncio.run(tell_story())
