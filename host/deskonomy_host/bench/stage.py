"""Where the bench measures: processes of either interpreter that answer questions, and the files they need.

Here: starting them, asking them, ending them. Not here: what they are asked (the sections), what they do
(programs/).
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path

from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy
from deskonomy_host.boards.simulator.interpreter import find_micropython
from deskonomy_host.errors import OperationError

NO_NATIVE = "this MicroPython runs no machine code"


class Stage:
    """`with Stage(quick, micropython) as stage`: whatever was started on it ends with the block.

    quick: only whether all works. rounds: how often everything is measured. micropython: the path of one, None if there
    is none, and then why_none says why. architecture: whose machine code it runs, None for none.
    """

    def __init__(self, quick=False, micropython=None):
        self.quick = quick
        self.rounds = 2 if quick else 7
        self.why_none = ""
        self._open = contextlib.ExitStack()
        self._players = {}
        try:
            self.micropython = find_micropython(micropython)
        except OperationError as error:
            self.micropython = None
            self.why_none = str(error)

    def __enter__(self):
        self.folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="deskonomy-bench-")))
        return self

    def __exit__(self, *_):
        self._open.close()

    @cached_property
    def architecture(self):
        """As deploy.compiled() takes it."""
        return deploy.architecture(
            int(self.output([self.micropython, "-c", "import sys; print(getattr(sys.implementation, '_mpy', 0))"]))
        )

    def core(self, native=True):
        """A folder with the city as .mpy, with machine code or without: firmware/deskonomy as a deploy compiles it."""
        sources = {path: here for path, here in paths.firmware_files().items() if path.startswith("deskonomy/")}
        return self._compiled("native" if native else "bytecode", sources, self.architecture if native else None)

    def firmware(self):
        """A folder with all of the firmware: what a deploy puts on a board."""
        return self._compiled("firmware", paths.firmware_files(), self.architecture)

    def _compiled(self, name, sources, architecture):
        folder = self.folder / name
        if not folder.exists():
            for path, data in deploy.compiled(sources, architecture).items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        return str(folder)

    def on_cpython(self, program, *words):
        """How to start one of programs/ on CPython: a list of words."""
        return [sys.executable, "-u", str(paths.BENCH_PROGRAMS / program), *words]

    def on_micropython(self, program, *words, heap="112k"):
        """The same on MicroPython, with a heap as -X heapsize takes it."""
        return [self.micropython, "-X", f"heapsize={heap}", str(paths.BENCH_PROGRAMS / program), *words]

    def output(self, words):
        """All that these words print. Raises OperationError."""
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise OperationError(f"{_program(words)} failed: {_last_line(done.stderr)}")
        return done.stdout

    def player(self, words):
        """The Player started with these words, now or earlier."""
        key = tuple(words)
        if key not in self._players:
            self._players[key] = Player(words)
            self._open.callback(self._players[key].close)
        return self._players[key]


class Player:
    """A process that answers questions, see programs/answers.py."""

    def __init__(self, words):
        self._words = words
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, who then end it
        )

    def ask(self, *question):
        """Its answer, as JSON has it. Raises OperationError if it ended instead."""
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin and stdout and stderr
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(question) + "\n")
            stdin.flush()
        line = stdout.readline()
        if not line:
            raise OperationError(f"{_program(self._words)} ended: {_last_line(stderr.read())}")
        return json.loads(line)

    def close(self):
        """End it."""
        self._process.kill()
        self._process.communicate()


def _program(words):
    return " on ".join([Path(word).name for word in words if word.endswith(".py")] + [Path(words[0]).name])


def _last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it does not say why"
