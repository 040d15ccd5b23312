"""The table of commands, and what is said to words that make none.

Here: which commands there are, and those that are about no city. Not here: the words of the others (city_commands.py,
history_commands.py, board_commands.py), how a command ends (cli.py).
"""

from typing import Annotated

import typer

from deskonomy_host.cli import board as board_commands
from deskonomy_host.cli import city as city_commands
from deskonomy_host.cli import history as history_commands
from deskonomy_host.errors import OperationError, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(board_commands.app, name="board")


def run(line):
    """Run one command line (a list of words); its exit status. Raises UsageError, OperationError and whatever a
    command raises."""
    table = typer.main.get_command(app)
    try:
        return table.main(args=line or ["--help"], prog_name="deskonomy", standalone_mode=False) or 0
    except SystemExit:  # typer's answer to a pipe that nobody reads
        raise OperationError("nobody reads stdout any more") from None
    except typer.Abort:
        return 130
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's usage errors, whatever class each is of
            raise UsageError(_instead(error, line, table)) from None
        raise


def _instead(error, line, command):
    """A usage error in one line, with what to type instead. command: the table of all commands."""
    said = error.format_message().rstrip(".")
    if "id you mean" in said or "ossible options" in said:
        return said
    path = ["deskonomy"]
    while hasattr(command, "commands"):
        following = line[len(path) - 1 :]
        if not following or following[0] not in command.commands:
            return f"{said}; type one of: {', '.join(' '.join([*path, name]) for name in command.commands)}"
        path.append(following[0])
        command = command.commands[following[0]]
    wanted = [param.metavar for param in command.params if param.param_type_name == "argument"]
    for param in command.params:
        if param.param_type_name == "option" and (param.required or getattr(error, "option_name", None) in param.opts):
            wanted += [param.opts[0], *([param.metavar] if param.metavar else [])]
    return f"{said}; type: {' '.join([*path, *wanted])}"


def _print_version(wanted):
    if wanted:
        from importlib.metadata import version

        print(f"deskonomy {version('deskonomy')}")
        raise typer.Exit


@app.callback()
def deskonomy(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
):
    """Cities on ESP32 boards and on this machine that trade with each other, moved by what sensors see.

    Begin with:  deskonomy demo
    """


for name, command in (
    ("demo", city_commands.demo),
    ("run", city_commands.run_cities),
    ("school", city_commands.school),
    ("connect", city_commands.connect),
    ("influence", city_commands.influence),
):
    app.command(name)(command)


@app.command()
def keygen(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write it.")] = "deskonomy.key",
):
    """Make a key, for cities that trade with nobody else.

    \b
    Example:
      deskonomy keygen
      deskonomy run RIVERWOOD --key-file deskonomy.key
    """
    from deskonomy_host.roads.keyring import keygen

    keygen(file)


app.command()(history_commands.history)
app.command()(history_commands.plot)


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Only see that everything works.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SECTION",
            help="engines, growth, processes, memory, codec, road, board, start or instructions. Repeatable.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as one JSON object on stdout.")] = False,
    micropython: Annotated[
        str | None, typer.Option(metavar="PATH", help="Another MicroPython than the one installed with this.")
    ] = None,
):
    """Measure how fast everything is, here and now.

    It takes some minutes. The figures are this machine's, also those of MicroPython: a board is another matter.

    \b
    Example:
      deskonomy bench
      deskonomy bench --only engines --json
    """
    from deskonomy_host import bench

    bench.bench(quick, only or (), as_json, micropython)
