"""`deskonomy board deploy`, `setup`, `erase` and `calibrate`: the commands that change a board.

Here: their order of steps, what is shown. Not here: what is asked and said (board_settings.py), how files get onto a
board (deploy.py), MicroPython itself (flash.py), commands that only listen (board_watch.py).
"""

import asyncio
import contextlib
import json
import signal
import sys
import time

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from deskonomy_host.apps.board_monitor import why_silent
from deskonomy_host.boards.deploy import deploy as deploying
from deskonomy_host.boards.deploy import flash
from deskonomy_host.boards.deploy.inventory import survey
from deskonomy_host.boards.serial import ports
from deskonomy_host.boards.serial.console import BoardPort
from deskonomy_host.boards.serial.lines import is_banner
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.boards.spec import defaults as usual
from deskonomy_host.boards.spec import options as board_settings
from deskonomy_host.boards.spec import pins
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring as keys

_ANSWER_S = 10
_RESET_S = 15  # for the port of a chip with USB of its own to come back
_AGAIN_S = 2  # what is typed while a board starts is lost
_UP_S = 90  # a board tries each of its networks for 15 s
_STEPS = {"digital": "0 or 1", "button": "how often it was pressed"}  # kinds with nothing to calibrate


def deploy(path):
    """Make a board run this firmware, with the settings that it has."""
    path = ports.pick(path)
    with _stopped(path):
        config = asyncio.run(deploying.config_of(path, asyncio.run(survey(path))))
        config = board_settings.sound(config, say=lambda line: None)  # the board itself says what is wrong with it
        made = _deploy(path, None)
    _wait_until_up(path, json.loads(made.config) if made.config else config)


def setup(path, typed, *, file, open_city, image):
    """Make a city of a board: MicroPython, firmware, settings, key.

    typed: a board_settings.Typed; at a terminal and without a file, what it leaves out is asked. file: a TOML file that
    says what config.json shall say. open_city: give it no key. image: of MicroPython, for a blank chip.
    """
    said = board_settings.read(file) if file else {}
    path = ports.pick(path)
    config = None

    def settle(kind, has):
        told = {**kind.config, **has, **said}
        words = board_settings.ask(typed, told, kind) if sys.stdin.isatty() and not file else typed
        return words.into(told, kind, dict(has.get("wifi", [])))

    if image:
        kind = flash.board_for(image)
        config = settle(kind, {})  # before anything is erased
        flash.flash(path, image, kind)
    with _stopped(path, _RESET_S if image else 0):
        on_board = asyncio.run(survey(path))
        kind = boards.detect(on_board)
        print("%s, MicroPython %s on %s" % (kind.name, on_board.version, on_board.machine))
        if config is None:
            config = settle(kind, board_settings.sound(asyncio.run(deploying.config_of(path, on_board))))
        if open_city:
            config.pop("key", None)
        elif not config.get("key"):
            config["key"] = keys.text(keys.new())
        _deploy(path, config)
    if config.get("key"):
        keys.remember(config["city"], bytes.fromhex(config["key"]))
    elif keys.forget(config["city"]):
        print("the key of %s is forgotten: it lets in whoever comes" % config["city"])
    _wait_until_up(path, config)


def erase(path, yes):
    """Remove all that is ours from a board; MicroPython stays."""
    path = ports.pick(path)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("erase asks first: type deskonomy board erase %s --yes" % path)
        if not typer.confirm("Remove the city from %s, with its settings and all who live there?" % path):
            print("nothing is removed")
            return
    with _stopped(path):
        removed = asyncio.run(deploying.erase(path, asyncio.run(survey(path))))
    print("removed %d files and folders; MicroPython is still on %s" % (len(removed), path))


def calibrate(path, sensor, seconds):
    """Watch a sensor, and write the lowest and highest that it read into the board's config.json."""
    path = ports.pick(path)
    with _stopped(path):
        on_board = asyncio.run(survey(path))
        config = asyncio.run(deploying.config_of(path, on_board))
        boards.check(config)
        words = boards.sensor_of(config, sensor)
        kind = boards.detect(on_board)
        why = pins.why_not(words, kind)
        if words["kind"] in _STEPS:
            why = "%s is a %s: it reads %s, and needs no calibration" % (sensor, words["kind"], _STEPS[words["kind"]])
        if why:
            raise OperationError(why)
        asyncio.run(deploying.reset(path))
    _, _, least, how = usual.typical(words, kind)
    print("Show %s its lowest and its highest within %g s: %s." % (sensor, seconds, how))
    low, high = _watch(path, sensor, seconds)
    if high - low < least:
        raise OperationError(
            "%s read only %d to %d: too little to tell apart; nothing is changed" % (sensor, low, high)
        )
    if words["low"] > words["high"]:  # it reads less where there is more
        low, high = high, low
    words["low"], words["high"] = low, high
    with _stopped(path):
        asyncio.run(deploying.configure(path, config))
    print("%s: level 0 at %d, level 1 at %d" % (sensor, low, high))
    _wait_until_up(path, config)


@contextlib.contextmanager
def _stopped(path, patience_s=0):
    """Stops what runs on the MicroPython on this port. If anything fails meanwhile, the board starts again as it is.

    patience_s: as BoardPort takes it. Raises OperationError with what to do where no MicroPython answers.
    """
    with BoardPort(path, patience_s) as board:
        try:
            _get_to_prompt(board)
        except KeyboardInterrupt:
            board.type(b"\x03\x02\x04")  # it may have stopped already: a soft reset
            raise
    try:
        yield
    except BaseException:
        heed = signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever types it again must not leave the board stopped
        with contextlib.suppress(OperationError):
            asyncio.run(deploying.reset(path))
        signal.signal(signal.SIGINT, heed)
        raise


def _get_to_prompt(board):
    """Stop what runs on the board, wherever it is. Raises OperationError if no MicroPython answers."""
    begin = again = time.monotonic()
    while not board.at_prompt:
        if time.monotonic() > begin + _ANSWER_S:
            raise OperationError(flash.advice(board.path))
        try:
            if time.monotonic() >= again:
                board.type(b"\r\x03\x03\x02")
                again += _AGAIN_S
            board.lines()
        except ConnectionError:
            board.again(begin + _ANSWER_S)


def _deploy(path, config):
    """Carry out a deploy with a progress bar, and say what it did. Returns its Plan."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("looking", total=None)

        def step(done, whole, what):
            bar.update(task, description=what or "done", completed=done, total=whole or 1)

        made = asyncio.run(deploying.deploy(path, config, step))
    if made.empty:
        print("%s has it all already" % path)
    else:
        size = sum(len(data) for data in made.send.values())
        print("sent %d files (%d KB), kept %d" % (len(made.send), size // 1024, len(made.kept) + len(made.copy)))
    if made.aside:
        print("Your main.py is called %s from now on." % made.aside)
    if made.slot == deploying.BESIDE_IMAGE:
        print("Its firmware is part of its MicroPython image; a newer one takes a new image, or a stock one.")
    return made


def _wait_until_up(path, config):
    """Wait until the city says where it is, or, where its config names no network, that it is there.

    Raises OperationError with what the board said last.
    """
    said = []

    def note(line):
        said.append(line)
        if not is_banner(line):
            print("  " + line)

    networks = " or ".join(name for name, _ in config.get("wifi", []))
    with BoardPort(path, _RESET_S) as board:
        heard = board.wait_for(lambda status: status["address"] or not networks, _UP_S, note, prompt_s=_ANSWER_S)
        if heard is None and board.status:
            raise OperationError(
                "%s runs, but is not on Wi-Fi %s: is that in reach, is the password right? "
                "Say it anew: deskonomy board setup %s --wifi NETWORK" % (board.status["city"], networks, path)
            )
        if heard is None:
            raise OperationError(why_silent(path, board.at_prompt, said))
    if networks:
        print("%s is up at %s" % (heard["city"], heard["address"]))
    else:
        print("%s is up, alone: deskonomy board setup %s --wifi NETWORK lets it trade" % (heard["city"], path))


def _watch(path, sensor, seconds):
    """(lowest, highest) raw reading of a sensor within so many seconds from its first. Raises OperationError."""
    seen = []
    until = None
    with BoardPort(path, _RESET_S) as board:
        while until is None or time.monotonic() < until:
            heard = board.wait_for(lambda status: sensor in status["sensors"], _UP_S, prompt_s=_ANSWER_S)
            if heard is None:
                raise OperationError(why_silent(path, board.at_prompt, []))
            told = heard["sensors"][sensor]
            if "error" in told:
                raise OperationError("%s cannot be read: %s. Is it wired as it is set up?" % (sensor, told["error"]))
            if "raw" in told:
                until = until or time.monotonic() + seconds
                seen.append(told["raw"])
                print("  %s reads %s, so far %s to %s" % (sensor, seen[-1], min(seen), max(seen)), file=sys.stderr)
    return min(seen), max(seen)
