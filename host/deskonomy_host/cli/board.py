"""The commands of `deskonomy board ...`: options, help, and the application that executes each.

Here: what a user types about boards. Not here: what the commands do (apps/board_*.py), which are loaded only by the
command that needs them.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, cast

import typer

from deskonomy_host import validation
from deskonomy_host.addresses import parse_address
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.validation import make_parser, parse_integer

_LOCALS_MAX = 1000  # what the firmware accepts in config.json
_HEAP_KIB_MIN, _HEAP_KIB_MAX = 32, 65536  # with less no MicroPython starts; no board has more
_PIN_MAX = 48  # the highest of an ESP32-S3

app = typer.Typer(rich_markup_mode=None, help="Boards, real and simulated.")

Port = typer.Argument(metavar="PORT", help="Such as /dev/ttyUSB0.  [the only one that looks like a board]")
Json = typer.Option("--json", help="As JSON on stdout.")


def _parse_level(text: str) -> float:
    """Return a level, 0 to 1."""
    return validation.parse_amount(text, "a sensor", 0, 1, "0.5") / 1000


def _parse_reading(text: str) -> tuple[str, float | dict[str, Any]]:
    """Return ("light", 0.5) of "light=0.5", and (name, sensor) of a sensor as `board setup` takes it."""
    name, sign, level = text.partition("=")
    if " " in name.strip():
        sensor = _parse_option("parse_sensor")(text)
        return sensor["name"], sensor
    if not (name and sign):
        raise UsageError(f"--sensor takes NAME=0..1, such as light=0.5, not {text!r}")
    return name, _parse_level(level)


def _check_heap(text: str) -> str:
    """Return a size such as "224k", if MicroPython starts with a heap of this size."""
    size = re.fullmatch(r"(\d{1,6})([kKmM])", text)
    kib = int(size[1]) * (1024 if size[2] in "mM" else 1) if size else 0
    if not _HEAP_KIB_MIN <= kib <= _HEAP_KIB_MAX:
        raise UsageError(f"--heap takes a size from {_HEAP_KIB_MIN}k to {_HEAP_KIB_MAX}k, such as 224k, not {text!r}")
    return text


def _check_address(text: str) -> str:
    """Return an address HOST:PORT as it is shown."""
    return str(parse_address(text, "--connect"))


def _parse_option(function: str) -> Callable[[str], Any]:
    """Return a parser that is a function of boards/spec/options.py, loaded when it is called."""

    def parse(text: str) -> Any:
        from deskonomy_host.boards.spec import options

        return getattr(options, function)(text)

    return parse


@app.command()
def sim(
    name: Annotated[
        str | None,
        typer.Option(
            metavar="CITY",
            parser=make_parser(validation.check_name, "--name"),
            help="The name of its city.  [DESKTOWN]",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_integer, "--port", 1, 65535, 55555),
            metavar="N",
            help="Its TCP port; the next free port if it is in use.  [55555]",
        ),
    ] = None,
    dir: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A folder that is its flash.  [a new one, removed at the end]"),
    ] = None,
    sensor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=0..1",
            parser=_parse_reading,
            help="The first reading of a sensor  [0.5], or a sensor as board setup takes it. Repeatable.",
        ),
    ] = None,
    drivers: Annotated[
        str | None, typer.Option(metavar="DIR", help="A folder of drivers of your own, for its folder /drivers.")
    ] = None,
    heap: Annotated[
        str | None, typer.Option(metavar="SIZE", parser=_check_heap, help="The size of its heap.  [224k]")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            parser=make_parser(parse_integer, "--seed", 0, validation.SEED_MAX, 7),
            metavar="N",
            help="The seed of its city.  [7]",
        ),
    ] = None,
    locals_: Annotated[
        int | None,
        typer.Option(
            "--locals",
            parser=make_parser(parse_integer, "--locals", 0, _LOCALS_MAX, 20),
            metavar="N",
            help="How many residents its city has.  [20]",
        ),
    ] = None,
    connect: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", parser=_check_address, help="A peer that it dials. Repeatable."),
    ] = None,
    key_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="It trades only with peers that have the key in this file; see deskonomy keygen."
        ),
    ] = None,
    micropython: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Another MicroPython (or in the environment: DESKONOMY_MICROPYTHON)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Its addresses, then its status lines, on stdout; its log on stderr.")
    ] = False,
) -> None:
    """Run a simulated board: a real MicroPython behind a serial port, with the real firmware on it.

    The first line has its address and its serial port, on which the real mpremote works. Options that are not given are
    as in config.json in DIR.

    \b
    Example:
      deskonomy board sim --sensor light=0.8
      deskonomy board sim --drivers mine --sensor "bed drivers/soil pin=33 low=2900 high=1300 good=thread"
      deskonomy board sim --name OAKHAM --seed 3 --connect 127.0.0.1:55555 --json
    """
    from deskonomy_host.apps import board_simulate
    from deskonomy_host.roads import keyring

    given = cast("list[tuple[str, Any]]", sensor or [])
    board_simulate.simulate(
        as_json,
        name=name,
        port=port,
        dir=dir,
        sensors={name: value for name, value in given if not isinstance(value, dict)},
        new_sensors=[value for _, value in given if isinstance(value, dict)],
        drivers=drivers,
        heap=heap,
        seed=seed,
        locals_=locals_,
        connect=connect,
        key=None if key_file is None else keyring.read_key_file(key_file),
        micropython=micropython,
    )


@app.command()
def sense(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A sensor, such as light.")],
    value: Annotated[float, typer.Argument(metavar="VALUE", parser=_parse_level, help="0 to 1 of its range.")],
    board: Annotated[
        str | None, typer.Option(metavar="CITY", help="The board's city, if several boards are simulated.")
    ] = None,
) -> None:
    """Set what a sensor of a running simulated board reads.

    \b
    Example:
      deskonomy board sense light 0.1
    """
    from deskonomy_host.control import client

    running = [process for process in client.list_processes() if "sense" in process.commands]
    boards = [process for process in running if board in (None, *process.cities)]
    if running and not boards:
        cities = ", ".join(process.cities[-1] for process in running)
        raise OperationError(f"no simulated board is called {board}, only {cities}")
    if not boards:
        which = f"a board {board}" if board else "one"
        raise OperationError(
            f"no simulated board is running; start {which}: deskonomy board sim --name {board or 'DESKTOWN'}"
        )
    if len(boards) > 1:
        cities = ", ".join(process.cities[-1] for process in boards)
        raise UsageError(f"more than one board is simulated ({cities}): name one, as in --board {boards[0].cities[-1]}")
    client.send_to_process(boards[0], "sense", name=name, value=value)
    print(f"{name} reads {value:g}")


@app.command("list")
def list_(as_json: Annotated[bool, Json] = False) -> None:
    """List the serial ports that look like boards, and what runs on each board.

    The programs on the boards go on.

    \b
    Example:
      deskonomy board list
    """
    from deskonomy_host.apps import board_monitor

    board_monitor.list_boards(as_json)


@app.command()
def setup(
    port: Annotated[str | None, Port] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="CITY", parser=make_parser(validation.check_name, "--name"), help="The city's name."),
    ] = None,
    wifi: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="The name of a Wi-Fi; asks for its password. Repeatable."),
    ] = None,
    light: Annotated[
        int | None,
        typer.Option(
            metavar="PIN",
            parser=make_parser(parse_integer, "--light", 0, _PIN_MAX, 34),
            help="The pin of a light sensor.",
        ),
    ] = None,
    sensor: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"NAME KIND ..."',
            parser=_parse_option("parse_sensor"),
            help="A sensor; see docs/board.md. Repeatable.",
        ),
    ] = None,
    page: Annotated[
        int | None,
        typer.Option(metavar="PORT|off", parser=_parse_option("parse_page"), help="The port of the board's own page."),
    ] = None,
    indicator: Annotated[
        str | None,
        typer.Option(
            metavar='"KIND ..."|off',
            parser=_parse_option("parse_indicator"),
            help="The board's light, and the good whose price it shows.",
        ),
    ] = None,
    watchdog: Annotated[
        bool | None,
        typer.Option("--watchdog/--no-watchdog", show_default=False, help="Reset the board if its program hangs."),
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="FILE.toml", help="Settings for its config.json; asks only for passwords.")
    ] = None,
    open_city: Annotated[bool, typer.Option("--open", help="No key: the city accepts every peer.")] = False,
    flash_firmware: Annotated[
        str | None,
        typer.Option(metavar="FILE.bin", help="First write this MicroPython to the chip, which erases the chip."),
    ] = None,
) -> None:
    """Set up a board as a city.

    Asks for options that are not given, puts the firmware on the board, and waits until the board is on Wi-Fi. The
    password goes only to the board, the city's key also into your own folder of keys. Without a terminal the password
    is taken from DESKONOMY_WIFI_PASSWORD in the environment.

    \b
    Example:
      deskonomy board setup
      deskonomy board setup /dev/ttyUSB0 --name DESKTOWN --wifi HOME --light 34
      deskonomy board setup --sensor "soil adc pin=33 good=thread" --indicator "led pin=2 good=thread"
      deskonomy board setup --config board.toml
      deskonomy board setup --flash-firmware ESP32_GENERIC-20260701-v1.29.0.bin
    """
    from deskonomy_host.apps import board_setup
    from deskonomy_host.boards.spec.options import BoardOptions

    options = BoardOptions(
        name=name,
        wifi=wifi or [],
        light=light,
        sensors=cast("list[dict]", sensor or []),
        page=page,
        indicator=cast("dict | None", indicator),
        watchdog=watchdog,
    )
    board_setup.setup(port, options, file=config, open_city=open_city, image=flash_firmware)


@app.command()
def deploy(port: Annotated[str | None, Port] = None) -> None:
    """Put this firmware on a board that is set up.

    Sends the files that differ, checks them, and then switches to the new firmware. Settings and city stay.

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
) -> None:
    """Show what a board prints, until Ctrl-C.

    Waits for a board that is unplugged.

    \b
    Example:
      deskonomy board monitor
      deskonomy board monitor --json | jq .price.wood.mean
    """
    from deskonomy_host.apps import board_monitor

    board_monitor.monitor(port, as_json)


@app.command()
def status(port: Annotated[str | None, Port] = None, as_json: Annotated[bool, Json] = False) -> None:
    """Show the status of a board's city once.

    \b
    Example:
      deskonomy board status
    """
    from deskonomy_host.apps import board_monitor

    board_monitor.print_status(port, as_json)


@app.command()
def forget(
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The city that has vanished.")],
    port: Annotated[str | None, Port] = None,
) -> None:
    """Have a board forget a road whose other end has vanished.

    Its merchants return; see deskonomy forget, which does the same for a city on this machine.

    \b
    Example:
      deskonomy board forget SEASIDE
    """
    from deskonomy_host.apps import board_monitor

    board_monitor.forget_road(port, other)


@app.command()
def erase(
    port: Annotated[str | None, Port] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove the city from a board: firmware, settings and residents.

    MicroPython and your own files stay.

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
        float,
        typer.Option(
            parser=make_parser(validation.parse_seconds, "--seconds"),
            metavar="SECONDS",
            help="How long to watch the sensor.",
        ),
    ] = 20,
) -> None:
    """Find the lowest and highest reading of a sensor, and write them into the board's settings.

    \b
    Example:
      deskonomy board calibrate light
    """
    from deskonomy_host.apps import board_setup

    board_setup.calibrate(port, sensor, seconds)
