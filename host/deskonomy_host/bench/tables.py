"""The output of the bench: progress bars on stderr while it measures, tables on stdout at the end.

Here: everything that uses rich. Not here: measuring.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from deskonomy_host.bench.figure import Figure

_VERDICTS = {True: ("met", "green"), False: ("not met", "bold red"), None: ("not measured", "bold red")}


@contextlib.contextmanager
def progress_bars() -> "Iterator[ProgressBars]":
    """Show progress bars on stderr until the end of the block."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[step]}")
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield ProgressBars(progress)


class ProgressBars:
    """The progress bars of all sections."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def add(self, name: str) -> "ProgressBar":
        """Add a bar below the others."""
        return ProgressBar(self._progress, self._progress.add_task(name, total=1, step=""))


class ProgressBar:
    """The progress of a section."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def begin(self, steps: int) -> None:
        """Set the number of steps."""
        self._progress.update(self._task, total=max(1, steps))

    def describe(self, step: str) -> None:
        """Show a description of the next step."""
        self._progress.update(self._task, step=step)

    def step(self) -> None:
        """Count a step as done."""
        self._progress.advance(self._task)

    def finish(self) -> None:
        """Count the section as done, whether or not it used all steps."""
        self._progress.update(self._task, total=1, completed=1, step="")


def print_tables(sections: Mapping[str, Sequence[Figure]], result: Mapping[str, Any]) -> None:
    """Print a table for each section, {title: figures}, then how many targets are met.

    result: "quick", "seconds" and "machine" of the run.
    """
    console = Console(highlight=False)
    for title, figures in sections.items():
        console.print(title, style="bold")
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
        for justify in ("left", "right", "left", "right"):
            table.add_column(justify=justify, no_wrap=True)
        name = None
        for figure in figures:
            label = "" if figure.name == name else figure.name
            table.add_row(label, format_number(figure.median), figure.unit, _spread(figure), _verdict(figure))
            name = figure.name
        console.print(table)
        for note, about in _notes(figures).items():
            every = len(about) == len({figure.name for figure in figures})
            console.print(f"  {note}" if every else f"  {'; '.join(about)}: {note}", style="dim")
        console.print()
    targets = [figure for figures in sections.values() for figure in figures if figure.is_target]
    met = sum(1 for figure in targets if figure.met)
    unknown = sum(1 for figure in targets if figure.met is None)
    machine = result["machine"]
    console.print(f"{met} of {len(targets)} targets are met" + (f", {unknown} not measured" if unknown else ""))
    console.print(
        f"{result['seconds']:.0f} s on {machine['cores']} cores, {machine['architecture']} {machine['system']}, "
        f"CPython {machine['python']}"
    )
    if result["quick"]:
        console.print("--quick measures too briefly for reliable figures")


def format_number(value: float | None) -> str:
    """Return a number with three or more significant digits; "-" for None."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _notes(figures: Sequence[Figure]) -> dict[str, list[str]]:
    """Return {note: names of its figures}."""
    notes: dict[str, list[str]] = {}
    for figure in figures:
        about = notes.setdefault(figure.note, [])
        if figure.name not in about:
            about.append(figure.name)
    notes.pop("", None)
    return notes


def _spread(figure: Figure) -> str:
    return "" if figure.spread is None else f"± {figure.spread / 2:.1f} %"


def _verdict(figure: Figure) -> Text:
    text = Text()
    if figure.is_target:
        text.append(
            f"≥ {format_number(figure.at_least)}" if figure.at_most is None else f"≤ {format_number(figure.at_most)}"
        )
        verdict, style = _VERDICTS[figure.met]
        text.append(": " + verdict, style)
    return text
