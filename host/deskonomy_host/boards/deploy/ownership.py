"""Ownership: which files of a board belong to the firmware, and which to the board's owner.

Here: that decision, by path and by SHA-256, without any input or output. Not here: what a board holds (inventory.py),
what should be on it (plan.py).

If main.py is the firmware's, both slots belong to the firmware completely. Otherwise a file belongs to the firmware
only if it has the path of a firmware file, so that a first deploy, or an erase of the wrong board, loses no file of
another project. Files outside the slots stay, among them the owner's drivers, in the folder /drivers.
"""

import hashlib
import itertools
from collections.abc import Iterable
from pathlib import PurePosixPath

from deskonomy_host import paths
from deskonomy_host.boards.deploy.inventory import Inventory
from deskonomy_host.boards.deploy.releases import earlier_releases
from deskonomy_host.boards.spec.catalog import CONFIG
from deskonomy_host.errors import OperationError

MAIN = "main.py"
SLOTS = ("a", "b")
# The folder in which a firmware in an image finds its page; in /deskonomy_board it would hide the image's modules.
BESIDE_IMAGE = "lib/deskonomy_board"
_BESIDE_OLD_IMAGE = "lib/board"  # the same of release 0.1.0
# The folders into which mip installs the firmware, or installed release 0.1.0; a slot replaces them.
_MIP_FOLDERS = ("board", "deskonomy", "deskonomy_board")
# The files that the firmware and a deploy write beside the slots.
_CITY_FILES = ("city.state", "city.new", "city.damaged", "city.old")
_WRITTEN = (CONFIG, "starts.txt", "crash.log", *_CITY_FILES, "main.new", "config.new")


def sha256(data: bytes) -> str:
    """Return the hex SHA-256 of these bytes."""
    return hashlib.sha256(data).hexdigest()


def make_main(slot: str) -> bytes:
    """Return the main.py that runs this slot."""
    return (paths.DEVICE_PROGRAMS / MAIN).read_bytes().replace(b"SLOT", slot.encode())


def list_slot(inventory: Inventory, slot: str) -> dict[str, str]:
    """Return {path below this slot: hex SHA-256} of the files in the slot."""
    return {path[len(slot) + 1 :]: digest for path, digest in inventory.files.items() if path.startswith(slot + "/")}


def find_running_slot(inventory: Inventory) -> str | None:
    """Return the slot that main.py runs, of this release or of an earlier one; None if it runs no slot."""
    return _slots_by_main().get(inventory.files.get(MAIN, "")) or None


def has_owned_main(inventory: Inventory) -> bool:
    """Return whether the board's main.py is the firmware's."""
    return inventory.files.get(MAIN) in _slots_by_main()


def list_misplaced(inventory: Inventory) -> list[str]:
    """Return the paths of the owner's files in slots that belong to the firmware, sorted."""
    slots = {slot: list_slot(inventory, slot) for slot in SLOTS}
    return sorted(f"{slot}/{path}" for slot, files in slots.items() for path in files.keys() - _select_owned(files))


def check_slots(inventory: Inventory) -> None:
    """Raise OperationError if the slots hold files of the board's owner."""
    if has_owned_main(inventory):
        return
    for slot in SLOTS:
        files = list_slot(inventory, slot)
        for path in sorted(files.keys() - _select_owned(files)):
            raise OperationError(
                "the firmware needs the folders /a and /b for itself, and %s/%s is yours: move it away first"
                % (slot, path)
            )


def check_image_modules(inventory: Inventory) -> None:
    """Raise OperationError if a file of the board's owner hides a module of the firmware in the image."""
    packages = ("deskonomy/", inventory.frozen_package + "/")
    files = {path for path in inventory.files if path.startswith(packages)}
    for path in sorted(files - _select_owned(files)):
        raise OperationError("%s is yours, and hides the firmware in the image: move it away first" % path)


def rename_owners_main(inventory: Inventory) -> str:
    """Return the new name for a main.py of the board's owner; "" if there is no such file."""
    if MAIN not in inventory.files or has_owned_main(inventory):
        return ""
    names = ("main.old%s.py" % (number or "") for number in itertools.count())
    return next(name for name in names if name not in inventory.files)


def superseded_paths(inventory: Inventory) -> list[str]:
    """Return the paths that a deploy makes useless: what mip installed, and the page of an earlier release's image.

    Files come first, then the folders that hold no other file.
    """
    files = _installed_by_mip(inventory)
    if inventory.frozen_package != "board":
        files += _beside_image(inventory, _BESIDE_OLD_IMAGE)
    return files + _emptied_folders(inventory, files, (*_MIP_FOLDERS, _BESIDE_OLD_IMAGE))


def owned_paths(inventory: Inventory) -> list[str]:
    """Return all paths on a board that belong to the firmware, each file before the folders that hold it."""
    has_main = has_owned_main(inventory)
    files = _installed_by_mip(inventory)
    owns_main = has_main or (MAIN in inventory.files and bool(files))  # of an unknown version, installed by mip
    files += _beside_image(inventory, BESIDE_IMAGE) + _beside_image(inventory, _BESIDE_OLD_IMAGE)
    for slot in SLOTS:
        inside = list_slot(inventory, slot)
        files += [f"{slot}/{path}" for path in sorted(inside if has_main else _select_owned(inside))]
    if not (files or owns_main or inventory.frozen_package):
        return []
    files += [path for path in _WRITTEN if path in inventory.files] + [MAIN] * owns_main
    return files + _emptied_folders(inventory, files, (*SLOTS, BESIDE_IMAGE, _BESIDE_OLD_IMAGE, *_MIP_FOLDERS))


def _installed_by_mip(inventory: Inventory) -> list[str]:
    """Return the files outside the slots that have the paths of firmware files, sorted."""
    files = _select_owned(inventory.files)
    return sorted(path for path in files if path.startswith(tuple(folder + "/" for folder in _MIP_FOLDERS)))


def _beside_image(inventory: Inventory, folder: str) -> list[str]:
    """Return the files in this folder, a package's in lib/, that have the paths of firmware files, sorted."""
    files = {path.removeprefix("lib/"): path for path in inventory.files if path.startswith(folder + "/")}
    return [files[path] for path in sorted(_select_owned(files))]


def _select_owned(files: Iterable[str]) -> set[str]:
    """Return those of these paths, below a slot or where mip puts them, that are firmware files', as .py or .mpy."""
    sources = set(paths.list_firmware_files()).union(*(release.sources for release in earlier_releases().values()))
    return {path for path in files if path in sources or PurePosixPath(path).with_suffix(".py").as_posix() in sources}


def _slots_by_main() -> dict[str, str]:
    """Return {hex SHA-256 of a main.py of the firmware: the slot that it runs, "" for the one that mip installs}."""
    mains = {}
    for release in earlier_releases().values():
        mains |= release.main_sha256
    mains[sha256((paths.FIRMWARE / MAIN).read_bytes())] = ""
    return mains | {sha256(make_main(slot)): slot for slot in SLOTS}


def _emptied_folders(inventory: Inventory, files: list[str], roots: tuple[str, ...]) -> list[str]:
    """Return these folders, and those inside, that are empty once these files are removed; inner folders first."""
    staying = set(inventory.files) - set(files)
    inside = [path for path in inventory.folders if (path + "/").startswith(tuple(root + "/" for root in roots))]
    emptied = [folder for folder in inside if not any(path.startswith(folder + "/") for path in staying)]
    return sorted(emptied, reverse=True)
