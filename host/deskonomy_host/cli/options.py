"""Options that several commands share.

Here: the options, and the settings that follow from them. Not here: the commands (city.py, history.py, board.py).
"""

from typing import TYPE_CHECKING

import typer

from deskonomy_host.addresses import Address, parse_address, parse_host
from deskonomy_host.validation import SEED_MAX, make_parser, parse_integer, parse_seconds

if TYPE_CHECKING:
    from deskonomy_host.dashboard.app import DashboardSettings

Seed = typer.Option(
    parser=make_parser(parse_integer, "--seed", 0, SEED_MAX, 7),
    metavar="N",
    help="City number i has the seed N + i.  [1]",
)
Duration = typer.Option(
    parser=make_parser(parse_seconds, "--duration"), metavar="SECONDS", help="Stop after this many seconds."
)
Json = typer.Option("--json", help="On stdout one status line per second and city, and one at the end.")
HistoryFile = typer.Option(
    "--history", metavar="FILE.db", help="Keep the history there, for deskonomy history and plot."
)
Micropython = typer.Option(metavar="PATH", help="Another MicroPython than the one installed with this.")
Dashboard = typer.Option(
    "--dashboard/--no-dashboard", show_default=False, help="Show it in a browser.  [yes, but with --json no]"
)
DashboardAt = typer.Option(
    "--dashboard-at",
    metavar="ADDRESS:PORT",
    parser=make_parser(parse_address, "--dashboard-at", "127.0.0.1:8055"),
    help="Where the dashboard is; 0.0.0.0 shows it to your network.  [127.0.0.1:8055]",
)
Watch = typer.Option(
    metavar="HOST[:PORT]",
    parser=make_parser(parse_host, "--watch"),
    help="A board, or another run, to show in the same dashboard. Repeatable.",
)


def make_dashboard_settings(
    dashboard: bool | None, as_json: bool, at: Address | None, watch: list[tuple[str, int | None]] | None
) -> "DashboardSettings | None":
    """Return the settings of the dashboard that the options ask for; None for no dashboard.

    Args:
        dashboard: --dashboard or --no-dashboard; None if neither is given.
        as_json: whether stdout is for programs, which need no dashboard unless another option asks for it.
        at: where it listens; None for the default.
        watch: other machines whose cities it shows; their port is None for the usual ones.
    """
    from deskonomy_host.dashboard.app import DashboardSettings

    if dashboard is None:
        dashboard = not as_json or bool(at or watch)
    listen, port = at or (DashboardSettings.listen, DashboardSettings.port)
    return DashboardSettings(listen, port, watch or []) if dashboard else None
