"""The commands that run cities or talk to them: `deskonomy demo`, `run`, `school`, `connect`, `forget`, `influence`.

Here: their arguments, and the module that does the work, loaded when it is needed. Not here: the work.
"""

from typing import Annotated, cast

import typer

from deskonomy_host import validation
from deskonomy_host.addresses import PORT_MAX, Address, parse_address
from deskonomy_host.cli import options
from deskonomy_host.errors import UsageError
from deskonomy_host.validation import LOCALS_MAX, make_parser, parse_amount, parse_choice, parse_integer

COUNT_MAX = 10_000  # merchants of one school
TICKS_MAX = 10**12
PROCESSES_MAX = 256

City = typer.Argument(metavar="CITY", help="A city that runs on this machine.")


def demo(
    day: Annotated[
        bool, typer.Option("--day/--no-day", help="Cover and uncover the light sensor every so often.")
    ] = True,
    duration: Annotated[float | None, options.Duration] = None,
    as_json: Annotated[bool, options.Json] = False,
    micropython: Annotated[str | None, options.Micropython] = None,
    history: Annotated[str | None, options.HistoryFile] = None,
    dashboard: Annotated[bool | None, options.Dashboard] = None,
    dashboard_at: Annotated[tuple | None, options.DashboardAt] = None,
    watch: Annotated[list[str] | None, options.Watch] = None,
) -> None:
    """The whole story on one machine: a board and two cities.

    The board is simulated: a real MicroPython that runs the real firmware, copied there by the real mpremote. Its light
    sensor decides how much wood its city can make; the two cities here trade with it.

    \b
    Example:
      deskonomy demo
      deskonomy board sense light 0.1     (in another terminal)
    """
    from deskonomy_host.apps import demo
    from deskonomy_host.apps.compose import RunSettings

    shown_at = options.make_dashboard_settings(
        dashboard, as_json, cast("Address | None", dashboard_at), cast("list[tuple[str, int | None]] | None", watch)
    )
    demo.demo(RunSettings(as_json, duration, history, shown_at), day, micropython)


def run_cities(
    cities: Annotated[
        list[str], typer.Argument(metavar="CITY...|world.toml", help="Names of cities, or a world file.")
    ],
    connect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            parser=make_parser(parse_address, "--connect"),
            help="The first city dials this. Repeatable.",
        ),
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="0.0.0.0 lets boards in your network in.  [127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_integer, "--port", 1, PORT_MAX, 55555),
            metavar="N",
            help="The first city's; the others take the next free ones.  [55555]",
        ),
    ] = None,
    seed: Annotated[int | None, options.Seed] = None,
    locals_: Annotated[
        int | None,
        typer.Option(
            "--locals",
            parser=make_parser(parse_integer, "--locals", 0, LOCALS_MAX, 20),
            metavar="N",
            help="In each city.  [20]",
        ),
    ] = None,
    merchants: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_integer, "--merchants", 0, LOCALS_MAX, 10),
            metavar="N",
            help="In each city.  [half as many as locals]",
        ),
    ] = None,
    ticks: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_integer, "--ticks", 1, TICKS_MAX, 5000),
            metavar="N",
            help="Stop after this many ticks.",
        ),
    ] = None,
    duration: Annotated[float | None, options.Duration] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            parser=make_parser(validation.parse_speed, "--speed"),
            metavar="TICKS_PER_SECOND|max",
            help="How fast time passes.  [20, for watching]",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            parser=make_parser(parse_choice, "--engine", ("plain", "numba")),
            metavar="plain|numba",
            help="What runs the kernel; all give the same bits.  [the one that suits]",
        ),
    ] = None,
    key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Trade only with peers that have the key in it; see deskonomy keygen."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_integer, "--processes", 1, PROCESSES_MAX, 2),
            metavar="N",
            help="Spread the cities over this many, with the same result.  [as many as pay]",
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Save the cities there, and continue those saved there; needs a single process."
        ),
    ] = None,
    as_json: Annotated[bool, options.Json] = False,
    history: Annotated[str | None, options.HistoryFile] = None,
    dashboard: Annotated[bool | None, options.Dashboard] = None,
    dashboard_at: Annotated[tuple | None, options.DashboardAt] = None,
    watch: Annotated[list[str] | None, options.Watch] = None,
) -> None:
    """Run cities on this machine.

    There is a road between each pair, and each listens for peers on other machines.

    \b
    Example:
      deskonomy run RIVERWOOD SEASIDE
      deskonomy run RIVERWOOD SEASIDE --connect desktown.local:55555
      deskonomy run RIVERWOOD --watch desktown.local
      deskonomy run RIVERWOOD --ticks 5000 --speed max --seed 7 --json
      deskonomy run RIVERWOOD SEASIDE --history two.db
      deskonomy run RIVERWOOD SEASIDE --state saved
      deskonomy run world.toml

    \b
    A world file has more settings; options take precedence over it:
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
    from deskonomy_host.apps import run
    from deskonomy_host.apps.compose import RunSettings
    from deskonomy_host.world import file as world_file
    from deskonomy_host.world.plan import override_plan, plan_cities

    if any(name.endswith(".toml") for name in cities):
        if len(cities) > 1:
            raise UsageError("a world file stands alone: type deskonomy run world.toml, or the names of cities")
        plan = world_file.read(cities[0])
    else:
        plan = plan_cities(cities)
    plan = override_plan(
        plan,
        dial=cast("list[Address]", connect or []),
        listen=listen,
        port=port,
        seed=seed,
        locals_=locals_,
        merchants=merchants,
        speed=speed,
        engine=engine,
        key_file=key_file,
    )
    if state and (processes or 1) > 1:
        raise UsageError("--state runs all cities in one process: leave out --processes")
    shown_at = options.make_dashboard_settings(
        dashboard, as_json, cast("Address | None", dashboard_at), cast("list[tuple[str, int | None]] | None", watch)
    )
    run.run(plan, RunSettings(as_json, duration, history, shown_at), ticks, processes, state)


def school(
    address: Annotated[
        tuple,
        typer.Argument(metavar="HOST:PORT", parser=make_parser(parse_address, "school"), help="Where a city listens."),
    ],
    count: Annotated[
        int,
        typer.Option(
            parser=make_parser(parse_integer, "--count", 1, COUNT_MAX, 10),
            metavar="N",
            help="How many merchants to send.",
        ),
    ] = 10,
    good: Annotated[str, typer.Option(metavar="GOOD", help="What they buy and sell.")] = "chair",
    money: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_amount, "--money", 0, validation.MONEY_MAX, 1200),
            metavar="COINS",
            help="What each of them has.  [1211.48]",
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            parser=make_parser(validation.parse_seconds, "--wait"),
            metavar="SECONDS",
            help="How long to wait for their return.",
        ),
    ] = 10,
) -> None:
    """Send trained merchants into a city, and count those that return.

    \b
    Example:
      deskonomy school 127.0.0.1:55555
      deskonomy school desktown.local:55555 --count 3 --good bed --wait 60
    """
    import asyncio

    from deskonomy_host.roads import school

    validation.check_name(good, "--good")
    host, port = address
    money_mills = school.MONEY_MILLS if money is None else money
    asyncio.run(school.run_school(host, port, count, good, money_mills, wait))


def connect(
    city: Annotated[str, City],
    address: Annotated[
        tuple,
        typer.Argument(
            metavar="HOST:PORT", parser=make_parser(parse_address, "connect"), help="Where another city listens."
        ),
    ],
) -> None:
    """Have a running city dial another.

    It dials at once, and again whenever the connection is lost.

    \b
    Example:
      deskonomy connect RIVERWOOD desktown.local:55555
    """
    from deskonomy_host.control.client import send_command

    send_command(city, "connect", address=str(address))
    print(f"{city} dials {address}")


def forget(
    city: Annotated[str, City],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The city that has vanished.")],
) -> None:
    """Forget a road whose other end has vanished.

    Its merchants return, also those that were sent and not acknowledged: if the other city comes back with them after
    all, they exist twice. A road that is up cannot be forgotten.

    \b
    Example:
      deskonomy forget RIVERWOOD SEASIDE
    """
    from deskonomy_host.control.client import send_command
    from deskonomy_host.control.commands import describe_forgotten

    print(describe_forgotten(city, other, send_command(city, "forget", other=other)["returned"]))


def influence(
    city: Annotated[str, City],
    good: Annotated[str, typer.Argument(metavar="GOOD", help="A good that it makes, such as wood.")],
    yield_: Annotated[
        str, typer.Argument(metavar="YIELD", help="0 to 100; 1 is normal; auto gives it back to the sensors.")
    ],
) -> None:
    """Change how well a good is made in a running city.

    YIELD is how much one act of making gives, in a city on a board as in one on a host.

    \b
    Example:
      deskonomy influence RIVERWOOD wood 0.5
      deskonomy influence DESKTOWN wood auto
    """
    from deskonomy.economy.city import YIELD_MAX_MILLS

    from deskonomy_host.control.client import send_command

    yield_max = YIELD_MAX_MILLS // 1000
    yield_mills = None if yield_ == "auto" else parse_amount(yield_, "YIELD", 0, yield_max, "0.5 (or auto)")
    reply = send_command(city, "influence", good=good, yield_mills=yield_mills)
    print(f"{city}: one act of making {good} gives {reply['yield_mills'] / 1000:g}")
