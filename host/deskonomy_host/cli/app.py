"""The table of commands, and the error message for a command line that is not valid.

Here: which commands there are, and those that concern no city. Not here: the arguments of the others (city.py,
history.py, board.py), how a command ends (cli/__init__.py).
"""

from typing import Annotated, Any

import typer

from deskonomy_host.cli import board, city, history, options
from deskonomy_host.errors import OperationError, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(board.app, name="board")


def run(arguments: list[str]) -> int:
    """Run one command line; return its exit status.

    Raises:
        UsageError: the arguments are not valid.
        OperationError: the operation fails; also every other exception of a command is raised.
    """
    table = typer.main.get_command(app)
    _hide_types(table)
    try:
        return table.main(args=arguments or ["--help"], prog_name="deskonomy", standalone_mode=False) or 0
    except SystemExit:  # raised by typer if stdout is a pipe that has been closed
        raise OperationError("stdout is closed: no program reads it any more") from None
    except typer.Abort:
        return 130
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's usage errors have no common class
            raise UsageError(_explain_usage_error(error, arguments, table)) from None
        raise


def _hide_types(command: Any) -> None:
    """Leave out the Python types that typer puts behind the arguments in the help; options show their metavar only."""
    for part in getattr(command, "commands", {}).values():
        _hide_types(part)
    for param in command.params:
        if param.param_type_name == "argument":
            param.display_type_rich = lambda **_: ""


def _explain_usage_error(error: Any, arguments: list[str], command: Any) -> str:
    """Return a usage error in one line, with what to type instead; command: the table of all commands."""
    message = error.format_message().rstrip(".")
    if "id you mean" in message or "ossible options" in message:
        return message
    path = ["deskonomy"]
    while hasattr(command, "commands"):
        rest = arguments[len(path) - 1 :]
        if not rest or rest[0] not in command.commands:
            return f"{message}; type one of: {', '.join(' '.join([*path, name]) for name in command.commands)}"
        path.append(rest[0])
        command = command.commands[rest[0]]
    wanted = [param.metavar for param in command.params if param.param_type_name == "argument"]
    for param in command.params:
        if param.param_type_name == "option" and (param.required or getattr(error, "option_name", None) in param.opts):
            wanted += [param.opts[0], *([param.metavar] if param.metavar else [])]
    return f"{message}; type: {' '.join([*path, *wanted])}"


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from deskonomy.version import SOFTWARE, WIRE

        print(f"deskonomy {SOFTWARE}, wire version {WIRE}")
        raise typer.Exit


@app.callback()
def deskonomy(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions.",
        ),
    ] = False,
) -> None:
    """Cities on ESP32 boards and on this machine that trade with each other, moved by what sensors measure.

    Begin with:  deskonomy demo
    """


for _name, _command in (
    ("demo", city.demo),
    ("run", city.run_cities),
    ("school", city.school),
    ("connect", city.connect),
    ("forget", city.forget),
    ("influence", city.influence),
):
    app.command(_name)(_command)


@app.command()
def keygen(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write it.")] = "deskonomy.key",
) -> None:
    """Make a key, for cities that trade only with peers that have it.

    \b
    Example:
      deskonomy keygen
      deskonomy run RIVERWOOD --key-file deskonomy.key
    """
    from deskonomy_host.roads import keyring as keys

    keys.create_key_file(file)


app.command()(history.history)
app.command()(history.plot)


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Only check that everything works.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SECTION",
            help="engines, growth, processes, memory, codec, road, board, start or instructions. Repeatable.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as one JSON object on stdout.")] = False,
    micropython: Annotated[str | None, options.Micropython] = None,
) -> None:
    """Measure how fast everything is, here and now.

    It takes some minutes. The figures are those of this machine, also those of MicroPython: a board is slower.

    \b
    Example:
      deskonomy bench
      deskonomy bench --only engines --json
    """
    from deskonomy_host import bench

    bench.bench(quick, only or (), as_json, micropython)
