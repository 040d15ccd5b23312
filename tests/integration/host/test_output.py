"""Output that is not read: cities go on, the last lines come out once they are read, and Ctrl-C ends a command."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import termios
import time
from array import array

import pytest
from helpers.commands import COMMAND, PATIENCE_S

NAMES = "A B C D E F"
PIPE_BYTES = 4096  # of which a status line takes more than a quarter
TICKS = 60
RUN = f"run {NAMES} --ticks {TICKS} --speed 60 --history"


class Unread:
    """A command whose stdout, a terminal or a pipe, takes next to nothing until read() is called."""

    def __init__(self, line, environment, as_terminal=False):
        self._is_terminal = as_terminal
        if as_terminal:
            self._reader, writer = os.openpty()
            os.write(self._reader, b"\x13")  # Ctrl-S
        else:
            self._reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.process = subprocess.Popen(
            [*COMMAND, *line.split()],
            env={**environment, "TERM": "xterm", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(writer)

    def is_full(self):
        """Return whether the pipe has no room for another line; of a terminal that is not known."""
        count = array("i", [0])
        fcntl.ioctl(self._reader, termios.FIONREAD, count)
        return self._is_terminal or count[0] > PIPE_BYTES // 2

    def read(self):
        """Return everything that the command prints, up to its end."""
        if self._is_terminal:
            os.write(self._reader, b"\x11")  # Ctrl-Q
        data = b""
        with contextlib.suppress(OSError):  # a terminal without a program
            while block := os.read(self._reader, 65536):
                data += block
        return data.decode()

    def end(self):
        """Return the exit status and what is on stderr."""
        try:
            err = self.process.communicate(timeout=PATIENCE_S)[1]
        finally:
            self.process.kill()
            with contextlib.suppress(OSError):
                os.close(self._reader)
        return self.process.returncode, err


def poll_until(condition):
    """Wait until a condition about files is true."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def is_recorded(path):
    """Return whether a run has ended its history: it has no -wal then."""
    return path.exists() and not path.with_name(path.name + "-wal").exists()


@pytest.mark.parametrize("option", ["--json", ""])
def test_full_pipe_stops_no_city_and_gets_last_lines(environment, tmp_path, option):
    unread = Unread(f"{RUN} {tmp_path}/h.db --no-dashboard {option}", environment)
    poll_until(lambda: is_recorded(tmp_path / "h.db"))  # the cities have run all their ticks
    assert unread.process.poll() is None  # it waits for the reader
    lines = unread.read().splitlines()
    assert unread.end() == (0, "") or option == "--json"
    assert len(lines[-6:]) == 6
    if option == "--json":
        last = [json.loads(line) for line in lines][-6:]
        assert [(status["city"], status["tick"]) for status in last] == [(name, TICKS) for name in NAMES.split()]
    else:
        assert all(f"tick {TICKS}" in line for line in lines[-6:])


def test_stopped_terminal_stops_no_city(environment, tmp_path):
    unread = Unread(f"{RUN} {tmp_path}/h.db --no-dashboard", environment, as_terminal=True)
    poll_until(lambda: is_recorded(tmp_path / "h.db"))
    assert unread.process.poll() is None
    text = unread.read()
    assert unread.end()[0] == 0 and "6 cities" in text


@pytest.mark.parametrize("as_terminal", [True, False])
def test_ctrl_c_ends_command_whose_output_is_not_read(environment, tmp_path, as_terminal):
    unread = Unread(f"run {NAMES} --speed 60 --history {tmp_path}/h.db --no-dashboard", environment, as_terminal)
    poll_until(lambda: (tmp_path / "h.db-wal").exists() and unread.is_full())
    unread.process.send_signal(signal.SIGINT)
    assert unread.end()[0] == 130
