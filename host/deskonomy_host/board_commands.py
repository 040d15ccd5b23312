"""The table of `deskonomy board ...`: words, help, and the module that does the work, loaded when it is asked for.

Here: what people type about boards. Not here: what it does.
"""

import re
from typing import Annotated, cast

import typer

from . import words
from .errors import Failed, Wrong

LOCALS_MAX = 1000  # what a board's config.json takes

app = typer.Typer(rich_markup_mode=None, help="Boards, real and simulated.")


def _level(word):
    level = words.amount("a sensor", 0, 1, "0.5")(word)
    return level / 1000


def _reading(word):
    """("light", 0.5) of "light=0.5"."""
    name, sign, level = word.partition("=")
    if not (name and sign):
        raise Wrong(f"--sensor takes NAME=0..1, such as light=0.5, not {word!r}")
    return name, _level(level)


def _heap(word):
    if not re.fullmatch(r"[1-9]\d{0,5}[kKmM]", word):
        raise Wrong(f"--heap takes a size, such as 112k, not {word!r}")
    return word


def _address(word):
    return words.shown(words.address("--connect")(word))


@app.command()
def sim(
    name: Annotated[
        str | None,
        typer.Option(metavar="CITY", parser=lambda word: words.name("--name", word), help="Its city.  [DESKTOWN]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            parser=words.whole("--port", 1, 65535, 55555), metavar="N", help="Or the next free one above.  [55555]"
        ),
    ] = None,
    dir: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A folder that is its flash, and stays.  [a new one, removed at the end]"),
    ] = None,
    sensor: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=0..1", parser=_reading, help="What a sensor reads at first. Repeatable.  [0.5]"),
    ] = None,
    heap: Annotated[str, typer.Option(metavar="SIZE", parser=_heap, help="Its memory.")] = "112k",
    seed: Annotated[
        int | None,
        typer.Option(
            parser=words.whole("--seed", 0, words.SEED_MAX, 7), metavar="N", help="Its city is born from it.  [7]"
        ),
    ] = None,
    locals_: Annotated[
        int | None,
        typer.Option(
            "--locals", parser=words.whole("--locals", 0, LOCALS_MAX, 20), metavar="N", help="In its city.  [20]"
        ),
    ] = None,
    connect: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", parser=_address, help="It dials this. Repeatable."),
    ] = None,
    micropython: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Another MicroPython (also: the environment's DESKONOMY_MICROPYTHON)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Where it is, then its status lines, on stdout; its log on stderr.")
    ] = False,
):
    """Run a simulated board: a real MicroPython behind a serial port, with the real firmware on it.

    The first line says where it is. Real mpremote works on its serial port. What is not said here is as its config.json
    says, in DIR.

    \b
    Example:
      deskonomy board sim --sensor light=0.8
      deskonomy board sim --name OAKHAM --seed 3 --connect 127.0.0.1:55555 --json
    """
    from . import board_sim

    board_sim.run(
        as_json,
        name=name,
        port=port,
        dir=dir,
        sensors=dict(cast("list[tuple[str, float]]", sensor or [])),
        heap=heap,
        seed=seed,
        locals_=locals_,
        connect=connect,
        micropython=micropython,
    )


@app.command()
def sense(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A sensor, such as light.")],
    value: Annotated[float, typer.Argument(metavar="VALUE", parser=_level, help="0 to 1 of what it can see.")],
    board: Annotated[
        str | None, typer.Option(metavar="CITY", help="The board's city, where more than one board is simulated.")
    ] = None,
):
    """Change what a simulated board's sensor reads, while it runs.

    \b
    Example:
      deskonomy board sense light 0.1
    """
    from . import control

    boards = [entry for entry in control.running() if "sense" in entry.commands and board in (None, *entry.cities)]
    if not boards:
        which = f"a board {board}" if board else "one"
        raise Failed(f"no simulated board is running; start {which}: deskonomy board sim --name {board or 'DESKTOWN'}")
    if len(boards) > 1:
        cities = ", ".join(entry.cities[-1] for entry in boards)
        raise Wrong(f"more than one board is simulated ({cities}): say which, as in --board {boards[0].cities[-1]}")
    control.ask(boards[0], "sense", name=name, value=value)
    print(f"{name} reads {value:g}")
