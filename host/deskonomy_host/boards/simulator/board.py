"""A simulated board: the real firmware on a real MicroPython, put there by the real mpremote.

Here: its flash, its settings, the readings of its sensors, its status and log lines, and console commands. Not here:
processes and resets (machine.py), how the firmware gets onto it (deploy/), control commands (commands.py).
"""

import asyncio
import contextlib
import json
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Self

from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.deploy.plan import DeployPlan
from deskonomy_host.boards.serial.lines import LineParser, is_repl_line
from deskonomy_host.boards.simulator.flash_folder import BOARD, copy_drivers, lock_flash, read_flash_config
from deskonomy_host.boards.simulator.interpreter import find_micropython
from deskonomy_host.boards.simulator.machine import SimulatedMachine
from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec.options import BoardOptions
from deskonomy_host.boards.spec.sensors import SENSORS, find_spec
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads.keyring import find_key, format_key, load_key

_LINES_MAX = 1000  # of the console's output that are kept
_START_TIMEOUT_S = 60
_USUAL_LEVEL = 0.5

Status = dict[str, Any]


class SimulatedBoard:
    """`async with SimulatedBoard(name="DESKTOWN") as board`: deployed and reset; its city is up and listens.

    Attributes:
        machine: The machine that runs its MicroPython.
        config: The settings in its config.json.
        plan: What the deploy changed on it.
        lines: The latest lines that its console printed, status lines too.
        on_line: Called with each of them.
    """

    machine: SimulatedMachine
    plan: DeployPlan

    def __init__(
        self,
        name: str | None = None,
        *,
        port: int | None = None,
        dir: str | PathLike[str] | None = None,
        sensors: Mapping[str, float] | None = None,
        new_sensors: Sequence[dict[str, Any]] = (),
        drivers: str | PathLike[str] | None = None,
        heap: str | None = None,
        seed: int | None = None,
        locals_: int | None = None,
        connect: list[str] | None = None,
        speed: float | None = None,
        checkpoint_s: float | None = None,
        key: bytes | None = None,
        micropython: str | PathLike[str] | None = None,
        clock: float = 1,
        on_line: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Configure a board; it starts with `async with`, which raises OperationError and UsageError.

        The settings name, port, seed, locals_, connect, speed, checkpoint_s and key replace those in its config.json.

        Args:
            name: Of its city.
            port: TCP port of its city.
            dir: The folder that is its flash; None for a new one that is removed at the end.
            sensors: {name: first reading, 0 to 1 of its range}; 0.5 for a sensor that is left out.
            new_sensors: Sensors as in config.json, which it gets besides, or in place of those that decide the same.
            drivers: A folder of the owner's drivers, which are copied to the folder /drivers of its flash.
            heap: Size of its heap as -X heapsize takes it, such as "224k"; None for that of its board.json.
            seed: Of its city.
            locals_: How many residents its city has.
            connect: "HOST:PORT" of the peers that it dials.
            speed: Ticks a second.
            checkpoint_s: Seconds between two checkpoints.
            key: Its key; without one here and in its config.json, the key that cities of this machine ask of it.
            micropython: Path of an interpreter; None for the usual one.
            clock: How many times as fast as real time its time passes.
            on_line: Called with each line that its console prints, status lines too.
        """
        settings = {"city": name, "port": port, "seed": seed, "locals": locals_, "connect": connect, "speed": speed}
        settings |= {"checkpoint_s": checkpoint_s, "key": key and format_key(key)}
        self._settings = {setting: value for setting, value in settings.items() if value is not None}
        self._dir = dir
        self._flash = Path()
        self._levels = dict(sensors or {})
        self._new_sensors = new_sensors
        self._drivers = drivers
        self._heap = heap or "%dk" % (catalog.load_board(BOARD).heap_bytes >> 10)
        self._micropython = micropython
        self._clock = clock
        self._parser = LineParser()
        self._changed = asyncio.Event()
        self._stack = contextlib.AsyncExitStack()
        self.on_line = on_line
        self.lines: deque[str] = deque(maxlen=_LINES_MAX)
        self.config: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def serial(self) -> str:
        """The path of its serial port."""
        return self.machine.serial

    @property
    def city(self) -> str:
        """The name of its city."""
        return self.config["city"]

    @property
    def address(self) -> str | None:
        """ "HOST:PORT" where its city listens; None while it does not."""
        return self.status["address"] if self.status else None

    @property
    def status(self) -> Status | None:
        """Its latest status line; None before the first after a deploy or a reset."""
        return self._parser.status

    async def wait_for(self, predicate: Callable[[Status], object], timeout_s: float = 60) -> Status:
        """Wait until a status line fulfils predicate(status), and return that status.

        Raises:
            OperationError: At the timeout, or if the board's program has ended.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    status = self.status
                    if status and predicate(status):
                        return status
                    if self._parser.at_prompt and not self.machine.raw:
                        raise OperationError("the board's program has ended: %s" % self._last_log_line())
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise OperationError(
                "no status line of the board was as expected within %s s; its log ends: %s"
                % (timeout_s, self._last_log_line())
            ) from None

    async def reset(self) -> None:
        """Press its reset button. Its status is None until its city is up again."""
        await self.machine.hard_reset()
        self._parser = LineParser()

    def sense(self, name: str, value: float) -> None:
        """Set what a sensor reads from now on, 0 to 1 of its range. Raises UsageError."""
        sensor = catalog.find_sensor(self.config, name)
        kind, spec = sensor["kind"], find_spec(sensor)
        if not (spec and spec.simulated_by):
            simulated = ", ".join(spec.kind for spec in SENSORS.values() if spec.simulated_by == "pin")
            raise UsageError("%s is a %s, and a simulated board drives only %s and rssi" % (name, kind, simulated))
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise UsageError("a sensor reads 0 to 1, such as 0.5, not %r" % (value,))
        self._levels[name] = value
        self._set_readings()

    def send_command(self, command: Mapping[str, Any]) -> None:
        """Type a command at its console: {"influence": ["wood", 0.5]} or {"connect": "HOST:PORT"}.

        Raises:
            OperationError: The board's program does not run.
        """
        if self.machine.raw or self._parser.at_prompt:
            raise OperationError(
                "the board's program is not running; reset it: mpremote connect %s reset" % self.serial
            )
        self.machine.send(json.dumps(command).encode() + b"\n")

    async def _start(self) -> None:
        """Open the flash, power the machine on, deploy, and wait until the city listens."""
        interpreter = await asyncio.to_thread(find_micropython, self._micropython)
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="deskonomy-")))
        signals = folder / "signals"
        self._flash = Path(self._dir) if self._dir else folder / "flash"
        signals.mkdir()
        self._flash.mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(lock_flash(self._flash))
        if self._drivers:
            copy_drivers(Path(self._drivers), self._flash)
        self._load_config()
        self.machine = SimulatedMachine(interpreter, self._flash.resolve(), signals, self._heap, self._read_output)
        self.machine.clock = self._clock
        self._set_readings()
        self.machine.raw = True  # so that the firmware that its flash holds does not run
        await self._stack.enter_async_context(self.machine)
        self.plan = await deploy(self.serial, self.config)
        await self.wait_for(lambda status: status["address"], _START_TIMEOUT_S)

    def _load_config(self) -> None:
        """Make its settings of config.json and of those that are given. Raises OperationError, UsageError."""
        self.config = {**read_flash_config(self._flash), **self._settings}
        if self._new_sensors:
            options = BoardOptions(sensors=[*self._new_sensors])
            self.config = options.merge_parts(self.config, catalog.load_board(BOARD), lambda line: None)
        catalog.check_config(self.config)
        key = None if self.config.get("key") else find_key(self.city) or load_key()
        if key:
            self.config["key"] = format_key(key)
        for name in self._levels:
            catalog.find_sensor(self.config, name)
        self._follow_config()

    def _follow_config(self) -> None:
        """Have a level for exactly the sensors of its settings."""
        names = [sensor["name"] for sensor in self.config.get("sensors", [])]
        self._levels = {name: self._levels.get(name, _USUAL_LEVEL) for name in names}

    def _set_readings(self) -> None:
        """Give the machine the reading of each sensor: on the sensor's pin, or as the strength of its Wi-Fi."""
        for name, level in self._levels.items():
            sensor = catalog.find_sensor(self.config, name)
            reading = round(sensor["low"] + level * (sensor["high"] - sensor["low"]))
            spec = find_spec(sensor)
            simulated_by = spec.simulated_by if spec else ""
            if simulated_by == "rssi":
                self.machine.rssi = reading
            elif simulated_by == "pin":
                self.machine.pins[sensor["pin"]] = reading
        self.machine.set_signals()

    def _read_output(self, data: bytes) -> None:
        for line in self._parser.feed(data):
            self.lines.append(line)
            self.on_line(line)
        if self.status and self.status.get("sensors", {}).keys() != self._levels.keys():
            with contextlib.suppress(OperationError):  # `deskonomy board setup` has changed its sensors
                self.config = read_flash_config(self._flash)
                self._follow_config()
                self._set_readings()
        self._changed.set()

    def _last_log_line(self) -> str:
        """Return the latest log line; if memory was short, the line that says so."""
        lines = [line for line in self.lines if not line.startswith("{") and not is_repl_line(line)]
        memory_errors = [line for line in lines if line.startswith("MemoryError")]
        return (memory_errors or lines or ["(nothing)"])[-1]
