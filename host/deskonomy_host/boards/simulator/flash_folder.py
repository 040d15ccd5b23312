"""The flash of a simulated board: a folder of this machine.

Here: holding the folder for one board, its config.json before the board starts, and the owner's drivers. Not here: the
board (board.py), what a deploy writes to a flash (deploy/).
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec.catalog import CONFIG
from deskonomy_host.boards.spec.sensors import OWN_DRIVERS
from deskonomy_host.errors import OperationError, UsageError

BOARD = "SIMULATED"  # its name in the catalog


@contextlib.contextmanager
def lock_flash(flash: Path) -> Iterator[None]:
    """Hold a flash for one board, because two boards would run the same city twice. Raises OperationError."""
    import fcntl  # a system without it has no terminals for a simulated board either

    folder = os.open(flash, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperationError(
                "%s is the flash of a simulated board that runs: name another folder" % flash
            ) from None
        yield
    finally:
        os.close(folder)


def read_flash_config(flash: Path) -> dict[str, Any]:
    """Return the settings in config.json of a flash, or the first settings of a simulated board.

    Raises:
        OperationError: The file is no JSON object.
    """
    file = flash / CONFIG
    if not file.exists():
        return catalog.load_board(BOARD).config
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise OperationError("%s is not JSON: correct it, or remove it for a new one" % file) from None
    if not isinstance(config, dict):
        raise OperationError("%s is no object in { }: correct it, or remove it for a new one" % file)
    return config


def copy_drivers(folder: Path, flash: Path) -> None:
    """Copy the drivers in this folder to the flash. Raises UsageError if there are none."""
    drivers = sorted([*folder.glob("*.py"), *folder.glob("*.mpy")])
    if not drivers:
        raise UsageError("--drivers takes a folder of drivers, such as soil.py, not %s" % folder)
    (flash / OWN_DRIVERS).mkdir(exist_ok=True)
    for driver in drivers:
        shutil.copy(driver, flash / OWN_DRIVERS)
