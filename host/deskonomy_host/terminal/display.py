"""Displays of running cities: JSON lines, a live view of the terminal, or plain lines.

Here: the three displays and the loop that feeds one. Not here: the content of a frame (layout.py).
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from deskonomy_host.terminal import layout

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Statuses = Sequence[Mapping[str, Any]]


class Display(Protocol):
    """A display: a context manager that draws statuses every `interval_s` seconds and prints notes at any time."""

    interval_s: float

    def __enter__(self) -> Self: ...

    def __exit__(self, *failure: object) -> None: ...

    def note(self, text: str) -> None:
        """Print one line about an event."""

    def dashboard(self, address: str) -> None:
        """Print the address of the dashboard."""

    def draw(self, statuses: Statuses) -> None:
        """Draw the current statuses."""

    def end(self, statuses: Statuses) -> None:
        """Draw the statuses at the end of the run."""


class JsonLines:
    """One status line a second for each city on stdout, and nothing else there; notes go to stderr."""

    interval_s = 1.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        pass

    def note(self, text: str) -> None:
        """Print one line about an event. A closed pipe raises nothing here: draw() meets it, too."""
        with contextlib.suppress(OSError):
            print(text, file=self._notes_file(), flush=True)

    def dashboard(self, address: str) -> None:
        """Print the address of the dashboard."""
        self.note(f"dashboard: {address}")

    def _notes_file(self) -> TextIO:
        return sys.stderr

    def draw(self, statuses: Statuses) -> None:
        """Print a status line for each city, without its detail, which only pictures need."""
        for status in statuses:
            line = {key: value for key, value in status.items() if key != "detail"}
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    end = draw


class PlainLines(JsonLines):
    """One readable line a second for each city, where stdout is not a terminal."""

    def _notes_file(self) -> TextIO:
        return sys.stdout

    def draw(self, statuses: Statuses) -> None:
        """Print a line for each city."""
        print("\n".join(layout.plain_line(status) for status in statuses), flush=True)

    end = draw


class Live:
    """A live view in the whole terminal; its last frame stays on the terminal."""

    interval_s = 0.25

    def __init__(self, console: "Console", colours: Mapping[str, str], hint: str) -> None:
        from rich.live import Live as RichLive

        self._console = console
        self._colours = colours
        self._hint = hint
        self._live = RichLive(console=console, screen=True, auto_refresh=False, redirect_stdout=False)
        self._trends = layout.Trends()
        self._start = time.monotonic()
        self._sampled = float("-inf")
        self._notes: list[str] = []
        self._statuses: Statuses = []

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

    def dashboard(self, address: str) -> None:
        """Put the address of the dashboard into the last line, as long as the view lasts."""
        self._hint = f"Ctrl-C ends  ·  dashboard: {address}"

    def draw(self, statuses: Statuses) -> None:
        """Draw a frame; trends take one sample a second."""
        now = time.monotonic()
        if now - self._sampled >= 1:
            self._sampled = now
            self._trends.sample(statuses)
        self._statuses = statuses
        from rich.console import Group

        self._live.update(Group(*self._frame(self._console.height, self._hint)), refresh=True)

    end = draw

    def _frame(self, height: int, hint: str) -> "list[Text]":
        width = self._console.width
        return layout.frame(self._statuses, self._colours, self._trends, width, height, self._notes, hint)


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
        return Live(console, colours, hint)
    return PlainLines()


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
