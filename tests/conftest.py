"""What several test folders share: the other interpreter."""

import os
import shutil
import sys

import pytest


@pytest.fixture(scope="session")
def micropython():
    """The path of a real MicroPython (unix port)."""
    found = os.environ.get("DESKONOMY_MICROPYTHON") or shutil.which(
        "micropython", path=os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", "")))
    )
    if not found:
        pytest.skip("there is no MicroPython for this machine; name one in DESKONOMY_MICROPYTHON")
    return found
