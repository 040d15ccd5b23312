"""The words of what runs cities or speaks with them: `deskonomy demo`, `run`, `school`, `connect`, `influence`.

Here: what people type, and the module that does the work, loaded when it is asked for. Not here: what it does.
"""

from typing import Annotated

import typer

from deskonomy_host import validation as words
from deskonomy_host.errors import UsageError

Seed = typer.Option(
    parser=words.whole("--seed", 0, words.SEED_MAX, 7), metavar="N", help="City number i is born from N + i.  [1]"
)
Duration = typer.Option(parser=words.seconds("--duration"), metavar="SECONDS", help="Stop after so many seconds.")
Json = typer.Option("--json", help="One status line a second and city on stdout, and one at the end.")
Keep = typer.Option("--history", metavar="FILE.db", help="Keep the history there, for deskonomy history and plot.")
Dashboard = typer.Option(
    "--dashboard/--no-dashboard", show_default=False, help="Show it in a browser.  [yes, but with --json no]"
)
DashboardAt = typer.Option(
    "--dashboard-at",
    metavar="ADDRESS:PORT",
    parser=words.address("--dashboard-at"),
    help="Where the dashboard is; 0.0.0.0 shows it to your network.  [127.0.0.1:8055]",
)
Watch = typer.Option(
    metavar="HOST[:PORT]",
    parser=words.host("--watch"),
    help="A board, or another run, to show beside these in the dashboard. Repeatable.",
)
City = typer.Argument(metavar="CITY", help="A city that runs on this machine.")


def wish(dashboard, as_json, at, watch):
    """The dashboard that these words ask for, None for none."""
    from deskonomy_host.dashboard.app import Wish

    if dashboard is None:
        dashboard = not as_json or bool(at or watch)
    listen, port = at or (Wish.listen, Wish.port)
    return Wish(listen, port, watch or []) if dashboard else None


def demo(
    day: Annotated[
        bool, typer.Option("--day/--no-day", help="Cover and uncover the light sensor every so often.  [--day]")
    ] = True,
    duration: Annotated[float | None, Duration] = None,
    as_json: Annotated[bool, Json] = False,
    micropython: Annotated[
        str | None, typer.Option(metavar="PATH", help="Another MicroPython than the one installed with this.")
    ] = None,
    history: Annotated[str | None, Keep] = None,
    dashboard: Annotated[bool | None, Dashboard] = None,
    dashboard_at: Annotated[tuple | None, DashboardAt] = None,
    watch: Annotated[list[str] | None, Watch] = None,
):
    """The whole story on one machine: a board and two cities.

    The board is simulated: a real MicroPython that runs the real firmware, copied there by the real mpremote. Its light
    sensor decides how much wood its city can make; the two cities here trade with it.

    \b
    Example:
      deskonomy demo
      deskonomy board sense light 0.1     (in another terminal)
    """
    from deskonomy_host.apps import demo

    demo.demo(day, duration, as_json, micropython, history, dashboard=wish(dashboard, as_json, dashboard_at, watch))


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
            help="What runs the kernel; all give the same bits.  [the one that suits]",
        ),
    ] = None,
    key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Trade only with who has the key in it; see deskonomy keygen."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            parser=words.whole("--processes", 1, 256, 2),
            metavar="N",
            help="Spread the cities over so many, with the same result.  [as many as pay]",
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Save the cities there, and go on with those saved there; in one process."),
    ] = None,
    as_json: Annotated[bool, Json] = False,
    history: Annotated[str | None, Keep] = None,
    dashboard: Annotated[bool | None, Dashboard] = None,
    dashboard_at: Annotated[tuple | None, DashboardAt] = None,
    watch: Annotated[list[str] | None, Watch] = None,
):
    """Run cities on this machine.

    There is a road between each pair, and each listens for more from elsewhere.

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
    from deskonomy_host.apps import run
    from deskonomy_host.world import file as world_file
    from deskonomy_host.world import plan as world

    if any(name.endswith(".toml") for name in cities):
        if len(cities) > 1:
            raise UsageError("a world file stands alone: type deskonomy run world.toml, or the names of cities")
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
        key_file=key_file,
    )
    if state and (processes or 1) > 1:
        raise UsageError("--state runs all cities in one process: leave out --processes")
    dashboard_wish = wish(dashboard, as_json, dashboard_at, watch)
    run.run(plan, ticks, duration, as_json, history, processes, dashboard_wish, state)


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
    from deskonomy_host.roads import school

    words.name("--good", good)
    host, port = address
    school.send(host, port, count, good, school.MONEY_MILLS if money is None else money, wait)


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
    from deskonomy_host.control.server import send

    send(city, "connect", address=words.shown(address))
    print(f"{city} dials {words.shown(address)}")


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
    from deskonomy_host.control.server import send

    wanted_mills = None if yield_ == "auto" else words.amount("YIELD", 0, 100, "0.5 (or auto)")(yield_)
    reply = send(city, "influence", good=good, yield_mills=wanted_mills)
    print(f"{city}: one act of making {good} gives {reply['yield_mills'] / 1000:g}")
