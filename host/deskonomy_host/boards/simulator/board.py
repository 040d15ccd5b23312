"""A simulated board: the real firmware on a real MicroPython, put there by the real mpremote.

Here: its flash, its config.json, the light that falls on its sensors, what it says, and the commands typed at it.
Not here: processes and resets (simulated_machine.py), how files get onto it (deploy.py), the command line
(board_commands.py).
"""

import asyncio
import contextlib
import json
import os
import tempfile
from collections import deque
from pathlib import Path

from deskonomy_host import validation as words
from deskonomy_host.boards.deploy.deploy import CONFIG, deploy
from deskonomy_host.boards.serial.lines import BoardConsole, is_banner
from deskonomy_host.boards.simulator.interpreter import find_micropython
from deskonomy_host.boards.simulator.machine import SimulatedMachine
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads.keyring import given, key_for, text

BOARD = "SIMULATED"
_LINES_KEPT = 1000
_PLAIN = ("adc", "digital", "touch")  # sensors whose reading lies on their pin as it is
_UP_WITHIN_S = 60


class SimulatedBoard:
    """`async with SimulatedBoard(name="DESKTOWN") as board`: deployed, reset, and its city is up and listens.

    name, port, seed, locals_, connect (a list of "HOST:PORT"), speed (ticks a second), checkpoint_s, key (bytes): in
    its config.json where given, else as they are there; without a key there, it has the one that cities here ask.
    dir: the folder that is its flash; without one its flash is gone at the end. sensors: {name: 0..1}, what they read
    at first; 0.5 unless said. heap: as -X heapsize takes it, else as its board.json says. clock: how many times as fast
    its time passes. on_line(text): called with each line that its console prints, status lines too. Raises
    OperationError and
    Wrong.
    """

    def __init__(
        self,
        name=None,
        *,
        port=None,
        dir=None,
        sensors=None,
        heap=None,
        seed=None,
        locals_=None,
        connect=None,
        speed=None,
        checkpoint_s=None,
        key=None,
        micropython=None,
        clock=1,
        on_line=lambda line: None,
    ):
        told = {"city": name, "port": port, "seed": seed, "locals": locals_, "connect": connect, "speed": speed}
        told["checkpoint_s"] = checkpoint_s
        told["key"] = key and text(key)
        self._given = {name: word for name, word in told.items() if word is not None}
        self._dir = dir
        self._flash = Path()
        self._levels = dict(sensors or {})
        self._heap = heap or "%dk" % (boards.load(BOARD).heap_bytes >> 10)
        self._micropython = micropython
        self._clock = clock
        self._console = BoardConsole()
        self._changed = asyncio.Event()
        self._open = contextlib.AsyncExitStack()
        self.on_line = on_line
        self.lines = deque(maxlen=_LINES_KEPT)  # what its console printed lately
        self.config = {}  # what its config.json says
        self.machine: SimulatedMachine
        self.plan = None  # what the deploy changed on it

    async def __aenter__(self):
        try:
            interpreter = await asyncio.to_thread(find_micropython, self._micropython)
            folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="deskonomy-")))
            signals = folder / "signals"
            flash = Path(self._dir) if self._dir else folder / "flash"
            signals.mkdir()
            flash.mkdir(parents=True, exist_ok=True)
            self._flash = flash
            self._open.enter_context(_alone(flash))
            self.config = {**_config_of(flash), **self._given}
            boards.check(self.config)
            key = None if self.config.get("key") else key_for(self.city) or given()
            if key:
                self.config["key"] = text(key)
            self.machine = SimulatedMachine(interpreter, flash.resolve(), signals, self._heap, self._hear)
            self.machine.clock = self._clock
            for name in self._levels:
                boards.sensor_of(self.config, name)
            for sensor in self.config.get("sensors", []):
                self._levels.setdefault(sensor["name"], 0.5)
            self._drive_pins()
            self.machine.raw = True  # what was on its flash before does not run
            await self._open.enter_async_context(self.machine)
            self.plan = await deploy(self.serial, self.config)
            await self.wait_for(lambda status: status["address"], _UP_WITHIN_S)
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(self, *_):
        await self._open.aclose()

    @property
    def serial(self):
        """The path of its serial port."""
        return self.machine.serial

    @property
    def city(self):
        """Its city's name."""
        return self.config["city"]

    @property
    def address(self):
        """ "HOST:PORT" where its city listens, None while it does not."""
        return self.status["address"] if self.status else None

    @property
    def status(self):
        """Its latest status line, a dict; None before the first one after a deploy."""
        return self._console.status

    async def wait_for(self, predicate, timeout_s=60):
        """Wait until a status line fulfils predicate(status); returns that. Raises OperationError at the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (self.status and predicate(self.status)):
                    if self._console.at_prompt and not self.machine.raw:
                        raise OperationError("the board's program has ended: %s" % self._last_words())
                    self._changed.clear()
                    await self._changed.wait()
                return self.status
        except TimeoutError:
            raise OperationError("the board did not get there in %s s: %s" % (timeout_s, self._last_words())) from None

    async def reset(self):
        """Press its reset button. Its status is None until its city is up again."""
        await self.machine.hard_reset()
        self._console = BoardConsole()

    def sense(self, name, value):
        """Let a sensor read this, 0..1 of its own range, from now on. Raises UsageError."""
        kind = boards.sensor_of(self.config, name)["kind"]
        if kind not in (*_PLAIN, "rssi"):
            raise UsageError(
                "%s is a %s, and a simulated board drives only %s and rssi" % (name, kind, ", ".join(_PLAIN))
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise UsageError("a sensor reads 0 to 1, such as 0.5, not %r" % (value,))
        self._levels[name] = value
        self._drive_pins()

    def send_command(self, command):
        """Type a command at its console: {"influence": ["wood", 0.5]}, {"connect": "HOST:PORT"}. Raises
        OperationError."""
        if self.machine.raw or self._console.at_prompt:
            raise OperationError(
                "the board's program is not running; reset it: mpremote connect %s reset" % self.serial
            )
        self.machine.type(json.dumps(command).encode() + b"\n")

    def _drive_pins(self):
        """Put on each pin what its sensor would, high at 1, low at 0, and the Wi-Fi's strength in the air."""
        for name, value in self._levels.items():
            sensor = boards.sensor_of(self.config, name)
            raw = round(sensor["low"] + value * (sensor["high"] - sensor["low"]))
            if sensor["kind"] == "rssi":
                self.machine.rssi = raw
            elif sensor["kind"] in _PLAIN:
                self.machine.pins[sensor["pin"]] = raw
        self.machine.set_signals()

    def _hear(self, data):
        for line in self._console.feed(data):
            self.lines.append(line)
            self.on_line(line)
        if self.status and self.status.get("sensors", {}).keys() != self._levels.keys():
            self._follow_setup()
        self._changed.set()

    def _follow_setup(self):
        """`deskonomy board setup` has given it other sensors."""
        with contextlib.suppress(OperationError):
            self.config = _config_of(self._flash)
            self._levels = {one["name"]: self._levels.get(one["name"], 0.5) for one in self.config.get("sensors", [])}
            self._drive_pins()

    def _last_words(self):
        said = [line for line in self.lines if not line.startswith("{") and not is_banner(line)]
        short = [line for line in said if line.startswith("MemoryError")]
        return (short or said or ["it said nothing"])[-1]


def commands(board):
    """What `deskonomy influence`, `connect` and `board sense` may ask of this board: {name: function}."""

    def here(city):
        if city != board.city:
            raise OperationError("no city %s is running here, only %s" % (city, board.city))

    async def influence(city, good, yield_mills):
        """Set a yield by hand, in mills of a unit; None gives it back to the sensors."""
        here(city)
        before = board.status or {"yield": {}}
        if good not in before["yield"]:
            raise UsageError("%s makes no %s, only %s" % (city, good, ", ".join(before["yield"])))
        if yield_mills is None:
            board.send_command({"influence": [good, None]})
            status = await board.wait_for(lambda status: status is not before)
        elif type(yield_mills) is int and 0 <= yield_mills <= 100_000:
            board.send_command({"influence": [good, yield_mills / 1000]})
            status = await board.wait_for(lambda status: round(status["yield"][good] * 1000) == yield_mills)
        else:
            raise UsageError("yield_mills takes a whole number up to 100000 or null, not %r" % (yield_mills,))
        return {"city": city, "good": good, "yield_mills": round(status["yield"][good] * 1000)}

    def connect(city, address):
        """Dial HOST:PORT, now and whenever it is lost."""
        here(city)
        board.send_command({"connect": words.shown(words.address("address")(address))})
        return {"city": city, "address": address}

    def sense(name, value):
        """Let a sensor read this, 0..1 of its range."""
        board.sense(name, value)
        return {"name": name, "value": value}

    def serial():
        """Where its serial port is."""
        return {"serial": board.serial}

    return {"influence": influence, "connect": connect, "sense": sense, "serial": serial}


@contextlib.contextmanager
def _alone(flash):
    """Nobody else has this flash meanwhile: its city would live twice. Raises OperationError."""
    import fcntl  # where there is none there is no terminal for a simulated board either

    folder = os.open(flash, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperationError(
                "%s is the flash of a simulated board that runs: name another folder" % flash
            ) from None
        yield
    finally:
        os.close(folder)


def _config_of(flash):
    """What config.json on this flash says, or a simulated board's first one. Raises OperationError."""
    file = flash / CONFIG
    if not file.exists():
        return boards.load(BOARD).config
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise OperationError("%s is not JSON: put it right, or remove it for a new one" % file) from None
    if not isinstance(config, dict):
        raise OperationError("%s is no object in { }: put it right, or remove it for a new one" % file)
    return config
