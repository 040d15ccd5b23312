"""The words of what reads histories: `deskonomy history` and `plot`.

Here: what people type, and the module that does the work, loaded when it is asked for. Not here: what it does.
"""

from typing import Annotated

import typer

from deskonomy_host import validation as words
from deskonomy_host.cli.city import DashboardAt, wish


def history(
    file: Annotated[str, typer.Argument(metavar="FILE.db", help="What deskonomy run --history wrote, or writes.")],
    csv: Annotated[str | None, typer.Option("--csv", metavar="DIR", help="Write its tables there as CSV.")] = None,
    parquet: Annotated[
        str | None, typer.Option("--parquet", metavar="DIR", help="Write its tables there as Parquet.")
    ] = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Play it back in a browser.")] = False,
    dashboard_at: Annotated[tuple | None, DashboardAt] = None,
):
    """Say what a history holds, export it, or play it back.

    \b
    Example:
      deskonomy run RIVERWOOD SEASIDE --history two.db
      deskonomy history two.db
      deskonomy history two.db --csv two/
      deskonomy history two.db --dashboard
    """
    from deskonomy_host.apps import playback as history_player
    from deskonomy_host.history import export as history_export

    if dashboard or dashboard_at:
        history_player.play(file, wish(True, False, dashboard_at, None))
    else:
        history_export.show(file, csv, parquet)


def plot(
    files: Annotated[list[str], typer.Argument(metavar="FILE.db...", help="Histories; several become one picture.")],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE.png|svg", help="The picture.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            parser=words.one_of("--only", ("prices", "merchants", "leisure", "board")),
            metavar="PANEL",
            help="prices, merchants, leisure or board. Repeatable.  [all that there is]",
        ),
    ] = None,
    good: Annotated[
        list[str] | None, typer.Option(metavar="GOOD", help="Prices of this good. Repeatable.  [all goods]")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Above the picture.")] = None,
    axis: Annotated[
        str, typer.Option(parser=words.one_of("--axis", ("time", "ticks")), metavar="time|ticks", help="Below it.")
    ] = "time",
):
    """Draw histories: price bands a good, merchants by good, leisure against wealth, a board's cause and effect.

    \b
    Example:
      deskonomy plot two.db -o prices.png
      deskonomy plot west.db east.db -o beds.svg --only prices --good bed
    """
    from deskonomy_host.history import plot

    print(plot.plot(files, output, only or (), title, axis, good or ()))
