"""Paths of the firmware's files and of the boards' folders, in a checkout and in an installed wheel alike.

Here: paths on this machine. Not here: which of the files a board gets, and under which names (boards/deploy/).
"""

from pathlib import Path

import deskonomy
import deskonomy_board

_HERE = Path(__file__).resolve().parent
_DATA = _HERE / "data"  # where an installed wheel has firmware/ and boards/
_ROOT = _DATA if _DATA.is_dir() else _HERE.parent.parent

CORE = Path(deskonomy.__file__).resolve().parent
BOARD = Path(deskonomy_board.__file__).resolve().parent
FIRMWARE = _ROOT / "firmware"
BOARDS = _ROOT / "boards"
BENCH_PROGRAMS = _HERE / "bench" / "programs"  # run by CPython and MicroPython
DEVICE_PROGRAMS = _HERE / "boards" / "deploy" / "device"  # run by mpremote on a board


def list_firmware_files() -> dict[str, Path]:
    """Return {path in the firmware: path here} of all that a board runs, and of the page that it serves."""
    files = {"main.py": FIRMWARE / "main.py"}
    for folder in (CORE, BOARD):
        for file in sorted([*folder.rglob("*.py"), *folder.glob("*.html")]):
            files[f"{folder.name}/{file.relative_to(folder).as_posix()}"] = file
    return files
