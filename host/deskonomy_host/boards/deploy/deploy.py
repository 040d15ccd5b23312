"""Puts the firmware on a board, real or simulated.

Here: what a board should hold, compiled for its chip; a plan of what that changes on it; carrying that out with
mpremote. Not here: what is on a board (survey.py), putting MicroPython on a blank one (flash.py).

A board has two slots, /a and /b, each with a whole firmware. main.py says which of them runs: it is the one file of
ours outside them, and renaming a new one over it is the switch. A deploy fills the slot that does not run, so one that
is cut off leaves what runs alone, and the next one goes on from there. config.json is the owner's: it stays unless a
new one is given. All else is left alone: a main.py that is none of ours gets another name, and a slot with files that
are none of ours is not touched. Where the firmware is part of the MicroPython image, only its page is sent.
"""

import asyncio
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from deskonomy_host import paths
from deskonomy_host.boards.deploy.compile import compiled
from deskonomy_host.boards.deploy.inventory import architecture, survey
from deskonomy_host.boards.deploy.ownership import (
    BESIDE_IMAGE,
    MAIN,
    SLOTS,
    aside_of,
    check_nothing_hides,
    check_slots,
    loose,
    main_of,
    ours,
    sha256,
    slot_of,
)
from deskonomy_host.boards.serial.mpremote import mpremote
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.boards.spec.catalog import CONFIG
from deskonomy_host.errors import OperationError

__all__ = ["CONFIG", "Plan", "architecture", "compiled", "deploy", "plan"]

_NEW = ("main.new", "config.new")  # what a deploy that was cut off may have left
_RESET_S = 0.3


@dataclass(frozen=True)
class Plan:
    """What a deploy changes on a board.

    slot: the folder that will run, or BESIDE_IMAGE. folders: to make, the outer ones first. send: {path: bytes}. copy:
    {path: path in the other slot}. remove: paths, before anything arrives. main: the new main.py, None if it is as it
    should be. aside: the new name of a main.py that is none of ours, "" if there is none. old: paths outside the slots,
    for the end. kept: paths that are as they should be. digest: of all that the slot holds then, as device/switch.py
    computes it. config: the new config.json, None if it stays.
    """

    slot: str
    folders: list[str]
    send: dict[str, bytes]
    copy: dict[str, str]
    remove: list[str]
    main: bytes | None
    old: list[str]
    kept: list[str]
    digest: str
    aside: str = ""
    config: bytes | None = None

    @property
    def empty(self):
        """Whether the board needs nothing."""
        return not (self.folders or self.send or self.copy or self.remove or self.main or self.old or self.config)


def plan(files, board):
    """The Plan that makes a board run these files. Pure. Raises OperationError if the flash is too small.

    files: {path in a slot: bytes}. board: its Survey.
    """
    there = {slot: slot_of(board, slot) for slot in SLOTS}
    runs = next((slot for slot in SLOTS if board.files.get(MAIN) == sha256(main_of(slot))), None)
    is_there = runs and there[runs] == {path: sha256(data) for path, data in files.items()}
    slot = runs if is_there else SLOTS[runs == SLOTS[0]]
    known = {digest: f"{runs}/{path}" for path, digest in there[runs].items()} if runs else {}
    check_slots(board)
    made = _filled(slot, files, board, known, main=None if slot == runs else main_of(slot))
    _check_space(made, board)
    return replace(made, aside=aside_of(board))


def plan_beside_image(files, board):
    """The Plan that gives a board whose firmware is part of its image the page among these files. Pure.

    What hides the image's modules goes; slots stay, for whoever goes back to a stock image. Raises OperationError if
    that is
    somebody's own.
    """
    check_nothing_hides(board)
    page = {path.removeprefix("deskonomy_board/"): data for path, data in files.items() if path.endswith(".html")}
    return _filled(BESIDE_IMAGE, page, board, known={}, main=None)


def _filled(slot, files, board, known, main):
    """The Plan after which a slot holds just these files. known: {hex SHA-256: path} of what the other slot has."""
    digests = {path: sha256(data) for path, data in files.items()}
    there = slot_of(board, slot)
    kept = {path for path in files if there.get(path) == digests[path]}
    lacking = sorted(set(files) - kept)
    parents = {parent.as_posix() for path in files for parent in PurePosixPath(slot, path).parents} - {"."}
    return Plan(
        slot=slot,
        folders=sorted(parents - set(board.folders)),
        send={f"{slot}/{path}": files[path] for path in lacking if digests[path] not in known},
        copy={f"{slot}/{path}": known[digests[path]] for path in lacking if digests[path] in known},
        remove=sorted(f"{slot}/{path}" for path in there if path not in kept)
        + [path for path in _NEW if path in board.files],
        main=main,
        old=loose(board),
        kept=sorted(f"{slot}/{path}" for path in kept),
        digest=slot_digest(slot, files),
    )


def slot_digest(slot, files):
    """Hex SHA-256 of a slot that holds these files."""
    return sha256(b"".join(f"{slot}/{path}".encode() + files[path] for path in sorted(files)))


def _check_space(made, board):
    """Raises OperationError if the flash has no room for what is planned."""

    def blocks(size):
        return -(-size // board.block)

    needed = sum(blocks(len(data)) for data in made.send.values())
    needed += sum(blocks(board.sizes[path]) for path in made.copy.values())
    needed += 2 * len(made.folders) + 2  # littlefs keeps a folder in a pair of blocks
    room = board.free + sum(blocks(board.sizes[path]) for path in made.remove)
    if (made.send or made.copy) and needed > room:
        raise OperationError(
            "the board's flash has %d KB of room, and the new firmware needs %d KB beside the one that runs: "
            "remove files of yours (mpremote fs tree -s shows them)"
            % (room * board.block // 1024, needed * board.block // 1024)
        )


async def carry_out(port, made, on_step=lambda done, whole, what: None):
    """Change the board on this port as planned; what runs there is stopped. Raises OperationError.

    on_step(done, whole, what): called before each file, with the bytes that are sent, those there are to send, and the
    file's path; and at the end.
    """
    whole = sum(len(data) for data in made.send.values())
    work = {
        "slot": made.slot,
        "remove": made.remove,
        "folders": made.folders,
        "copy": made.copy,
        "old": made.old,
        "digest": made.digest,
        "aside": made.aside,
    }
    done = 0
    sizes = {path: len(data) for path, data in made.send.items()}

    def listen(line):
        nonlocal done
        if line.startswith("cp "):
            path = line.rpartition(":")[2]
            on_step(done, whole, path)
            done += sizes.get(path, 0)

    with tempfile.TemporaryDirectory() as folder:
        words = ["resume", "exec", f"WORK = {work!r}", "run", str(paths.DEVICE_PROGRAMS / "stage.py"), "+"]
        new = dict(made.send)
        if made.main is not None:
            new["main.new"] = made.main
        for path, data in new.items():
            here = Path(folder, path)
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_bytes(data)
            words += ["fs", "cp", "-f", str(here), ":" + path, "+"]
        for program in ("switch.py", "erase.py"):
            words += ["run", str(paths.DEVICE_PROGRAMS / program), "+"]
        if made.config is not None:
            words += _configuring()
        await mpremote(port, *words[:-1], stdin=made.config or b"", on_line=listen)
    on_step(whole, whole, "")


def _configuring():
    """What mpremote does to make a config.json of what it reads from us."""
    return ["fs", "cp", "-f", "/dev/stdin", ":config.new", "+", "run", str(paths.DEVICE_PROGRAMS / "configure.py"), "+"]


async def configure(port, config):
    """Have the board's config.json say this, checked by the firmware's own rules, and reset. Raises OperationError."""
    boards.check(config)
    await mpremote(port, "resume", *_configuring()[:-1], stdin=config_bytes(config))
    await reset(port)


async def config_of(port, board):
    """What config.json says on the surveyed board on this port: a dict, empty where it says nothing that is JSON."""
    if CONFIG not in board.files:
        return {}
    try:
        words = json.loads(await mpremote(port, "resume", "fs", "cat", ":" + CONFIG))
    except ValueError:
        return {}
    return words if isinstance(words, dict) else {}


async def erase(port, board):
    """Remove all that is ours from the surveyed board on this port, and reset it. Returns the paths."""
    old = ours(board)
    await mpremote(port, "resume", "exec", f"WORK = {dict(old=old)!r}", "run", str(paths.DEVICE_PROGRAMS / "erase.py"))
    await reset(port)
    return old


async def reset(port):
    """Reset the board on this port, so that it starts with what it holds now."""
    await mpremote(port, "resume", "run", str(paths.DEVICE_PROGRAMS / "forget.py"), "+", "reset")
    # mpremote leaves 0.1 s before the reset, and whoever comes too early is cut off by it and waits for ever.
    await asyncio.sleep(_RESET_S)


def config_bytes(config):
    """A config.json that says this."""
    return (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()


async def deploy(port, config=None, on_step=lambda done, whole, what: None):
    """Make the board on this port run the firmware, and reset it. Returns the Plan that was carried out.

    config: what config.json is to say, checked by the firmware's own rules; None keeps the one that is there, or, where
    there is none, takes what the kind of board begins with. on_step: as carry_out() takes it. Raises OperationError.
    """
    if config is not None:
        boards.check(config)
    on_board = await survey(port)
    kind = boards.detect(on_board)
    sources = paths.firmware_files()
    if on_board.frozen:
        made = plan_beside_image({path: here.read_bytes() for path, here in sources.items()}, on_board)
    else:
        made = plan(compiled(sources, on_board.architecture), on_board)
    if config is None and CONFIG not in on_board.files:
        config = kind.config
    if config is not None and on_board.files.get(CONFIG) != sha256(config_bytes(config)):
        made = replace(made, config=config_bytes(config))
    if not made.empty:
        await carry_out(port, made, on_step)
    await reset(port)
    return made
