"""Fixtures that several test folders share: the other interpreter, and commands, each in a process of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from helpers.commands import COMMAND, PATIENCE_S, RunningCommand


@pytest.fixture(scope="session", autouse=True)
def hidden_user_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the developer's keys and running cities, from this process and from its children."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DESKONOMY_KEY", raising=False)
        for folder in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(folder, str(tmp_path_factory.mktemp(folder.lower())))
        yield


@pytest.fixture(scope="session")
def micropython() -> str:
    """The path of a real MicroPython (unix port)."""
    found = os.environ.get("DESKONOMY_MICROPYTHON") or shutil.which(
        "micropython", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", "")))
    )
    if not found:
        pytest.skip("there is no MicroPython for this machine; name one in DESKONOMY_MICROPYTHON")
    return found


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """The environment of commands, in which no city of another test is running."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    own = {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "100"}
    return {**os.environ, **own}


@pytest.fixture
def runtime(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same registry of running processes for code inside the test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", environment["XDG_RUNTIME_DIR"])


@pytest.fixture
def deskonomy(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess]:
    """A function that runs a command to its end: deskonomy("run A", "argument with spaces")."""

    def run(line: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*COMMAND, *line.split(), *arguments],
            env=environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=3 * PATIENCE_S,
        )

    return run


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[[str], RunningCommand]]:
    """A function that starts a command and returns a RunningCommand; the fixture kills it if it still runs."""
    started = []

    def start(line: str) -> RunningCommand:
        started.append(RunningCommand(line, environment))
        return started[-1]

    yield start
    for command in started:
        if command.process.poll() is None:
            command.process.kill()
        command.end()
