"""Commands as a user types them: the words that start one, and one that goes on in the background."""

import json
import signal
import subprocess
import sys
import threading
import time

WORDS = [sys.executable, "-c", "import sys; from deskonomy_host.cli import main; sys.exit(main())"]
PATIENCE_S = 60  # a deadline, not a wait, on a machine that does much else
PIPE_BYTES = 1 << 20  # so that a command whose lines a test does not read goes on for a quarter of an hour


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
            pipesize=PIPE_BYTES,
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

    def rest(self):
        """All the status lines up to its own end."""
        return [json.loads(line) for line in self.process.stdout]

    def end(self, how=signal.SIGINT):
        """Press Ctrl-C; (exit status, what it still wrote to stdout, all of stderr)."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self._watchdog.cancel()
        return self.process.returncode, out, err
