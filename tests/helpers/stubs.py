"""The API of MicroPython on each chip, as stubs.

The ESP32's stubs are packages that the tests require. The packages for other chips have the same modules and cannot be
installed beside them, so .ci/run installs each into a folder of its own; elsewhere their tests are skipped.
"""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from helpers.repository import REPO

CHIPS = ("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")  # by the names of their boards
_PACKAGES = ("micropython-esp32-stubs", "micropython-stdlib-stubs")


def find_folder(board: str, tmp_path: Path) -> Path:
    """Return a folder with only the stubs of a board's chip. Skips the test where there are none."""
    if board != CHIPS[0]:
        installed = REPO / ".stubs" / board
        if not (installed / "machine.pyi").exists():
            pytest.skip(f"the stubs of its chip are not in .stubs/{board}; .ci/run puts them there")
        return installed
    # In a folder of their own, because pyright takes some types for unknown where other packages are beside them.
    folder = tmp_path / "stubs"
    for package in _PACKAGES:
        for file in importlib.metadata.files(package) or ():
            if file.suffix == ".pyi":
                copy = folder / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), copy)
    return folder
