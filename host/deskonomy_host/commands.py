"""The table of commands: their words, their help, and the module that does the work, loaded when it is asked for.

Here: what people type. Not here: what it does, how it ends (cli.py).
"""

from typing import Annotated

import typer

from . import board_commands, words
from .errors import Failed, Wrong

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(board_commands.app, name="board")


def run(line):
    """Run one command line (a list of words); its exit status. Raises Wrong, Failed and whatever a command raises."""
    table = typer.main.get_command(app)
    try:
        return table.main(args=line or ["--help"], prog_name="deskonomy", standalone_mode=False) or 0
    except SystemExit:  # typer's answer to a pipe that nobody reads
        raise Failed("nobody reads stdout any more") from None
    except typer.Abort:
        return 130
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's usage errors, whatever class each is of
            raise Wrong(_instead(error, line, table)) from None
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
        if getattr(error, "option_name", None) in param.opts:
            wanted += [error.option_name, *([param.metavar] if param.metavar else [])]
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


Seed = typer.Option(
    parser=words.whole("--seed", 0, words.SEED_MAX, 7), metavar="N", help="City number i is born from N + i.  [1]"
)
Duration = typer.Option(parser=words.seconds("--duration"), metavar="SECONDS", help="Stop after so many seconds.")
Json = typer.Option("--json", help="One status line a second and city on stdout, and one at the end.")
City = typer.Argument(metavar="CITY", help="A city that runs on this machine.")


@app.command()
def demo(
    day: Annotated[
        bool, typer.Option("--day/--no-day", help="Cover and uncover the light sensor every so often.  [--day]")
    ] = True,
    duration: Annotated[float | None, Duration] = None,
    as_json: Annotated[bool, Json] = False,
    micropython: Annotated[
        str | None, typer.Option(metavar="PATH", help="Another MicroPython than the one installed with this.")
    ] = None,
):
    """The whole story on one machine: a board and two cities.

    The board is simulated: a real MicroPython that runs the real firmware, copied there by the real mpremote. Its light
    sensor decides how much wood its city can make; the two cities here trade with it.

    \b
    Example:
      deskonomy demo
      deskonomy board sense light 0.1     (in another terminal)
    """
    from . import demo

    demo.demo(day, duration, as_json, micropython)


@app.command("run")
def run_cities(
    cities: Annotated[
        list[str], typer.Argument(metavar="CITY...|world.toml", help="Names of cities, or a world file.")
    ],
    connect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT", parser=words.address("--connect"), help="The first city dials this. Repeatable."
        ),
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="0.0.0.0 lets boards in your network in.  [127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            parser=words.whole("--port", 1, 65535, 55555), metavar="N", help="The next free ones follow.  [55555]"
        ),
    ] = None,
    seed: Annotated[int | None, Seed] = None,
    locals_: Annotated[
        int | None,
        typer.Option(
            "--locals", parser=words.whole("--locals", 0, words.LOCALS_MAX, 20), metavar="N", help="In each city.  [20]"
        ),
    ] = None,
    merchants: Annotated[
        int | None,
        typer.Option(
            parser=words.whole("--merchants", 0, words.LOCALS_MAX, 10),
            metavar="N",
            help="In each city.  [half as many as locals]",
        ),
    ] = None,
    ticks: Annotated[
        int | None,
        typer.Option(parser=words.whole("--ticks", 1, 10**12, 5000), metavar="N", help="Stop after so many ticks."),
    ] = None,
    duration: Annotated[float | None, Duration] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            parser=words.speed("--speed"),
            metavar="TICKS_PER_SECOND|max",
            help="How fast time passes.  [20, for watching]",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            parser=words.one_of("--engine", ("plain", "numba")),
            metavar="plain|numba",
            help="What runs the kernel; all give the same bits.  [the one that suits the speed]",
        ),
    ] = None,
    as_json: Annotated[bool, Json] = False,
):
    """Run cities on this machine.

    There is a road between each pair, and each listens for more from elsewhere.

    \b
    Example:
      deskonomy run RIVERWOOD SEASIDE
      deskonomy run RIVERWOOD SEASIDE --connect desktown.local:55555
      deskonomy run RIVERWOOD --ticks 5000 --speed max --seed 7 --json
      deskonomy run world.toml

    \b
    A world file says more; what is typed wins over it:
      speed = 20
      roads = [["RIVERWOOD", "SEASIDE"]]
      connect = ["desktown.local:55555"]
      [cities.RIVERWOOD]
      colour = "green"
      recipes = { bed = { wood = 2, thread = 1 } }
      [cities.SEASIDE]
      locals = 40
      [goods.fur]
      value = [20, 30]
      half = 4
    """
    from . import run, world, world_file

    if any(name.endswith(".toml") for name in cities):
        if len(cities) > 1:
            raise Wrong("a world file stands alone: type deskonomy run world.toml, or the names of cities")
        plan = world_file.read(cities[0])
    else:
        plan = world.of_names(cities)
    plan = world.with_words(
        plan,
        dial=connect or [],
        listen=listen,
        port=port,
        seed=seed,
        locals_=locals_,
        merchants=merchants,
        speed=speed,
        engine=engine,
    )
    run.run(plan, ticks, duration, as_json)


@app.command()
def school(
    address: Annotated[
        tuple, typer.Argument(metavar="HOST:PORT", parser=words.address("school"), help="Where a city listens.")
    ],
    count: Annotated[
        int, typer.Option(parser=words.whole("--count", 1, 10_000, 10), metavar="N", help="How many to send.")
    ] = 10,
    good: Annotated[str, typer.Option(metavar="GOOD", help="What they buy and sell.")] = "chair",
    money: Annotated[
        int | None,
        typer.Option(
            parser=words.amount("--money", 0, words.MONEY_MAX, 1200), metavar="COINS", help="What each has.  [1211.48]"
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(parser=words.seconds("--wait"), metavar="SECONDS", help="How long to wait for them.")
    ] = 10,
):
    """Send trained merchants into a city, count who comes back.

    \b
    Example:
      deskonomy school 127.0.0.1:55555
      deskonomy school desktown.local:55555 --count 3 --good bed --wait 60
    """
    from . import school

    words.name("--good", good)
    host, port = address
    school.send(host, port, count, good, school.MONEY_MILLS if money is None else money, wait)


@app.command()
def connect(
    city: Annotated[str, City],
    address: Annotated[
        tuple, typer.Argument(metavar="HOST:PORT", parser=words.address("connect"), help="Where a city listens.")
    ],
):
    """Have a running city dial another.

    It dials at once, and again whenever the road is lost.

    \b
    Example:
      deskonomy connect RIVERWOOD desktown.local:55555
    """
    from .control import send

    send(city, "connect", address=words.shown(address))
    print(f"{city} dials {words.shown(address)}")


@app.command()
def influence(
    city: Annotated[str, City],
    good: Annotated[str, typer.Argument(metavar="GOOD", help="A good that it makes, such as wood.")],
    yield_: Annotated[
        str, typer.Argument(metavar="YIELD", help="0 to 100; 1 is normal; auto is up to the sensors again.")
    ],
):
    """Change how well a good is made in a running city.

    YIELD is how much one act of making gives; a city on a board listens as well as one on a host.

    \b
    Example:
      deskonomy influence RIVERWOOD wood 0.5
      deskonomy influence DESKTOWN wood auto
    """
    from .control import send

    wanted_mills = None if yield_ == "auto" else words.amount("YIELD", 0, 100, "0.5 (or auto)")(yield_)
    reply = send(city, "influence", good=good, yield_mills=wanted_mills)
    print(f"{city}: one act of making {good} gives {reply['yield_mills'] / 1000:g}")


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Only see that everything works.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SECTION", help="engines, growth, memory, codec, road, board, start or instructions. Repeatable."
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
    from . import bench

    bench.bench(quick, only or (), as_json, micropython)
