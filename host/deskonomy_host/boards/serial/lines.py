"""The lines of a board's serial console: status lines and log lines.

Here: bytes in, lines out, for real and for simulated boards. Not here: the port that the bytes come from (console.py).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from deskonomy.text import escape

from deskonomy_host.errors import OperationError

_LINE_BYTES_MAX = 65536  # of a line without an end; it is noise, and is dropped so that it takes no more memory

PROMPT = b">>> "
# The fields of every status line; an object without them is a log line.
_STATUS_FIELDS = {"city", "tick", "price", "yield", "merchants", "roads"}
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # noise on the line must not control the user's terminal


class LineParser:
    """Cuts the output of a serial console into lines.

    Attributes:
        status: The latest status line as a dict; None before the first.
    """

    def __init__(self) -> None:
        self.status: dict[str, Any] | None = None
        self._incomplete = b""

    @property
    def at_prompt(self) -> bool:
        """Whether the REPL waits for input, so that no program is running."""
        return self._incomplete.endswith(PROMPT)

    def feed(self, data: bytes) -> list[str]:
        """Process bytes that the console printed. Return the lines that are complete now, status lines included."""
        *lines, self._incomplete = (self._incomplete + data).split(b"\n")
        if len(self._incomplete) > _LINE_BYTES_MAX:
            self._incomplete = b""
        complete = []
        for line in lines:
            text = escape(_CONTROL_CHARACTERS.sub("?", line.strip().decode(errors="replace")))
            status = parse_status(text)
            if status is not None:
                self.status = status
            if text:
                complete.append(text)
        return complete


def is_repl_line(line: str) -> bool:
    """Return whether a line is the REPL's prompt or banner."""
    return line.startswith((">>>", "MicroPython ", "Type "))


def count_returning(status: Mapping[str, Any], other: str) -> int:
    """Return how many merchants return if a board's city forgets its road to another city.

    Raises:
        OperationError: There is no such road, or it is up.
    """
    road = status["roads"].get(other)
    if road is None:
        known = ", ".join(sorted(status["roads"]))
        raise OperationError(
            "%s has no road to %s%s" % (status["city"], other, ", only to %s" % known if known else "")
        )
    if road["state"] == "up":
        raise OperationError(
            "%s is connected to %s: only a road that is down can be forgotten" % (other, status["city"])
        )
    return road["waiting"]


def parse_status(line: str) -> dict[str, Any] | None:
    """Return the status of a status line as a dict; None for a log line."""
    if not line.startswith("{"):
        return None
    try:
        status = json.loads(line)
    except ValueError:
        return None
    return status if isinstance(status, dict) and status.keys() >= _STATUS_FIELDS else None
