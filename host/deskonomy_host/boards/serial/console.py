"""A board's console over its serial port: what it says, as lines, without stopping what runs.

Here: reading, waiting for something, and coming back after the port was gone. Not here: opening a port and its errors
(ports.py), what a line means (board_console.py), how it is shown (board_watch.py).
"""

import math
import time

from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.lines import BoardConsole, parse_status
from deskonomy_host.errors import OperationError

_AGAIN_S = 0.5  # between two tries to open a port that is gone


class BoardPort:
    """`with BoardPort(path) as board`: listens on this port. Raises OperationError where it cannot be opened.

    patience_s: how long a port may be gone first; a chip with USB of its own takes it along when it resets.
    """

    def __init__(self, path, patience_s=0):
        self.path = path
        self._patience_s = patience_s
        self._serial = None
        self._console = BoardConsole()

    def __enter__(self):
        self._open(time.monotonic() + self._patience_s)
        return self

    def __exit__(self, *_):
        if self._serial:
            self._serial.close()

    @property
    def status(self):
        """The latest status line, a dict; None before the first."""
        return self._console.status

    @property
    def at_prompt(self):
        """Whether the REPL waits for somebody to type."""
        return self._console.at_prompt

    def lines(self):
        """The lines (str) that came within a fifth of a second. Raises ConnectionError if the port is gone."""
        try:
            data = self._serial.read(max(1, self._serial.in_waiting)) if self._serial else b""
        except (OSError, TypeError) as error:  # pyserial's SerialException is an OSError
            raise ConnectionError(str(error)) from None
        return self._console.feed(data)

    def type(self, data):
        """Send bytes, as if typed. Raises ConnectionError."""
        try:
            if self._serial:
                self._serial.write(data)
        except OSError as error:
            raise ConnectionError(str(error)) from None

    def again(self, deadline=math.inf):
        """Open the port once more, however long it is gone. Raises OperationError at the deadline, by the monotonic
        clock."""
        self.__exit__()
        self._serial = None
        time.sleep(_AGAIN_S)
        self._open(deadline)
        self._console = BoardConsole()

    def _open(self, deadline):
        while self._serial is None:
            try:
                self._serial = ports.open_port(self.path)
            except OperationError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_AGAIN_S)

    def wait_for(self, predicate, timeout_s, on_line=lambda line: None, prompt_s=0.5):
        """Wait for a status with predicate(status); returns it, or None at the timeout or where the program has ended.

        on_line(text): called with each line that is no status. prompt_s: how long a prompt stands until it means that.
        Raises OperationError if the port is gone, and not back at the timeout.
        """
        deadline = time.monotonic() + timeout_s
        prompt_since = None
        while time.monotonic() < deadline:
            try:
                said = self.lines()
            except ConnectionError:
                self.again(deadline)
                continue
            for line in said:
                status = parse_status(line)
                if status is None:
                    on_line(line)
                elif predicate(status):
                    return status
            if not self.at_prompt:
                prompt_since = None
            elif prompt_since is None:
                prompt_since = time.monotonic()
            elif time.monotonic() > prompt_since + prompt_s:
                return None
        return None
