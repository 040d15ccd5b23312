"""The API that MicroPython has on each chip, as stubs.

The ESP32's are a package that the tests ask for. The packages for other chips have the same modules and cannot be
installed beside it, so .ci/run installs each into a folder of its own, and elsewhere their tests are skipped.
"""

import importlib.metadata
import shutil

import pytest

from helpers.repository import REPO

CHIPS = ("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")  # by the names of their boards
_PACKAGES = ("micropython-esp32-stubs", "micropython-stdlib-stubs")


def folder(board, tmp_path):
    """The folder with the stubs of a board's chip and nothing else. Skips the test where they are not at hand."""
    if board != CHIPS[0]:
        installed = REPO / ".stubs" / board
        if not (installed / "machine.pyi").exists():
            pytest.skip(f"the stubs of its chip are not in .stubs/{board}; .ci/run puts them there")
        return installed
    # Beside other packages pyright finds less: some types it then takes for unknown.
    alone = tmp_path / "stubs"
    for package in _PACKAGES:
        for file in importlib.metadata.files(package) or ():
            if file.suffix == ".pyi":
                to = alone / file
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), to)
    return alone
