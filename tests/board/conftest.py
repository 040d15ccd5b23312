"""Simulated boards for the tests of this folder, in an event loop in a thread, so that tests are plain functions."""

import asyncio
import contextlib
import subprocess
import sys
import threading

import pytest
from deskonomy_host.simulated_machine import SimulatedMachine
from deskonomy_host.simulator import SimulatedBoard

PATIENCE_S = 30  # a deadline, not a wait


class Loop:
    """An event loop in a thread: run() has it do something, manage() keeps an async context open for a block."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

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
    with loop.manage(lambda: SimulatedMachine(micropython, flash, signals)) as machine:
        machine.flash = flash
        yield machine


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
