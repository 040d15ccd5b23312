"""What on a board is this firmware's, and what is its owner's.

Here: telling them apart, by path and hash; all of it pure. Not here: what a board holds (survey.py), what should be on
it, and getting it there (deploy.py).

Where our main.py is, both slots are ours whole. Where it is not, only what is called as our files are, so that nothing
of somebody's own project is lost by a first deploy, or an erase of the wrong board.
"""

import functools
import hashlib
import itertools
from pathlib import PurePosixPath

from deskonomy_host import paths
from deskonomy_host.boards.spec.catalog import CONFIG
from deskonomy_host.errors import OperationError

MAIN = "main.py"
SLOTS = ("a", "b")
# Where a firmware in an image finds its page; in /deskonomy_board it would hide the modules of that image.
BESIDE_IMAGE = "lib/deskonomy_board"
_LOOSE = ("deskonomy/", "deskonomy_board/")  # where mip puts what a slot then replaces
# What the firmware writes beside its slots.
OURS = (CONFIG, "starts.txt", "crash.log", "city.state", "city.new", "city.damaged", "main.new", "config.new")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def main_of(slot):
    """The main.py that runs this slot."""
    return (paths.DEVICE_PROGRAMS / MAIN).read_bytes().replace(b"SLOT", slot.encode())


def slot_of(board, slot):
    """{path in this slot: hex SHA-256} of what a board holds there."""
    return {path[len(slot) + 1 :]: digest for path, digest in board.files.items() if path.startswith(slot + "/")}


def _is_ours(path):
    """Whether a path below a slot, or where mip puts things, is one of this firmware's files, as .py or .mpy."""
    return PurePosixPath(path).with_suffix(".py").as_posix() in _sources() or path in _sources()


@functools.cache
def _sources():
    return set(paths.firmware_files())


def _has_our_main(board):
    mains = {sha256(main_of(slot)) for slot in SLOTS} | {sha256((paths.FIRMWARE / MAIN).read_bytes())}
    return board.files.get(MAIN) in mains


def check_slots(board):
    """Raises OperationError if a board that runs none of ours has files in the slots that are its owner's."""
    theirs = [f"{slot}/{path}" for slot in SLOTS for path in sorted(slot_of(board, slot)) if not _is_ours(path)]
    if theirs and not _has_our_main(board):
        raise OperationError(
            "the firmware needs the folders /a and /b for itself, and %s is yours: move it away first" % theirs[0]
        )


def check_nothing_hides(board):
    """Raises OperationError if a file of its owner's stands where it hides a firmware that is part of the image."""
    for path in sorted(board.files):
        if path.startswith(_LOOSE) and not _is_ours(path):
            raise OperationError("%s is yours, and hides the firmware in the image: move it away first" % path)


def aside_of(board):
    """What a main.py that is none of ours is to be called from now on; "" if there is none."""
    if MAIN not in board.files or _has_our_main(board):
        return ""
    return next(name for name in ("main.old%s.py" % (n or "") for n in itertools.count()) if name not in board.files)


def loose(board):
    """What mip has put beside the slots, and a slot then replaces: files, then folders with nothing else in them."""
    files = sorted(path for path in board.files if path.startswith(_LOOSE) and _is_ours(path))
    return files + _emptied(board, files, _LOOSE)


def ours(board):
    """All paths on a board that are this firmware's, files before the folders that they are in. Pure."""
    slots = tuple(f"{folder}/" for folder in (*SLOTS, BESIDE_IMAGE))
    runs = _has_our_main(board)
    files = [path for path in loose(board) if path in board.files]
    # An older main.py of ours, by mip, is known by what it stands beside.
    main = MAIN in board.files and (runs or bool(files))
    files += [path for path in board.files if path.startswith(slots) and (runs or _is_ours(path.split("/", 1)[1]))]
    if not (files or main or board.frozen):
        return []
    files += [path for path in OURS if path in board.files] + [MAIN] * main
    return files + _emptied(board, files, slots + _LOOSE)


def _emptied(board, files, folders):
    """What of these folders has nothing in it once the files are gone, the inner ones first."""
    stay = set(board.files) - set(files)
    inside = [path for path in board.folders if (path + "/").startswith(folders)]
    return sorted((path for path in inside if not any(other.startswith(path + "/") for other in stay)), reverse=True)
