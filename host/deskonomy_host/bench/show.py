"""What a user of the bench sees: bars on stderr while it measures, tables on stdout at the end.

Here: rich. Not here: what is measured.
"""

import contextlib

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

_VERDICTS = {True: ("met", "green"), False: ("not met", "bold red"), None: ("not measured", "bold red")}


@contextlib.contextmanager
def bars():
    """A display of bars on stderr for as long as the block lasts; .bar(name) adds one."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[doing]}")
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bars(progress)


class Bars:
    def __init__(self, progress):
        self._progress = progress

    def bar(self, name):
        """A new Bar below the others."""
        return Bar(self._progress, self._progress.add_task(name, total=1, doing=""))


class Bar:
    """How far a section has come."""

    def __init__(self, progress, task):
        self._progress = progress
        self._task = task

    def begin(self, steps):
        """It will take so many steps."""
        self._progress.update(self._task, total=max(1, steps))

    def doing(self, what):
        """Say what the next step is."""
        self._progress.update(self._task, doing=what)

    def step(self):
        """One step is done."""
        self._progress.advance(self._task)

    def finish(self):
        """The section is done, whatever steps it left out."""
        self._progress.update(self._task, total=1, completed=1, doing="")


def print_tables(sections, result):
    """Print a table for each of {title: [Figure]}, then how many of the targets are met."""
    console = Console(highlight=False)
    for title, figures in sections.items():
        console.print(title, style="bold")
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
        for justify in ("left", "right", "left", "right"):
            table.add_column(justify=justify, no_wrap=True)
        name = None
        for figure in figures:
            shown = "" if figure.name == name else figure.name
            table.add_row(shown, number(figure.median), figure.unit, _spread(figure), _verdict(figure))
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
        console.print("--quick measures too briefly for these figures to mean much")


def number(value):
    """A number in as many digits as it deserves; "-" for None."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _notes(figures):
    """{note: [names of the figures that it is about]}"""
    notes = {}
    for figure in figures:
        about = notes.setdefault(figure.note, [])
        if figure.name not in about:
            about.append(figure.name)
    notes.pop("", None)
    return notes


def _spread(figure):
    return "" if figure.spread is None else f"± {figure.spread / 2:.1f} %"


def _verdict(figure):
    text = Text()
    if figure.is_target:
        text.append(f"≥ {number(figure.at_least)}" if figure.at_most is None else f"≤ {number(figure.at_most)}")
        verdict, style = _VERDICTS[figure.met]
        text.append(": " + verdict, style)
    return text
