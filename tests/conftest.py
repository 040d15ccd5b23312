"""What several test folders share: the other interpreter, and commands typed as a user does, each in a process."""

import os
import shutil
import subprocess
import sys

import pytest
from helpers.commands import PATIENCE_S, WORDS, Background


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory):
    """No key of the developer's is asked for, and no running city of theirs found, in this process or another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DESKONOMY_KEY", raising=False)
        for folder in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(folder, str(tmp_path_factory.mktemp(folder.lower())))
        yield


@pytest.fixture(scope="session")
def micropython():
    """The path of a real MicroPython (unix port)."""
    found = os.environ.get("DESKONOMY_MICROPYTHON") or shutil.which(
        "micropython", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", "")))
    )
    if not found:
        pytest.skip("there is no MicroPython for this machine; name one in DESKONOMY_MICROPYTHON")
    return found


@pytest.fixture
def environment(tmp_path):
    """The environment of commands: no city of another test is running in it."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    mine = {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "100"}
    return {**os.environ, **mine}


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
            timeout=3 * PATIENCE_S,
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
