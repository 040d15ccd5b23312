"""Simulated boards for the tests of this folder, in an event loop in a thread, so that tests are plain functions."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from deskonomy_host import paths
from deskonomy_host.boards.deploy.deploy import deploy
from deskonomy_host.boards.serial.lines import LineParser
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.machine import SimulatedMachine
from deskonomy_host.boards.spec import catalog
from helpers.commands import PATIENCE_S

# Settings of a sensor that a story of programs/sense.py leaves out.
COMMON_SETTINGS = {"name": "it", "low": 0, "high": 1000, "good": "wood", "yield": [0.0, 2.0], "smoothing": 1}


class Loop:
    """An event loop in a thread.

    run() awaits a coroutine in it, call() calls a function in it, manage() keeps an async context open for a block.
    """

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(3 * PATIENCE_S)

    def call(self, function, *arguments):
        async def call_function():
            return function(*arguments)

        return self.run(call_function())

    @contextlib.contextmanager
    def manage(self, make):
        """Enter the async context that make() returns, both in the loop, and yield its value."""
        manager = self.call(make)
        value = self.run(manager.__aenter__())
        try:
            yield value
        finally:
            self.run(manager.__aexit__(None, None, None))

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture(scope="session")
def loop():
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def machine(loop, micropython, tmp_path_factory):
    """A machine with an empty flash; `machine.flash` is the folder of its flash."""
    flash, signals = tmp_path_factory.mktemp("flash"), tmp_path_factory.mktemp("signals")
    with loop.manage(lambda: SimulatedMachine(micropython, flash, signals, "224k")) as machine:
        machine.flash = flash
        yield machine


class Bench:
    """A machine with a flash of its own, and enough memory for tests that are not about memory.

    Attributes:
        flash: The folder of its flash.
        lines: What its console printed since the last wait_for() or reset().
    """

    def __init__(self, loop, micropython, folder):
        self.flash, signals = folder / "flash", folder / "signals"
        self.flash.mkdir()
        signals.mkdir()
        self.lines = []
        self._loop = loop
        self._console = LineParser()
        self._changed = threading.Condition()
        self._machine = lambda: SimulatedMachine(micropython, self.flash, signals, "400k", self._handle_output)
        self._first_start = 0  # the number of the start from which on lines are kept
        self.machine: SimulatedMachine

    def _handle_output(self, data):
        with self._changed:
            lines = self._console.feed(data)
            if self.machine.starts >= self._first_start:
                self.lines += lines
                self._changed.notify_all()

    def wait_for(self, text, times=1):
        """Wait for so many lines with this text. Return all lines since the last call, up to the last of those."""
        with self._changed:

            def find_line():
                return [number for number, line in enumerate(self.lines) if text in line][times - 1 : times]

            assert self._changed.wait_for(find_line, PATIENCE_S), f"no line with {text!r}, but {self.lines[-20:]}"
            end = find_line()[0] + 1
            lines, self.lines = self.lines[:end], self.lines[end:]
            return lines

    def reset(self, cause="power"):
        """Press its reset button, or reset it by another cause, such as "watchdog"."""

        async def press():
            with self._changed:
                self.lines = []
                self._first_start = self.machine.starts + 1
            await self.machine.hard_reset(cause)

        self._loop.run(press())

    @contextlib.contextmanager
    def running(self):
        with self._loop.manage(self._machine) as self.machine:
            yield self


@pytest.fixture
def bench(loop, micropython, tmp_path):
    with Bench(loop, micropython, tmp_path).running() as bench:
        yield bench


@pytest.fixture(scope="module")
def desk(loop, micropython, tmp_path_factory):
    """A bench with the firmware on it.

    desk.restart(settings, clock, **air) starts a new city with these settings, whose time passes `clock` times as fast,
    in this air (see SimulatedMachine.air). desk.change_air(**changes) changes the air while it runs.
    desk.run(coroutine) awaits a coroutine in the event loop.
    """
    config = catalog.load_board("SIMULATED").config
    with Bench(loop, micropython, tmp_path_factory.mktemp("desk")).running() as bench:
        loop.run(deploy(bench.machine.serial, config))
        default_air = dict(bench.machine.air)

        def restart(settings, clock=8, **air):
            bench.machine.clock = clock
            bench.machine.air = {**default_air, **air}
            (bench.flash / "config.json").write_text(json.dumps({**config, "watchdog": True, **settings}))
            (bench.flash / "city.state").unlink(missing_ok=True)
            bench.reset()

        def change_air(**changes):
            bench.machine.air.update(changes)
            loop.call(bench.machine.set_signals)

        bench.restart, bench.change_air, bench.run = restart, change_air, loop.run
        yield bench


@pytest.fixture(scope="module")
def board(loop, micropython):
    """A simulated board whose firmware runs."""
    with loop.manage(lambda: SimulatedBoard(sensors={"light": 0.5}, speed=200, micropython=micropython)) as board:
        yield board


@pytest.fixture(scope="session")
def mpremote():
    """Return a function that runs mpremote on a port and returns its output."""

    def run(port, *arguments):
        command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def leap(micropython, tmp_path):
    """Return a function that runs a story with a clock that jumps from event to event; see programs/leap.py.

    leap(end_s, (at_s, changes), ..., wifi=..., ...) returns [(at_s, type of the event, detail)].
    """

    def run(end_s, *events, wifi=None, watchdog=False, indicator=None, begin=()):
        story = {"wifi": wifi, "watchdog": watchdog, "indicator": indicator, "begin": dict(begin)}
        story |= {"events": events, "end_s": end_s}
        (tmp_path / "story.json").write_text(json.dumps(story))
        program = Path(__file__).parent / "programs" / "leap.py"
        stand_ins = paths.BOARDS / "SIMULATED" / "stand_ins"
        command = [micropython, program, stand_ins, paths.FIRMWARE, tmp_path / "story.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert not any(records.pop()[2]), "a task has ended"
        return [(at_ms / 1000, event, detail) for at_ms, event, detail in records]

    return run


@pytest.fixture
def sense(micropython, tmp_path):
    """Return a function that runs a story: sense(sensors, (pins, samples[, edges]), ...) returns a result per step."""

    def run(sensors, *steps, celsius=False):
        sensors = [{**COMMON_SETTINGS, **sensor} for sensor in (sensors if isinstance(sensors, list) else [sensors])]
        sensors = [{key: value for key, value in sensor.items() if value is not None} for sensor in sensors]
        steps = [
            {"pins": pins, "samples": samples, "edges": edges[0] if edges else []} for pins, samples, *edges in steps
        ]
        story = {"sensors": sensors, "steps": steps, "celsius": celsius}
        (tmp_path / "story.json").write_text(json.dumps(story))
        command = [
            micropython,
            Path(__file__).parent / "programs" / "sense.py",
            paths.BOARDS / "SIMULATED" / "stand_ins",
            paths.FIRMWARE,
            tmp_path / "story.json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
