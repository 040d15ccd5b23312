"""The workbench: processes of both interpreters that answer questions, and the files that they need.

Here: starting, asking and ending them. Not here: the questions (the sections), the answers (programs/).
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from deskonomy_host import paths
from deskonomy_host.boards.deploy.compile import compile_firmware
from deskonomy_host.boards.deploy.inventory import decode_architecture
from deskonomy_host.boards.simulator.interpreter import find_micropython
from deskonomy_host.errors import OperationError

NO_MACHINE_CODE = "this MicroPython runs no machine code"


class Workbench:
    """A context manager; the processes that it starts end with the block.

    Attributes:
        quick: measure briefly, only to see that everything works.
        rounds: how often everything is measured.
        folder: a temporary folder.
        micropython: the path of a MicroPython; None if there is none.
        missing_reason: why there is none.
    """

    def __init__(self, quick: bool = False, micropython: str | None = None) -> None:
        self.quick = quick
        self.rounds = 2 if quick else 7
        self.missing_reason = ""
        self._open = contextlib.ExitStack()
        self._responders = {}
        try:
            self.micropython = find_micropython(micropython)
        except OperationError as error:
            self.micropython = None
            self.missing_reason = str(error)

    def __enter__(self) -> Self:
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="deskonomy-bench-")))
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    @cached_property
    def architecture(self) -> str | None:
        """The architecture of its machine code, as the compiler names it; None for none."""
        assert self.micropython is not None
        return decode_architecture(
            int(self.output([self.micropython, "-c", "import sys; print(getattr(sys.implementation, '_mpy', 0))"]))
        )

    def core(self, native: bool = True) -> str:
        """Return a folder with the core as .mpy files, as a deploy compiles it; without machine code if not native."""
        sources = {path: here for path, here in paths.list_firmware_files().items() if path.startswith("deskonomy/")}
        return self._compiled("native" if native else "bytecode", sources, self.architecture if native else None)

    def with_firmware(self, program: str, modules: str, heap: str | int) -> list[str]:
        """Return the command that runs a program on MicroPython with the whole firmware, as a deploy compiles it.

        The program is compiled together with the firmware, because a deploy changes the names in it.

        Args:
            program: the name of a program of programs/.
            modules: a folder with more modules.
            heap: the heap, as -X heapsize takes it.
        """
        sources = {**paths.list_firmware_files(), f"{program}.py": paths.BENCH_PROGRAMS / f"{program}.py"}
        folders = [self._compiled("firmware", sources, self.architecture), modules]
        start = f"import sys; sys.path[:0] = {folders!r}; import {program}"
        assert self.micropython is not None
        return [self.micropython, "-X", f"heapsize={heap}", "-c", start]

    def _compiled(self, name: str, sources: Mapping[str, Path], architecture: str | None) -> str:
        folder = self.folder / name
        if not folder.exists():
            for path, data in compile_firmware(sources, architecture).items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        return str(folder)

    def on_cpython(self, program: str, *arguments: str) -> list[str]:
        """Return the command that runs a program of programs/ on CPython."""
        return [sys.executable, "-u", str(paths.BENCH_PROGRAMS / program), *arguments]

    def on_micropython(self, program: str, *arguments: str, heap: str | int = "112k") -> list[str]:
        """Return the command that runs a program on MicroPython, with a heap as -X heapsize takes it."""
        assert self.micropython is not None
        return [self.micropython, "-X", f"heapsize={heap}", str(paths.BENCH_PROGRAMS / program), *arguments]

    def output(self, command: Sequence[str]) -> str:
        """Run a command and return its output. Raises OperationError if it fails."""
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise OperationError(f"{_program(command)} failed: {_last_line(done.stderr or done.stdout)}")
        return done.stdout

    def responder(self, command: Sequence[str]) -> "Responder":
        """Return the Responder of this command; the first call starts it."""
        key = tuple(command)
        if key not in self._responders:
            self._responders[key] = Responder(command)
            self._open.callback(self._responders[key].close)
        return self._responders[key]


class Responder:
    """A process that answers questions; see programs/answers.py."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches this process only, which then ends the others
        )

    def ask(self, *question: Any) -> Any:
        """Return the answer, a JSON value. Raises OperationError if the process has ended."""
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin and stdout and stderr
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(question) + "\n")
            stdin.flush()
        line = stdout.readline()
        if not line:
            raise OperationError(f"{_program(self._command)} ended: {_last_line(stderr.read())}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def _program(command: Sequence[str]) -> str:
    names = [Path(argument).name for argument in command if argument.endswith(".py")]
    return " on ".join([*names, Path(command[0]).name])


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "without a message"
