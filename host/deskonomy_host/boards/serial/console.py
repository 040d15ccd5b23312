"""The serial console of a board: its lines, without stopping the program that runs there.

Here: reading, writing, waiting for a status line, and reopening a port that was gone. Not here: opening a port and its
errors (ports.py), what a line means (lines.py).
"""

import math
import time
from collections.abc import Callable
from typing import Any, Self

import serial

from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.lines import LineParser, parse_status
from deskonomy_host.errors import OperationError

_RETRY_S = 0.5  # between two attempts to open a port that is gone


class SerialConsole:
    """`with SerialConsole(path) as console`: the console behind this port, open for the block.

    Raises OperationError if the port cannot be opened.
    """

    def __init__(self, path: str, patience_s: float = 0) -> None:
        """Remember the port.

        Args:
            path: Of the serial port.
            patience_s: How long to wait for the port to appear: the port of a chip with its own USB is gone while the
                chip resets.
        """
        self.path = path
        self._patience_s = patience_s
        self._serial: serial.Serial | None = None
        self._parser = LineParser()

    def __enter__(self) -> Self:
        self._open(time.monotonic() + self._patience_s)
        return self

    def __exit__(self, *_: object) -> None:
        if self._serial:
            self._serial.close()

    @property
    def status(self) -> dict[str, Any] | None:
        """The latest status line; None before the first."""
        return self._parser.status

    @property
    def at_prompt(self) -> bool:
        """Whether the REPL waits for input."""
        return self._parser.at_prompt

    def read_lines(self) -> list[str]:
        """Return the lines that arrived within a fifth of a second. Raises ConnectionError if the port is gone."""
        try:
            data = self._serial.read(max(1, self._serial.in_waiting)) if self._serial else b""
        except (OSError, TypeError) as error:  # pyserial's SerialException is an OSError
            raise ConnectionError(str(error)) from None
        return self._parser.feed(data)

    def send(self, data: bytes) -> None:
        """Send bytes, as a terminal does. Raises ConnectionError if the port is gone."""
        try:
            if self._serial:
                self._serial.write(data)
        except OSError as error:
            raise ConnectionError(str(error)) from None

    def reopen(self, deadline: float = math.inf) -> None:
        """Open the port again; wait for it until the deadline, by the monotonic clock. Raises OperationError then."""
        self.__exit__()
        self._serial = None
        time.sleep(_RETRY_S)
        self._open(deadline)
        self._parser = LineParser()

    def _open(self, deadline: float) -> None:
        while self._serial is None:
            try:
                self._serial = ports.open_port(self.path)
            except OperationError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_RETRY_S)

    def wait_for(
        self,
        predicate: Callable[[dict[str, Any]], object],
        timeout_s: float,
        on_line: Callable[[str], None] = lambda line: None,
        prompt_s: float = 0.5,
    ) -> dict[str, Any] | None:
        """Wait for a status line that fulfils predicate(status).

        Args:
            predicate: Called with each status.
            timeout_s: How long to wait.
            on_line: Called with each log line.
            prompt_s: How long the REPL's prompt has to stand until the program counts as ended.

        Returns:
            The status; None at the timeout, or if the program has ended.

        Raises:
            OperationError: The port is gone, and not back at the timeout.
        """
        deadline = time.monotonic() + timeout_s
        prompt_since = None
        while time.monotonic() < deadline:
            try:
                lines = self.read_lines()
            except ConnectionError:
                self.reopen(deadline)
                continue
            for line in lines:
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
