"""Commands as a user types them, each in a process of its own.

Here: the start of every command line, and a command that runs beside a test. Not here: the fixtures (conftest.py).
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping

COMMAND = [sys.executable, "-c", "import sys; from deskonomy_host.cli import main; sys.exit(main())"]
PATIENCE_S = 60  # a deadline, not a wait, on a machine that is busy with other tests
PIPE_BYTES = 1 << 20  # so that a command whose lines a test does not read can go on for a quarter of an hour


class RunningCommand:
    """A command that runs beside a test; it is killed if it takes too long.

    Attributes:
        process: its process; stdout and stderr are pipes.
    """

    def __init__(self, line: str, environment: Mapping[str, str]):
        """Start a command; line: its arguments, without spaces in any of them."""
        self.process = subprocess.Popen(
            [*COMMAND, *line.split()],
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pipesize=PIPE_BYTES,
        )
        self._watchdog = threading.Timer(4 * PATIENCE_S, self.process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def next(self, city: str | None = None) -> dict:
        """Return the next status line, of this city if it is given."""
        while True:
            line = self.process.stdout.readline()
            assert line, "it ended early: " + self.process.stderr.read()
            status = json.loads(line)
            if city in (None, status["city"]):
                return status

    def until(self, condition: Callable[[dict], object], city: str | None = None) -> dict:
        """Return the first status line, of this city if it is given, that fulfils condition(status)."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status = self.next(city)
            if condition(status):
                return status
            assert time.monotonic() < deadline, f"no status fulfilled the condition; the last one: {status}"

    def rest(self) -> list[dict]:
        """Return the status lines up to the end of the command."""
        return [json.loads(line) for line in self.process.stdout]

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """End the command by a signal, by default as Ctrl-C does.

        Returns:
            Its exit status, the rest of stdout, and all of stderr.
        """
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self._watchdog.cancel()
        return self.process.returncode, out, err
