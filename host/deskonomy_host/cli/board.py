"""The table of `deskonomy board ...`: words, help, and the module that does the work, loaded when it is asked for.

Here: what people type about boards. Not here: what it does.
"""

import re
from typing import Annotated, cast

import typer

from deskonomy_host import validation as words
from deskonomy_host.errors import OperationError, UsageError

LOCALS_MAX = 1000  # what a board's config.json takes
_HEAP_MIN, _HEAP_MAX = 32, 65536  # KiB of a simulated board; in less no MicroPython starts, and no board has more

app = typer.Typer(rich_markup_mode=None, help="Boards, real and simulated.")


def _level(word):
    level = words.amount("a sensor", 0, 1, "0.5")(word)
    return level / 1000


def _reading(word):
    """("light", 0.5) of "light=0.5"."""
    name, sign, level = word.partition("=")
    if not (name and sign):
        raise UsageError(f"--sensor takes NAME=0..1, such as light=0.5, not {word!r}")
    return name, _level(level)


def _heap(word):
    size = re.fullmatch(r"(\d{1,6})([kKmM])", word)
    kilobytes = int(size[1]) * (1024 if size[2] in "mM" else 1) if size else 0
    if not _HEAP_MIN <= kilobytes <= _HEAP_MAX:
        raise UsageError(f"--heap takes a size from {_HEAP_MIN}k to {_HEAP_MAX}k, such as 224k, not {word!r}")
    return word


def _address(word):
    return words.shown(words.address("--connect")(word))


def _setting(name):
    """A function from a word to what config.json says, by board_settings' function of this name."""

    def parse(word):
        from deskonomy_host.boards.spec import options as board_settings

        return getattr(board_settings, name)(word)

    return parse


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
    heap: Annotated[str | None, typer.Option(metavar="SIZE", parser=_heap, help="Its memory.  [224k]")] = None,
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
    key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="It trades only with who has the key in it; see deskonomy keygen."),
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
    from deskonomy_host.apps import board_simulate as board_sim
    from deskonomy_host.roads import keyring as keys

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
        key=key_file and keys.read(key_file),
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
    from deskonomy_host.control import server as control

    running = [entry for entry in control.running() if "sense" in entry.commands]
    boards = [entry for entry in running if board in (None, *entry.cities)]
    if running and not boards:
        cities = ", ".join(entry.cities[-1] for entry in running)
        raise OperationError(f"no simulated board is called {board}, only {cities}")
    if not boards:
        which = f"a board {board}" if board else "one"
        raise OperationError(
            f"no simulated board is running; start {which}: deskonomy board sim --name {board or 'DESKTOWN'}"
        )
    if len(boards) > 1:
        cities = ", ".join(entry.cities[-1] for entry in boards)
        raise UsageError(
            f"more than one board is simulated ({cities}): say which, as in --board {boards[0].cities[-1]}"
        )
    control.ask(boards[0], "sense", name=name, value=value)
    print(f"{name} reads {value:g}")


Port = typer.Argument(metavar="PORT", help="Such as /dev/ttyUSB0.  [the only one that looks like a board]")
Json = typer.Option("--json", help="As JSON on stdout.")


@app.command("list")
def list_(as_json: Annotated[bool, Json] = False):
    """Show the serial ports that look like boards, and what each of them runs.

    What runs is not disturbed.

    \b
    Example:
      deskonomy board list
    """
    from deskonomy_host.apps import board_monitor as board_watch

    board_watch.list_boards(as_json)


@app.command()
def setup(
    port: Annotated[str | None, Port] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="CITY", parser=lambda word: words.name("--name", word), help="The city's name."),
    ] = None,
    wifi: Annotated[
        list[str] | None, typer.Option(metavar="NETWORK", help="A Wi-Fi's name; its password is asked. Repeatable.")
    ] = None,
    light: Annotated[
        int | None,
        typer.Option(metavar="PIN", parser=words.whole("--light", 0, 48, 34), help="Where a light sensor is."),
    ] = None,
    sensor: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"NAME KIND ..."', parser=_setting("sensor"), help="A sensor; see docs/board.md. Repeatable."
        ),
    ] = None,
    page: Annotated[
        int | None, typer.Option(metavar="PORT|off", parser=_setting("page"), help="Of the board's own page.")
    ] = None,
    indicator: Annotated[
        str | None,
        typer.Option(
            metavar='"KIND ..."|off', parser=_setting("indicator"), help="Its light, and whose price it shows."
        ),
    ] = None,
    watchdog: Annotated[
        bool | None,
        typer.Option("--watchdog/--no-watchdog", show_default=False, help="Reset a board that stands still."),
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="FILE.toml", help="What its config.json shall say; asks for passwords only.")
    ] = None,
    open_city: Annotated[bool, typer.Option("--open", help="No key: it lets in whoever comes.")] = False,
    flash_firmware: Annotated[
        str | None, typer.Option(metavar="FILE.bin", help="First put this MicroPython on the chip; erases all of it.")
    ] = None,
):
    """Make a city of a board.

    Asks what is not said here, puts the firmware on it, and waits until it is on Wi-Fi. The password goes to the board
    alone, the city's key also into your own folder of keys. Without a terminal the password is the environment's
    DESKONOMY_WIFI_PASSWORD.

    \b
    Example:
      deskonomy board setup
      deskonomy board setup /dev/ttyUSB0 --name DESKTOWN --wifi HOME --light 34
      deskonomy board setup --sensor "soil adc pin=33 good=thread" --indicator "led pin=2 good=thread"
      deskonomy board setup --config board.toml
      deskonomy board setup --flash-firmware ESP32_GENERIC-20260701-v1.29.0.bin
    """
    from deskonomy_host.apps import board_setup
    from deskonomy_host.boards.spec import options as board_settings

    typed = board_settings.Typed(
        name=name,
        wifi=wifi or [],
        light=light,
        sensors=cast("list[dict]", sensor or []),
        page=page,
        indicator=cast("dict | None", indicator),
        watchdog=watchdog,
    )
    board_setup.setup(port, typed, file=config, open_city=open_city, image=flash_firmware)


@app.command()
def deploy(port: Annotated[str | None, Port] = None):
    """Put this firmware on a board that is set up.

    Sends what differs, checks it, and only then lets it be what runs; settings and city stay.

    \b
    Example:
      deskonomy board deploy
    """
    from deskonomy_host.apps import board_setup

    board_setup.deploy(port)


@app.command()
def monitor(
    port: Annotated[str | None, Port] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Its status lines on stdout, its log on stderr.")] = False,
):
    """Show what a board says, until Ctrl-C.

    A board that is unplugged is waited for.

    \b
    Example:
      deskonomy board monitor
      deskonomy board monitor --json | jq .price.wood.mean
    """
    from deskonomy_host.apps import board_monitor as board_watch

    board_watch.monitor(port, as_json)


@app.command()
def status(port: Annotated[str | None, Port] = None, as_json: Annotated[bool, Json] = False):
    """Show how a board's city is doing, once.

    \b
    Example:
      deskonomy board status
    """
    from deskonomy_host.apps import board_monitor as board_watch

    board_watch.status(port, as_json)


@app.command()
def erase(
    port: Annotated[str | None, Port] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
):
    """Remove the city from a board: firmware, settings, all who live there.

    MicroPython and files of yours stay.

    \b
    Example:
      deskonomy board erase --yes
    """
    from deskonomy_host.apps import board_setup

    board_setup.erase(port, yes)


@app.command()
def calibrate(
    sensor: Annotated[str, typer.Argument(metavar="SENSOR", help="Such as light.")] = "light",
    port: Annotated[str | None, Port] = None,
    seconds: Annotated[
        float, typer.Option(parser=words.seconds("--seconds"), metavar="SECONDS", help="How long to watch.")
    ] = 20,
):
    """Find a sensor's lowest and highest reading, and write them into the board's settings.

    \b
    Example:
      deskonomy board calibrate light
    """
    from deskonomy_host.apps import board_setup

    board_setup.calibrate(port, sensor, seconds)
