"""The board's console, which is its serial port: status out, commands in, one line of JSON each.

Here: what is said once a second, and what a line typed in does. Log lines are plain text and never begin with a brace.
Ctrl-C is nobody's business here: it ends everything and gives the REPL.
"""

import asyncio
import gc
import json
import sys
import time

import machine
from deskonomy import status
from deskonomy.status import decimal, json_object, quoted
from micropython import const

_STATUS_MS = const(1000)
_LINE_MAX = const(512)  # bytes; a command is a few words
_RESETS = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep sleep",
    machine.SOFT_RESET: "soft",
}


_UNSAID = []  # while a status line is being printed: the list of log lines that wait for its end


def log(line):
    """Print a line, but none in the midst of a status line."""
    if _UNSAID:
        _UNSAID[0].append(line)
    else:
        print(line)


async def _say(pieces):
    """Print these as one line. The city ticks between them, for a serial port takes 100 ms for all."""
    unsaid = []
    _UNSAID.append(unsaid)
    try:
        for piece in pieces:
            sys.stdout.write(piece)
            await asyncio.sleep_ms(0)
    finally:
        _UNSAID.clear()
        print()
        for line in unsaid:
            print(line)


class Status:
    """What this board says of itself."""

    def __init__(self, city, pace, sensors, wifi, travel):
        self._city = city
        self._pace = pace
        self._sensors = sensors
        self._wifi = wifi
        self._travel = travel
        self._uptime_ms = 0
        self._ticks_per_s = self._gap_ms = 0

    async def report(self):
        """Print the city's status line once a second, for ever."""
        before = time.ticks_ms()
        tick = self._city.tick
        while True:
            await asyncio.sleep_ms(_STATUS_MS)
            now = time.ticks_ms()
            spent_ms = time.ticks_diff(now, before)
            self._uptime_ms += spent_ms
            self._ticks_per_s = (self._city.tick - tick) * 1000 / spent_ms
            before, tick = now, self._city.tick
            self._gap_ms, self._pace.gap_ms = self._pace.gap_ms, 0
            gc.collect()
            # A collection takes an ESP32 some 5 ms: the more room, the fewer.
            gc.threshold(gc.mem_free() // 8)
            try:
                await _say(list(self.pieces()))  # all of it as of now
            except MemoryError:  # the next line may have room again, and the city goes on meanwhile
                log("no memory for a status line")

    def pieces(self):
        """The status line as of now, piece by piece."""
        sensors = [(sensor.name, json_object(sensor.status())) for sensor in self._sensors]
        more = (
            ("sensors", json_object(sensors)),
            ("address", _or_null(self._travel.address, quoted)),
            ("heap", '{"used": %d, "free": %d}' % (gc.mem_alloc(), gc.mem_free())),
            ("rssi", _or_null(self._wifi.rssi(), str)),
            ("gap_ms", "%d" % self._gap_ms),  # the longest time between two ticks of that second
            ("uptime_s", "%d" % (self._uptime_ms // 1000)),
            ("reset", quoted(_RESETS.get(machine.reset_cause(), "unknown"))),
        )
        return status.pieces(self._city, more, self._ticks_per_s)


async def listen(commands, log=log):
    """Carry out what is typed in, for ever. commands: {name: function of the value}, as commands() makes them.

    What makes no sense is said in the log, in one line.
    """
    typed = asyncio.StreamReader(sys.stdin.buffer)
    line = b""
    while True:
        byte = await typed.read(1)
        if byte not in (b"\n", b"\r"):
            line = (line + byte)[:_LINE_MAX]
            continue
        if line.strip():
            try:
                _carry_out(json.loads(line), commands)
            except ValueError as error:
                log("not done: %s" % (error.args[0] if error.args else "that is not JSON"))
        line = b""


def commands(city, travel, log=log):
    """What can be typed in: {"influence": ["wood", 0.5]} (null: as the sensors say), {"connect": "HOST:PORT"}."""

    def influence(words):
        if not (isinstance(words, list) and len(words) == 2 and isinstance(words[0], str)):
            raise ValueError('influence takes ["wood", 0.5]')
        good, value = words
        if value is None:
            city.release_yield(good)
            log("yield of %s: as the sensors say" % good)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100:
            city.set_yield(good, round(value * 1000), True)
            log("yield of %s: %s, by hand" % (good, decimal(city.yield_mills(good))))
        else:
            raise ValueError("a yield is 0 to 100, or null")

    return {"influence": influence, "connect": travel.dial}


def _carry_out(words, commands):
    if not (isinstance(words, dict) and len(words) == 1):
        raise ValueError('a command is one of {"%s": ...}' % '": ...}, {"'.join(sorted(commands)))
    for name in words:
        if name not in commands:
            raise ValueError("no command %s, only %s" % (name, ", ".join(sorted(commands))))
        commands[name](words[name])


def _or_null(value, text):
    return "null" if value is None else text(value)
