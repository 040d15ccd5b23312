"""The commands that read histories: `deskonomy history` and `plot`.

Here: their arguments, and the module that does the work, loaded when it is needed. Not here: the work.
"""

from typing import Annotated, cast

import typer

from deskonomy_host.addresses import Address
from deskonomy_host.cli import options
from deskonomy_host.validation import make_parser, parse_choice


def history(
    file: Annotated[str, typer.Argument(metavar="FILE.db", help="What deskonomy run --history wrote, or writes.")],
    csv: Annotated[str | None, typer.Option("--csv", metavar="DIR", help="Write its tables there as CSV.")] = None,
    parquet: Annotated[
        str | None, typer.Option("--parquet", metavar="DIR", help="Write its tables there as Parquet.")
    ] = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Play it back in a browser.")] = False,
    dashboard_at: Annotated[tuple | None, options.DashboardAt] = None,
) -> None:
    """Summarise a history, export it, or play it back.

    \b
    Example:
      deskonomy run RIVERWOOD SEASIDE --history two.db
      deskonomy history two.db
      deskonomy history two.db --csv two/
      deskonomy history two.db --dashboard
    """
    from deskonomy_host.apps import playback
    from deskonomy_host.history import export

    if dashboard or dashboard_at:
        settings = options.make_dashboard_settings(True, False, cast("Address | None", dashboard_at), None)
        playback.play(file, settings)
    else:
        export.export_history(file, csv, parquet)


def plot(
    files: Annotated[list[str], typer.Argument(metavar="FILE.db...", help="Histories; several become one picture.")],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE.png|svg", help="The picture.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            parser=make_parser(parse_choice, "--only", ("prices", "merchants", "leisure", "board")),
            metavar="PANEL",
            help="prices, merchants, leisure or board. Repeatable.  [all that there is]",
        ),
    ] = None,
    good: Annotated[
        list[str] | None, typer.Option(metavar="GOOD", help="Prices of this good. Repeatable.  [all goods]")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Above the picture.")] = None,
    axis: Annotated[
        str,
        typer.Option(
            parser=make_parser(parse_choice, "--axis", ("time", "ticks")),
            metavar="time|ticks",
            help="The horizontal axis.",
        ),
    ] = "time",
) -> None:
    """Draw histories: price bands by good, merchants by good, leisure against wealth, a board's cause and effect.

    \b
    Example:
      deskonomy plot two.db -o prices.png
      deskonomy plot west.db east.db -o beds.svg --only prices --good bed
    """
    from deskonomy_host.history import plot

    print(plot.plot(files, output, only or (), title, axis, good or ()))
