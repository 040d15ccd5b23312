# ruff: noqa: E402, F401 - paths and clock come first, and some stand-ins only need to be there
"""Runs on MicroPython, for test_sensors.py: `micropython sense.py STAND_INS FIRMWARE STORY`.

Here: real sensors of a real city on the stand-ins, with a clock that goes from sample to sample without waiting.

STORY is a JSON file, {"sensors": as in config.json, "steps": [{"pins": what is on them, and as "idle_ms" the time that
passes before without a sample, "samples": their number, "edges": the moments, in ms from the begin of the step, at
which a pin interrupts}], "celsius": whether the chip's own thermometer is an S3's or C3's}.

Prints one line of JSON a step: {"log": [lines], "sensors": ..., "yield_mills": ..., "needs": {good: {good: count}}}.
"""

import asyncio  # it takes the real clock, before the other one is there
import json
import sys

stand_ins, firmware, story_file = sys.argv[1:]
sys.path.insert(0, stand_ins)
sys.path.insert(0, firmware)
sys.path.append(story_file.rpartition("/")[0])  # where a folder drivers/ has the owner's drivers


class Clock:
    now = 0

    @staticmethod
    def ticks_ms():
        return Clock.now % 2**30  # as on an ESP32

    @staticmethod
    def ticks_diff(a, b):
        return (a - b + 2**29) % 2**30 - 2**29


sys.modules["time"] = Clock
import hardware

pins = {}
interrupts = []
hardware.read = lambda name: {"pins": pins, "rssi": pins.get("rssi")}[name]
import esp32
import i2c
import inputs
import network
import touch_pad
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy_board.sensors.sensor import Sensor

inputs.Pin.irq = lambda self, handler, trigger: interrupts.append(handler)
network.WLAN.isconnected = lambda self: pins.get("rssi") is not None
with open(story_file) as file:
    story = json.load(file)
if story["celsius"]:
    esp32.mcu_temperature = lambda: pins["mcu"]
    del esp32.raw_temperature
log_lines = []
city = City("OAKHAM", 1, 2)
sensors = [Sensor(settings, lambda event, text: log_lines.append(text)) for settings in story["sensors"]]
for step in story["steps"]:
    pins.update(step["pins"])
    Clock.now += pins.pop("idle_ms", 0)
    edges = [Clock.now + edge for edge in step["edges"]]
    for _ in range(step["samples"]):
        sampled = Clock.now
        while edges and edges[0] <= sampled:
            Clock.now = edges.pop(0)
            for interrupt in interrupts:
                interrupt(None)
        Clock.now = sampled
        for sensor in sensors:
            sensor.sample()
            sensor.update_city(city)
        Clock.now += 100
    rows = {good: city.good_offset(good) + k.NEEDS for good in city.good_names}
    needs = {
        good: {other: city.state[row + n] for n, other in enumerate(city.good_names) if city.state[row + n]}
        for good, row in rows.items()
    }
    status = {sensor.name: {key: json.loads(text) for key, text in sensor.status()} for sensor in sensors}
    yields = {good: city.yield_mills(good) for good in city.good_names}
    print(json.dumps({"log": log_lines, "sensors": status, "yield_mills": yields, "needs": needs}))
    log_lines.clear()
