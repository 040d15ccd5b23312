"""`deskonomy board deploy`, `setup`, `erase` and `calibrate`: the commands that change a board.

Here: the order of their steps, and what they print. Not here: the settings of a board (boards/spec/), putting the
firmware on it (boards/deploy/), commands that only listen (board_monitor.py).
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Iterator
from os import PathLike
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from deskonomy_host.apps.board_monitor import explain_silence
from deskonomy_host.boards.calibration import Calibration
from deskonomy_host.boards.deploy import config_file, execute, flash
from deskonomy_host.boards.deploy.deploy import deploy as deploy_firmware
from deskonomy_host.boards.deploy.inventory import Inventory, read_inventory
from deskonomy_host.boards.deploy.plan import DeployPlan
from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.console import SerialConsole
from deskonomy_host.boards.serial.lines import is_repl_line
from deskonomy_host.boards.spec import catalog, defaults, options, pins, questions
from deskonomy_host.boards.spec.catalog import Board
from deskonomy_host.boards.spec.options import BoardOptions
from deskonomy_host.boards.spec.sensors import Quantity
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring

_ANSWER_S = 10  # for a MicroPython to answer
_RESET_S = 15  # for the port of a chip with its own USB to come back
_RETRY_S = 2  # between two interrupts; input is lost while a board starts
_START_S = 90  # for a city to start; a board tries each of its networks for 15 s

Config = dict[str, Any]


def deploy(path: str | None) -> None:
    """Make a board run this firmware, with the settings that it has.

    Args:
        path: Of the board's port; None for the only port that looks like a board.

    Raises:
        OperationError: No MicroPython answers, the deploy fails, or the city does not start.
    """
    path = ports.choose_port(path)
    with _interrupted(path):
        try:
            config = asyncio.run(_read_config(path))
        except config_file.UnreadableConfigError:
            config = {}  # a deploy leaves the file as it is
        # The board itself reports the settings that it cannot use.
        config = options.drop_unusable(config, report=lambda line: None)
        plan = _deploy(path, None)
    _wait_until_up(path, json.loads(plan.config) if plan.config else config)


def setup(
    path: str | None,
    given: BoardOptions,
    *,
    file: str | PathLike[str] | None,
    open_city: bool,
    image: str | PathLike[str] | None,
) -> None:
    """Set up a board: MicroPython, firmware, settings, key.

    Args:
        path: Of the board's port; None for the only port that looks like a board.
        given: Options of the command line. At a terminal, and without a file, the user is asked for missing ones.
        file: A TOML file with settings for config.json; None for none.
        open_city: Whether the city has no key.
        image: Of MicroPython, for a blank chip; None if it has one.

    Raises:
        OperationError: A step fails on the board.
        UsageError: The settings are not valid for the board.
    """
    settings = options.read_file(file) if file else {}
    path = ports.choose_port(path)
    config = None

    def complete(board: Board, present: Config) -> Config:
        """Return the new settings, given those that are present on the board."""
        base = {**board.config, **present, **settings}
        complete = questions.ask_missing(given, base, board) if sys.stdin.isatty() and not file else given
        return complete.merge_into(base, board, dict(present.get("wifi", [])))

    if image:
        board = flash.identify_file(image)
        config = complete(board, {})  # before anything is erased
        flash.flash_micropython(path, image, board)
    with _interrupted(path, _RESET_S if image else 0):
        inventory = asyncio.run(read_inventory(path))
        board = catalog.detect_board(inventory)
        print("%s, MicroPython %s on %s" % (board.name, inventory.version, inventory.machine))
        if config is None:
            present = asyncio.run(config_file.read_config(path, inventory))
            config = complete(board, options.drop_unusable(present))
        if open_city:
            config.pop("key", None)
        elif not config.get("key"):
            config["key"] = keyring.format_key(keyring.create_key())
        _deploy(path, config)
    if config.get("key"):
        keyring.store_key(config["city"], bytes.fromhex(config["key"]))
    elif keyring.remove_key(config["city"]):
        print("the key of %s is forgotten: the city accepts every peer" % config["city"])
    _wait_until_up(path, config)


def erase(path: str | None, confirmed: bool) -> None:
    """Remove the firmware, its settings and its city from a board; MicroPython stays.

    Args:
        path: Of the board's port; None for the only port that looks like a board.
        confirmed: Whether the user need not be asked.

    Raises:
        OperationError: No MicroPython answers, or it fails on the board.
        UsageError: The user has to confirm, and cannot be asked.
    """
    path = ports.choose_port(path)
    if not confirmed:
        if not sys.stdin.isatty():
            raise UsageError("erase asks first: type deskonomy board erase %s --yes" % path)
        if not typer.confirm("Remove the city from %s, with its settings and all its residents?" % path):
            print("nothing is removed")
            return
    with _interrupted(path):
        inventory = asyncio.run(read_inventory(path))
        removed = asyncio.run(execute.erase(path, inventory))
    print("removed %d files and folders; MicroPython is still on %s" % (len(removed), path))


def calibrate(path: str | None, name: str, seconds: float) -> None:
    """Watch a sensor, and write its low and high readings into the board's config.json.

    Readings that fail or cannot be do not count, nor do the farthest at both ends.

    Args:
        path: Of the board's port; None for the only port that looks like a board.
        name: Of the sensor.
        seconds: How long to watch it, from its first reading.

    Raises:
        OperationError: The sensor cannot be read or calibrated, or its readings differ too little.
        UsageError: The board has no sensor of this name.
    """
    path = ports.choose_port(path)
    with _interrupted(path):
        inventory = asyncio.run(read_inventory(path))
        config = asyncio.run(config_file.read_config(path, inventory))
        catalog.check_config(config)
        sensor = catalog.find_sensor(config, name)
        board = catalog.detect_board(inventory)
        quantity = defaults.find_quantity(sensor, board)
        problem = pins.explain_misplaced(sensor, board)
        if not quantity.difference_min:
            problem = "%s is a %s: it reads %s, and needs no calibration" % (name, sensor["kind"], quantity.ends)
        if problem:
            raise OperationError(problem)
        asyncio.run(execute.reset(path))
    print("Show %s its lowest and its highest within %g s, some seconds each: %s." % (name, seconds, quantity.ends))
    calibration = _watch_sensor(path, name, quantity, seconds)
    low, high = calibration.find_levels()
    if calibration.describe_ignored():
        print("%s: %s" % (name, calibration.describe_ignored()))
    if high - low < quantity.difference_min:
        raise OperationError("%s read only %d to %d: too little to tell apart; nothing is changed" % (name, low, high))
    if sensor["low"] > sensor["high"]:  # it reads less where there is more
        low, high = high, low
    sensor["low"], sensor["high"] = low, high
    with _interrupted(path):
        asyncio.run(_rewrite_config(path, config))
    print("%s: level 0 at %d, level 1 at %d" % (name, low, high))
    _wait_until_up(path, config)


async def _read_config(path: str) -> Config:
    inventory: Inventory = await read_inventory(path)
    return await config_file.read_config(path, inventory)


async def _rewrite_config(path: str, config: Config) -> None:
    await config_file.write_config(path, config)
    await execute.reset(path)


@contextlib.contextmanager
def _interrupted(path: str, patience_s: float = 0) -> Iterator[None]:
    """Interrupt the program on this port for the block. If the block fails, reset the board, so that it runs again.

    Args:
        path: Of the port.
        patience_s: As SerialConsole takes it.

    Raises:
        OperationError: No MicroPython answers; the message says what to do.
    """
    with SerialConsole(path, patience_s) as console:
        try:
            _get_to_prompt(console)
        except KeyboardInterrupt:
            console.send(b"\x03\x02\x04")  # the program may have stopped already: a soft reset
            raise
    try:
        yield
    except BaseException:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave the board stopped
        with contextlib.suppress(OperationError):
            asyncio.run(execute.reset(path))
        signal.signal(signal.SIGINT, handler)
        raise


def _get_to_prompt(console: SerialConsole) -> None:
    """Interrupt the program on the board, wherever it is. Raises OperationError if no MicroPython answers."""
    start = next_try = time.monotonic()
    while not console.at_prompt:
        if time.monotonic() > start + _ANSWER_S:
            raise OperationError(flash.advise_blank_chip(console.path))
        try:
            if time.monotonic() >= next_try:
                console.send(b"\r\x03\x03\x02")
                next_try += _RETRY_S
            console.read_lines()
        except ConnectionError:
            console.reopen(start + _ANSWER_S)


def _deploy(path: str, config: Config | None) -> DeployPlan:
    """Deploy with a progress bar, and print what has changed. Return the plan."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def update(bytes_sent: int, bytes_total: int, file: str) -> None:
            bar.update(task, description=file or "done", completed=bytes_sent, total=bytes_total or 1)

        plan = asyncio.run(deploy_firmware(path, config, update))
    if plan.is_empty:
        print("%s has it all already" % path)
    else:
        kept = len(plan.kept) + len(plan.copy)
        print("sent %d files (%d KB), kept %d" % (len(plan.send), plan.bytes_to_send // 1024, kept))
    for file in plan.misplaced:
        print("/%s is yours, in a folder that deploys replace: keep drivers of your own in /drivers" % file)
    if plan.renamed_main:
        print("Your main.py is called %s from now on." % plan.renamed_main)
    if plan.is_beside_image:
        print("Its firmware is part of its MicroPython image; a newer one needs a new image, or a stock image.")
    return plan


def _wait_until_up(path: str, config: Config) -> None:
    """Wait until the city has an address; if its settings name no network, until it runs.

    Raises:
        OperationError: It does not start; the message has the board's last line.
    """
    log = []

    def print_log(line: str) -> None:
        log.append(line)
        if not is_repl_line(line):
            print("  " + line)

    networks = " or ".join(name for name, _ in config.get("wifi", []))
    with SerialConsole(path, _RESET_S) as console:
        status = console.wait_for(
            lambda status: status["address"] or not networks, _START_S, print_log, prompt_s=_ANSWER_S
        )
        if status is None and console.status:
            raise OperationError(
                "%s runs, but is not on Wi-Fi %s: is that in reach, is the password right? "
                "Give it again: deskonomy board setup %s --wifi NETWORK" % (console.status["city"], networks, path)
            )
        if status is None:
            raise OperationError(explain_silence(path, console.at_prompt, log))
    if networks:
        print("%s is up at %s" % (status["city"], status["address"]))
    else:
        print("%s is up, alone: deskonomy board setup %s --wifi NETWORK lets it trade" % (status["city"], path))


def _watch_sensor(path: str, name: str, quantity: Quantity, seconds: float) -> Calibration:
    """Return a sensor's readings, from the first that counts for this time. Raises OperationError if there is none."""
    calibration = Calibration(quantity)
    deadline = None
    patience = time.monotonic() + _START_S
    with SerialConsole(path, _RESET_S) as console:
        while time.monotonic() < (deadline or patience):
            status = console.wait_for(lambda status: name in status["sensors"], _START_S, prompt_s=_ANSWER_S)
            if status is None:
                raise OperationError(explain_silence(path, console.at_prompt, []))
            if calibration.add(status["sensors"][name]):
                deadline = deadline or time.monotonic() + seconds
                readings = calibration.readings
                extremes = (min(readings), max(readings))
                print("  %s reads %s, so far %s to %s" % (name, readings[-1], *extremes), file=sys.stderr)
            elif calibration.error and not calibration.readings:
                raise OperationError("%s cannot be read: %s. Is it wired as it is set up?" % (name, calibration.error))
    if not calibration.readings:
        raise OperationError("%s has had no reading for %d s: is the board on its Wi-Fi?" % (name, _START_S))
    return calibration
