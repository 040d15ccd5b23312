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
from deskonomy_host.boards.serial.lines import BoardConsole
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.machine import SimulatedMachine
from deskonomy_host.boards.spec import catalog as boards
from helpers.commands import PATIENCE_S


class Loop:
    """An event loop in a thread: run() has it do something, manage() keeps an async context open for a block."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(3 * PATIENCE_S)

    def call(self, function, *words):
        async def work():
            return function(*words)

        return self.run(work())

    @contextlib.contextmanager
    def manage(self, make):
        """The value of the async context that make() gives, made and entered in the loop."""
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
    """A machine with nothing on its flash, and `flash`, that folder."""
    flash, signals = tmp_path_factory.mktemp("flash"), tmp_path_factory.mktemp("signals")
    with loop.manage(lambda: SimulatedMachine(micropython, flash, signals, "224k")) as machine:
        machine.flash = flash
        yield machine


class Bench:
    """A machine with a flash of its own, and memory enough for tests that are not about memory. said: its lines."""

    def __init__(self, loop, micropython, folder):
        self.flash, signals = folder / "flash", folder / "signals"
        self.flash.mkdir()
        signals.mkdir()
        self.said = []
        self._loop = loop
        self._console = BoardConsole()
        self._heard = threading.Condition()
        self._machine = lambda: SimulatedMachine(micropython, self.flash, signals, "400k", self._hear)
        self._hears_from = 0  # its start with this number
        self.machine: SimulatedMachine

    def _hear(self, data):
        with self._heard:
            said = self._console.feed(data)
            if self.machine.starts >= self._hears_from:
                self.said += said
                self._heard.notify_all()

    def wait_for(self, text, times=1):
        """Wait until it has said this so often; what it said since the last call, to the end of that line."""
        with self._heard:

            def there():
                return [n for n, line in enumerate(self.said) if text in line][times - 1 : times]

            assert self._heard.wait_for(there, PATIENCE_S), f"it never said {text!r}, but {self.said[-20:]}"
            end = there()[0] + 1
            said, self.said = self.said[:end], self.said[end:]
            return said

    def reset(self, cause="power"):
        """Press its reset button, or let its watchdog bite."""

        async def press():
            with self._heard:
                self.said = []
                self._hears_from = self.machine.starts + 1
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
    """A bench with the firmware on it. desk.starts(settings, clock, **air): it is born anew with these, in this air.

    clock: how many times as fast its time passes. desk.air(**changes): the air changes while it runs.
    """
    config = boards.load("SIMULATED").config
    with Bench(loop, micropython, tmp_path_factory.mktemp("desk")).running() as bench:
        loop.run(deploy(bench.machine.serial, config))
        usual = dict(bench.machine.air)

        def starts(settings, clock=8, **air):
            bench.machine.clock = clock
            bench.machine.air = {**usual, **air}
            (bench.flash / "config.json").write_text(json.dumps({**config, "watchdog": True, **settings}))
            (bench.flash / "city.state").unlink(missing_ok=True)
            bench.reset()

        def air(**changes):
            bench.machine.air.update(changes)
            loop.call(bench.machine.set_signals)

        bench.starts, bench.air, bench.run = starts, air, loop.run
        yield bench


@pytest.fixture(scope="module")
def board(loop, micropython):
    """A board with the firmware on it, that runs."""
    with loop.manage(lambda: SimulatedBoard(sensors={"light": 0.5}, speed=200, micropython=micropython)) as board:
        yield board


@pytest.fixture(scope="session")
def mpremote():
    """Runs mpremote on a port; returns what it printed."""

    def run(port, *words):
        command = [sys.executable, "-m", "mpremote", "connect", port, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def leap(micropython, tmp_path):
    """Tells a story at a clock that leaps: leap(end_s, (at_s, changes), ..., wifi=..., ...) -> [(at_s, what, more)].

    See leap.py.
    """

    def run(end_s, *events, wifi=None, watchdog=False, indicator=None, begin=()):
        story = {"wifi": wifi, "watchdog": watchdog, "indicator": indicator, "begin": dict(begin)}
        story |= {"events": events, "end_s": end_s}
        (tmp_path / "story.json").write_text(json.dumps(story))
        here = Path(__file__).parent / "programs" / "leap.py"
        command = [micropython, here, paths.BOARDS / "SIMULATED" / "stand_ins", paths.FIRMWARE, tmp_path / "story.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert not any(told.pop()[2]), "a task has ended"
        return [(at_ms / 1000, what, more) for at_ms, what, more in told]

    return run
