"""The board's serial console: status lines and log lines out, commands in.

Here: the status line once a second, the log, and lines that are typed. A status line and a command are one line
of JSON; a log line is plain text and never begins with a brace. Not here: the fields of every city's status
(deskonomy/status.py), the commands (commands.py), Ctrl-C, which ends the program and starts the REPL (main.py).
"""

import asyncio
import gc
import sys
import time

import machine
from deskonomy.compat import TYPE_CHECKING
from deskonomy.events import COMMAND_FAILED, STATUS_SKIPPED
from deskonomy.status import format_status_pieces
from deskonomy.text import escape, format_object, quote
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deskonomy.economy.city import City
    from deskonomy.economy.clock import Clock

    from deskonomy_board.roads import BoardRoads
    from deskonomy_board.sensors.sensor import Sensor
    from deskonomy_board.wifi import Wifi

_STATUS_MS = const(1000)
_COMMAND_BYTES_MAX = const(512)
_RESET_CAUSES = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep sleep",
    machine.SOFT_RESET: "soft",
}
_DELAYED = []  # while a status line is printed, it holds the list of log lines that wait for the end of that line


def log(event: str, text: str) -> None:
    """Print the text of a log event; during a status line, after the end of that line."""
    text = escape(text)
    if _DELAYED:
        _DELAYED[0].append(text)
    else:
        print(text)


async def _print_pieces(pieces):
    """Print pieces as one line. The city ticks between them, because a serial port takes 100 ms for all of them."""
    delayed = []
    _DELAYED.append(delayed)
    try:
        for piece in pieces:
            sys.stdout.write(piece)
            await asyncio.sleep_ms(0)
    finally:
        _DELAYED.clear()
        print()
        for text in delayed:
            print(text)


class StatusReport:
    """The status of this board and its city.

    Attributes:
        city: The city.
    """

    def __init__(
        self, city: "City", clock: "Clock", sensors: "Sequence[Sensor]", wifi: "Wifi", roads: "BoardRoads"
    ) -> None:
        self.city = city
        self._clock = clock
        self._sensors = sensors
        self._wifi = wifi
        self._roads = roads
        self._uptime_ms = 0
        self._ticks_per_s = self._gap_ms = 0

    async def print_lines(self) -> None:
        """Print the status line once a second, for ever."""
        before = time.ticks_ms()
        tick = self.city.tick
        while True:
            await asyncio.sleep_ms(_STATUS_MS)
            now = time.ticks_ms()
            spent_ms = time.ticks_diff(now, before)
            self._uptime_ms += spent_ms
            self._ticks_per_s = (self.city.tick - tick) * 1000 / spent_ms
            before, tick = now, self.city.tick
            self._roads.silence_ms()  # nothing else calls this during weeks without Wi-Fi
            self._gap_ms, self._clock.gap_ms = self._clock.gap_ms, 0
            gc.collect()
            # A collection takes an ESP32 some 5 ms: the more free memory, the fewer collections.
            gc.threshold(gc.mem_free() // 8)
            try:
                await _print_pieces(list(self.format_pieces()))  # a list, so that all pieces are of the same tick
            except MemoryError:  # the city goes on, and the next line may have enough memory
                log(STATUS_SKIPPED, "no memory for a status line")

    def format_pieces(self) -> "Iterable[str]":
        """Return the status line of this moment, piece by piece."""
        sensors = [(sensor.name, format_object(sensor.status())) for sensor in self._sensors]
        fields = (
            ("sensors", format_object(sensors)),
            ("address", _format_or_null(self._roads.address, quote)),
            ("heap", '{"used": %d, "free": %d}' % (gc.mem_alloc(), gc.mem_free())),
            ("rssi", _format_or_null(self._wifi.rssi(), str)),
            ("gap_ms", "%d" % self._gap_ms),  # the longest time between two ticks of that second
            ("uptime_s", "%d" % (self._uptime_ms // 1000)),
            ("reset", quote(_RESET_CAUSES.get(machine.reset_cause(), "unknown"))),
        )
        return format_status_pieces(self.city, fields, self._ticks_per_s)


async def read_commands(city: "City", roads: "BoardRoads") -> None:
    """Carry out the commands that are typed, for ever; the log has a line for each that makes no sense."""
    console = asyncio.StreamReader(sys.stdin.buffer)
    line = b""
    while True:
        byte = await console.read(1)
        if byte not in (b"\n", b"\r"):
            line = (line + byte)[:_COMMAND_BYTES_MAX]
            continue
        if line.strip():
            try:
                from deskonomy_board.commands import execute_line  # it takes memory, and many boards never need it

                execute_line(line, city, roads, log)
            except (MemoryError, ImportError):  # the second of a module that an earlier lack of memory has cut short
                log(COMMAND_FAILED, "not done: there is no memory for that now")
        line = b""


def _format_or_null(value, format_value):
    return "null" if value is None else format_value(value)
