"""Where the firmware's files and the boards' folders lie, in a checkout and in an installed wheel alike.

Here: paths on this machine. Not here: what is copied from them, and to where (deploy.py).
"""

from pathlib import Path

import deskonomy
import deskonomy_board

_HERE = Path(__file__).resolve().parent
_DATA = _HERE / "data"  # an installed wheel carries firmware/ and boards/ in here
_ROOT = _DATA if _DATA.is_dir() else _HERE.parent.parent

CORE = Path(deskonomy.__file__).resolve().parent
BOARD = Path(deskonomy_board.__file__).resolve().parent
FIRMWARE = _ROOT / "firmware"
BOARDS = _ROOT / "boards"
BENCH_PROGRAMS = _HERE / "bench" / "programs"  # run by CPython and MicroPython
DEVICE_PROGRAMS = _HERE / "boards" / "deploy" / "device"  # run by mpremote on a board


def firmware_files():
    """{path of a source: path here} of everything that a board runs, and of the page that it shows."""
    files = {"main.py": FIRMWARE / "main.py"}
    for folder in (CORE, BOARD):
        for file in sorted([*folder.rglob("*.py"), *folder.glob("*.html")]):
            files["%s/%s" % (folder.name, file.relative_to(folder).as_posix())] = file
    return files
