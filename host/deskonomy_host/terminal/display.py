"""Displays of running cities: JSON lines, a live view of the terminal, or plain lines.

Here: the three displays and the loop that feeds one. Not here: the content of a frame (layout.py).
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO, cast

from deskonomy_host.output import GIVE_UP_S, Output, open_outputs
from deskonomy_host.terminal import layout
from deskonomy_host.terminal.code import draw_code

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

CODE_S = 30  # how long a QR code is shown: it may take the place of the cities

Statuses = Sequence[Mapping[str, Any]]


class Display(Protocol):
    """A display: a context manager that draws statuses every `interval_s` seconds and prints notes at any time."""

    interval_s: float

    def __enter__(self) -> Self: ...

    def __exit__(self, *failure: object) -> None: ...

    def note(self, text: str) -> None:
        """Print one line about an event."""

    def dashboard(self, address: str, is_shared: bool) -> None:
        """Print the address of the dashboard; is_shared: whether other machines can open it."""

    def draw(self, statuses: Statuses) -> None:
        """Draw the current statuses."""

    def end(self, statuses: Statuses) -> None:
        """Draw the statuses at the end of the run."""

    async def finish(self, limit_s: float) -> None:
        """Wait until everything is printed, or for so many seconds. Raises OSError if stdout is closed."""


class JsonLines:
    """One status line a second for each city on stdout, and nothing else there; notes go to stderr."""

    interval_s = 1.0
    _is_json = True

    def __init__(self) -> None:
        self._lines, self._notes = open_outputs(self._is_json)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def note(self, text: str) -> None:
        """Print one line about an event. A closed pipe raises nothing here: draw() meets it, too."""
        with contextlib.suppress(OSError):
            self._notes.write(text + "\n", can_drop=True)

    def dashboard(self, address: str, is_shared: bool) -> None:
        """Print the address of the dashboard."""
        self.note(f"dashboard: {address}")

    def draw(self, statuses: Statuses) -> None:
        """Print a line for each city; if nothing reads them, the oldest of those that wait are left out."""
        for status in statuses:
            self._lines.write(self._format(status), can_drop=True)

    def end(self, statuses: Statuses) -> None:
        """Print the last line of each city, which is never left out."""
        for status in statuses:
            self._lines.write(self._format(status))

    async def finish(self, limit_s: float) -> None:
        """Wait until everything is printed, or for so many seconds. Raises OSError if stdout is closed."""
        await _wait_for_output(self._lines, limit_s)
        self._notes.wait(GIVE_UP_S)

    def _format(self, status: Mapping[str, Any]) -> str:
        """Return a status line without its detail, which only pictures need."""
        line = {key: value for key, value in status.items() if key != "detail"}
        return json.dumps(line, ensure_ascii=False) + "\n"


class PlainLines(JsonLines):
    """One readable line a second for each city, where stdout is not a terminal."""

    _is_json = False

    def _format(self, status: Mapping[str, Any]) -> str:
        return layout.plain_line(status) + "\n"


async def _wait_for_output(output: Output, limit_s: float) -> None:
    """Wait until an output is done, or for so many seconds. Raises OSError if it cannot be done."""
    wait_s = 0.001
    end_s = time.monotonic() + limit_s
    while not output.is_done() and time.monotonic() < end_s:
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, 0.05)


class TerminalStream:
    """What a rich.Console writes to: it passes on to an Output what was written between two flushes.

    Attributes:
        can_drop: whether what is written now may be left out.
    """

    def __init__(self, output: Output, encoding: str) -> None:
        self.encoding = encoding
        self.can_drop = False
        self._output = output
        self._text = ""

    def write(self, text: str) -> int:
        """Take a text until the next flush."""
        self._text += text
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        text, self._text = self._text, ""
        if text:
            self._output.write(text, self.can_drop)

    def isatty(self) -> bool:
        """Return True."""
        return True


class Live:
    """A live view in the whole terminal; its last frame stays on the terminal."""

    interval_s = 0.25

    def __init__(self, console: "Console", colours: Mapping[str, str], hint: str, output: Output | None = None) -> None:
        """Create a view.

        Args:
            console: where it is drawn.
            colours: {city: colour}.
            hint: the last line.
            output: what a TerminalStream, the file of the console, writes to; None for a console with another file.
        """
        from rich.live import Live as RichLive

        self._console = console
        self._output = output
        self._colours = colours
        self._hint = hint
        self._live = RichLive(console=console, screen=True, auto_refresh=False, redirect_stdout=False)
        self._trends = layout.Trends()
        self._start = time.monotonic()
        self._sampled = float("-inf")
        self._notes: list[str] = []
        self._statuses: Statuses = []
        self._code: list[Text] = []
        self._code_until = float("-inf")

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._live.__exit__(*failure)
        if self._statuses:
            for line in self._frame(10_000, ""):
                self._console.print(line, no_wrap=True, overflow="crop", crop=True)

    def note(self, text: str) -> None:
        """Add a line about an event, with the time since the start; the view keeps the latest eight."""
        passed_s = int(time.monotonic() - self._start)
        self._notes = [*self._notes[-7:], f"{passed_s // 60}:{passed_s % 60:02} {text}"]

    def dashboard(self, address: str, is_shared: bool) -> None:
        """Put the address of the dashboard at the end of the view; at first with its QR code."""
        self._hint = f"Ctrl-C ends  ·  dashboard: {address}"
        if is_shared:
            self._code = draw_code(address)
            self._code_until = time.monotonic() + CODE_S

    def draw(self, statuses: Statuses) -> None:
        """Draw a frame; trends take one sample a second."""
        now = time.monotonic()
        if now - self._sampled >= 1:
            self._sampled = now
            self._trends.sample(statuses)
        self._statuses = statuses
        from rich.console import Group

        stream = self._console.file
        if isinstance(stream, TerminalStream):
            stream.can_drop = True  # a later frame takes its place, if the terminal stands still
        try:
            self._live.update(Group(*self._frame(self._console.height, self._hint)), refresh=True)
        finally:
            if isinstance(stream, TerminalStream):
                stream.can_drop = False

    end = draw

    async def finish(self, limit_s: float) -> None:
        """Wait until everything is printed, or for so many seconds. Raises OSError if the terminal is gone."""
        if self._output:
            await _wait_for_output(self._output, limit_s)

    def _frame(self, height: int, hint: str) -> "list[Text]":
        width = self._console.width
        code = self._code if hint and time.monotonic() < self._code_until else []
        return layout.frame(self._statuses, self._colours, self._trends, width, height, self._notes, hint, code)


def choose_display(as_json: bool, colours: Mapping[str, str], hint: str) -> JsonLines | Live:
    """Return the display for this stdout: JSON lines if asked for, else a live view on a terminal, else plain lines.

    Args:
        as_json: whether the user asked for JSON lines.
        colours: {city: colour}.
        hint: what the user may type next, for the last line of the live view.
    """
    if as_json:
        return JsonLines()
    from rich.console import Console

    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        output = Output(sys.stdout, report=lambda count: None, waiting_max_bytes=0)  # the latest frame is enough
        stream = cast("TextIO", TerminalStream(output, console.encoding))
        return Live(Console(file=stream), colours, hint, output)
    return PlainLines()


def print_address(address: str, is_shared: bool) -> None:
    """Print the address of a dashboard, on a terminal with its QR code if other machines can open it."""
    print(address, flush=True)
    if is_shared and sys.stdout.isatty():
        from rich.console import Console

        for line in draw_code(address):
            Console().print(line, no_wrap=True)


async def run_display(
    tasks: "Iterable[asyncio.Task[Any]]",
    display: Display,
    statuses: Callable[[], Statuses],
    duration_s: float | None = None,
    halt: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Draw statuses until one of the tasks is done or the time is over, and once more at the end.

    Args:
        tasks: tasks of the run; the exception of a task that is done is raised here.
        display: where to draw.
        statuses: function that returns the current statuses.
        duration_s: seconds after which to return; None for no limit.
        halt: coroutine function that is awaited before the last drawing, however the run ends.
    """
    start = due = time.monotonic()
    end = float("inf") if duration_s is None else start + duration_s
    done: set[asyncio.Task[Any]] = set()
    try:
        while not done and due < end:
            display.draw(statuses())
            # Skip what is already past: a display that is late does not draw twice to catch up.
            due = max(due + display.interval_s, time.monotonic())
            left_s = max(0, min(due, end) - time.monotonic())
            done, _ = await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        if halt is not None:
            await halt()
        display.end(statuses())
