"""What several test folders share: where things lie, and the other interpreter."""

import os
import pathlib
import shutil
import sys

import pytest

REPO = pathlib.Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"  # the tutorial and the descriptions, where they lie beside the project
sys.path.insert(0, str(REPO / "tests" / "core"))


@pytest.fixture(scope="session")
def micropython():
    """The path of a real MicroPython (unix port)."""
    found = os.environ.get("DESKONOMY_MICROPYTHON") or shutil.which(
        "micropython", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", "")))
    )
    if not found:
        pytest.skip("there is no MicroPython for this machine; name one in DESKONOMY_MICROPYTHON")
    return found
