"""How the tests of the host tool type commands: as a user does, each in a process of its own."""

import os
import subprocess

import pytest
from typed import PATIENCE_S, WORDS, Background


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
