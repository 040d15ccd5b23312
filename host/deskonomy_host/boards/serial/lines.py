"""What a board's console says, cut into lines: status lines and log lines.

Here: bytes in, lines out, the same for a real board and a simulated one. Not here: the port that they come from.
"""

import json
import re

_LINE_MAX = 65536  # bytes; a longer line is noise and is dropped

PROMPT = b">>> "
_ALWAYS = {"city", "tick", "price", "yield", "merchants", "roads"}  # in a status line; an object without is a log line
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # noise on a line is no reason to let it play with a terminal


class BoardConsole:
    """Reads a console. status: the latest status line as a dict, None before the first."""

    def __init__(self):
        self.status = None
        self._part = b""

    @property
    def at_prompt(self):
        """Whether the REPL waits for somebody to type: no program is running."""
        return self._part.endswith(PROMPT)

    def feed(self, data):
        """Take in what the console printed. Returns the lines (str) that are complete now, status lines too."""
        *lines, self._part = (self._part + data).split(b"\n")
        if len(self._part) > _LINE_MAX:
            self._part = b""
        said = []
        for line in lines:
            text = _CONTROLS.sub("?", line.strip().decode(errors="replace"))
            status = parse_status(text)
            if status is not None:
                self.status = status
            if text:
                said.append(text)
        return said


def is_banner(line):
    """Whether a line is what the REPL says of itself."""
    return line.startswith((">>>", "MicroPython ", "Type "))


def parse_status(line):
    """The status that a console line holds, a dict, or None for a log line."""
    if not line.startswith("{"):
        return None
    try:
        status = json.loads(line)
    except ValueError:
        return None
    return status if isinstance(status, dict) and status.keys() >= _ALWAYS else None
