"""`deskonomy board list`, `monitor`, `status` and `forget`: what boards print, without stopping the programs on them.

Here: listening to ports, printing, and typing a command. Not here: the port and its lines (boards/serial/), changing a
board's settings and firmware (board_setup.py).
"""

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.console import SerialConsole
from deskonomy_host.boards.serial.lines import count_returning, is_repl_line, parse_status
from deskonomy_host.boards.serial.ports import PortInfo
from deskonomy_host.control.commands import describe_forgotten
from deskonomy_host.errors import OperationError
from deskonomy_host.output import GIVE_UP_S, Output, open_outputs
from deskonomy_host.terminal import layout

_LISTEN_S = 6  # a city prints a status line each second, the first a second after its start
# What the ROM of a chip without MicroPython prints.
_BLANK_CHIP = ("invalid header", "flash read err", "waiting for download")


def list_boards(as_json: bool) -> None:
    """Print the ports that look like boards, and what runs on each board."""
    found = ports.find_ports()
    with ThreadPoolExecutor(max_workers=max(1, len(found))) as pool:
        rows = list(pool.map(_describe_port, found))
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print("No port looks like a board. Does the cable carry data? Without a board: deskonomy board sim")
    for row in rows:
        print("%s  %s: %s" % (row["port"], row["what"], row["runs"]))


def print_status(path: str | None, as_json: bool) -> None:
    """Print one status of the city on the board at this port, or at the only port that looks like a board.

    Raises:
        OperationError: No city prints a status there.
    """
    path = ports.choose_port(path)
    status, at_prompt, log = _listen(path)
    if status is None:
        raise OperationError(explain_silence(path, at_prompt, log))
    print(json.dumps(status) if as_json else layout.plain_line(status))


def forget_road(path: str | None, other: str) -> None:
    """Have the city on a board forget its road to another city, and print how many merchants return.

    Raises:
        OperationError: No city runs there, it has no such road, or the road is up.
    """
    path = ports.choose_port(path)
    with SerialConsole(path) as console:
        log: list[str] = []
        console.send(b"\r\n")
        status = console.wait_for(lambda _: True, _LISTEN_S, log.append)
        if status is None:
            raise OperationError(explain_silence(path, console.at_prompt, log))
        returned = count_returning(status, other)
        console.send(json.dumps({"forget": other}).encode() + b"\n")
        if console.wait_for(lambda status: other not in status["roads"], _LISTEN_S, log.append) is None:
            raise OperationError(explain_silence(path, console.at_prompt, log))
    print(describe_forgotten(status["city"], other, returned))


def explain_silence(path: str, at_prompt: bool, log: Sequence[str]) -> str:
    """Return one line on why no status arrives from a port.

    Args:
        path: Of the port.
        at_prompt: Whether the REPL waits for input there.
        log: The log lines that arrived.
    """
    last = next((line for line in reversed(log) if not is_repl_line(line)), None)
    if at_prompt:
        return "no city runs on %s, its MicroPython waits at the prompt%s" % (
            path,
            "; its last line: %s" % last if last else "; start it: mpremote connect %s reset" % path,
        )
    return "no status of a city comes from %s%s" % (path, "; the last line: %s" % last if last else "")


def monitor(path: str | None, as_json: bool) -> None:
    """Print what a board prints, its log lines and each status as a line, until Ctrl-C. Wait for a port that is gone.

    Raises:
        OperationError: The port cannot be opened.
    """
    path = ports.choose_port(path)
    with LinePrinter(as_json) as printer, SerialConsole(path) as console:
        console.send(b"\r\n")
        while True:
            try:
                lines = console.read_lines()
            except ConnectionError:
                printer.print_note("%s is gone; waiting for it" % path)
                console.reopen()
                printer.print_note("%s is back" % path)
                continue
            for line in lines:
                printer.print_line(line, time.strftime("%H:%M:%S  "))


class LinePrinter:
    """Prints the lines of a serial console, inside `with`, without ever waiting for a terminal or a pipe."""

    def __init__(self, as_json: bool) -> None:
        """Create a printer; as_json: print lines as they are, log lines on stderr; otherwise lines for people."""
        self._as_json = as_json
        self._lines, self._log = open_outputs(as_json)
        self._notes = self._log if as_json else Output(sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        for output in (self._lines, self._log, self._notes):
            output.wait(GIVE_UP_S)

    def print_line(self, line: str, prefix: str = "") -> None:
        """Print a status line or a log line; prefix: before a line for people. Raises OSError if stdout is closed."""
        status = parse_status(line)
        if self._as_json:
            (self._log if status is None else self._lines).write(line + "\n", can_drop=True)
        else:
            self._lines.write(prefix + (line if status is None else layout.plain_line(status)) + "\n", can_drop=True)

    def print_first(self, line: str) -> None:
        """Print a line that is never left out."""
        self._lines.write(line + "\n")

    def print_note(self, text: str) -> None:
        """Print a line about the port on stderr."""
        self._notes.write(text + "\n", can_drop=True)


def _listen(path: str) -> tuple[dict[str, Any] | None, bool, list[str]]:
    """Return the first status from a port, whether its REPL waits for input, and the log lines.

    Raises:
        OperationError, ConnectionError: The port cannot be opened, or is gone.
    """
    log: list[str] = []
    with SerialConsole(path) as console:
        console.send(b"\r\n")  # an empty line for a city; a REPL prints its prompt
        status = console.wait_for(lambda _: True, _LISTEN_S, log.append)
        return status, console.at_prompt, log


def _describe_port(port: PortInfo) -> dict[str, str | None]:
    """Return a row of the list: the port, what is known of it, what runs there, and the city's name or None."""
    row: dict[str, str | None] = {"port": port.path, "what": port.description}
    try:
        status, at_prompt, log = _listen(port.path)
    except (OperationError, ConnectionError) as error:
        return {**row, "runs": str(error), "city": None}
    if status:
        address = " at %s" % status["address"] if status.get("address") else ", not on Wi-Fi"
        return {**row, "runs": "city %s%s" % (status["city"], address), "city": status["city"]}
    return {**row, "runs": _describe_silence(port.path, at_prompt, log), "city": None}


def _describe_silence(path: str, at_prompt: bool, log: Sequence[str]) -> str:
    """Return what runs on a port from which no status arrives."""
    if at_prompt:
        return "MicroPython at its prompt, no city: deskonomy board setup %s" % path
    if any(text in line for line in log for text in _BLANK_CHIP):
        return "a chip without MicroPython: type deskonomy board setup %s for advice" % path
    if log:
        return "something else: %s" % log[-1]
    return "silent: no MicroPython, or a program that prints nothing"
