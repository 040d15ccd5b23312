"""Where the statuses of running cities go: JSON lines, a live view of the terminal, or plain lines where there is none.

Here: the three kinds of display and the loop that feeds one. Not here: how a frame looks (view.py).
"""

import asyncio
import contextlib
import json
import sys
import time

from deskonomy_host.terminal import layout as view


class JsonLines:
    """One status line a second and city on stdout, nothing else there; what happens is told on stderr."""

    interval_s = 1.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def note(self, text):
        """Say what happened. Never raises: who tells of it has nothing to do with who listens; show() notices."""
        with contextlib.suppress(OSError):
            print(text, file=self._notes_to(), flush=True)

    def dashboard(self, address):
        """Say where the dashboard is."""
        self.note(f"dashboard: {address}")

    def _notes_to(self):
        return sys.stderr

    def show(self, statuses):
        for status in statuses:
            line = {key: value for key, value in status.items() if key != "detail"}  # that is for pictures
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    end = show


class PlainLines(JsonLines):
    """The same for people, where stdout is no terminal."""

    def _notes_to(self):
        return sys.stdout

    def show(self, statuses):
        print("\n".join(view.plain(status) for status in statuses), flush=True)

    end = show


class Live:
    """The whole terminal; what it showed last stays on it."""

    interval_s = 0.25

    def __init__(self, console, colours, hint):
        from rich.live import Live as RichLive

        self._console = console
        self._colours = colours
        self._hint = hint
        self._live = RichLive(console=console, screen=True, auto_refresh=False, redirect_stdout=False)
        self._trends = view.Trends()
        self._start = time.monotonic()
        self._sampled = float("-inf")
        self._notes = []
        self._statuses = []

    def __enter__(self):
        self._live.__enter__()
        return self

    def __exit__(self, *failure):
        self._live.__exit__(*failure)
        if self._statuses:
            for line in self._frame(10_000, ""):
                self._console.print(line, no_wrap=True, overflow="crop", crop=True)

    def note(self, text):
        passed_s = int(time.monotonic() - self._start)
        self._notes = [*self._notes[-7:], f"{passed_s // 60}:{passed_s % 60:02} {text}"]

    def dashboard(self, address):
        """Say where the dashboard is, as long as the view lasts."""
        self._hint = f"Ctrl-C ends  ·  dashboard: {address}"

    def show(self, statuses):
        now = time.monotonic()
        if now - self._sampled >= 1:
            self._sampled = now
            self._trends.sample(statuses)
        self._statuses = statuses
        from rich.console import Group

        self._live.update(Group(*self._frame(self._console.height, self._hint)), refresh=True)

    end = show

    def _frame(self, height, hint):
        width = self._console.width
        return view.frame(self._statuses, self._colours, self._trends, width, height, self._notes, hint)


def choose(as_json, colours, hint):
    """The display for this stdout: JSON lines if asked for, else a live view on a terminal, else plain lines.

    colours: {city: colour}. hint: what else to type, for the live view's last line.
    """
    if as_json:
        return JsonLines()
    from rich.console import Console

    console = Console()
    if console.is_terminal and not console.is_dumb_terminal:
        return Live(console, colours, hint)
    return PlainLines()


async def show_until(tasks, display, statuses, duration_s=None, halt=None):
    """Show what statuses() gives until one of the tasks is done or the time is over, and once more at the end.

    halt: coroutine function that is awaited before the end is shown, however it comes.
    """
    start = due = time.monotonic()
    end = float("inf") if duration_s is None else start + duration_s
    done = set()
    try:
        while not done and due < end:
            display.show(statuses())
            # Skip what is already past: a display that fell behind does not hurry to catch up.
            due = max(due + display.interval_s, time.monotonic())
            left_s = max(0, min(due, end) - time.monotonic())
            done, _ = await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        if halt is not None:
            await halt()
        display.end(statuses())
