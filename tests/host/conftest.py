"""How the tests of the host tool type commands: as a user does, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

WORDS = [sys.executable, "-c", "import sys; from deskonomy_host.cli import main; sys.exit(main())"]
PATIENCE_S = 20


@pytest.fixture
def environment(tmp_path):
    """The environment of commands: no city of another test, or of the developer, is running in it."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    return {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "COLUMNS": "100"}


@pytest.fixture
def runtime(environment, monkeypatch):
    """The same for code that runs inside the test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", environment["XDG_RUNTIME_DIR"])


@pytest.fixture
def deskonomy(environment):
    """Type a command line and wait for its end: deskonomy("run A", word_with_spaces) -> CompletedProcess."""

    def run(line, *words):
        return subprocess.run(
            [*WORDS, *line.split(), *words],
            env=environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )

    return run


class Background:
    """A command that goes on: next() is its next JSON line, end() presses Ctrl-C. Killed if it takes too long."""

    def __init__(self, line, environment):
        self.process = subprocess.Popen(
            [*WORDS, *line.split()],
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._watchdog = threading.Timer(4 * PATIENCE_S, self.process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def next(self, city=None):
        """The next status line, of this city if given."""
        while True:
            line = self.process.stdout.readline()
            assert line, "it ended early: " + self.process.stderr.read()
            status = json.loads(line)
            if city in (None, status["city"]):
                return status

    def until(self, true, city=None):
        """The first status line for which true(status)."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status = self.next(city)
            if true(status):
                return status
            assert time.monotonic() < deadline, f"it never came to that: {status}"

    def end(self, how=signal.SIGINT):
        """Press Ctrl-C; (exit status, what it still wrote to stdout, all of stderr)."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self._watchdog.cancel()
        return self.process.returncode, out, err


@pytest.fixture
def start(environment):
    """Start a command that goes on, a Background; whatever the test leaves running is killed."""
    started = []

    def start(line):
        started.append(Background(line, environment))
        return started[-1]

    yield start
    for background in started:
        if background.process.poll() is None:
            background.process.kill()
        background.end()
