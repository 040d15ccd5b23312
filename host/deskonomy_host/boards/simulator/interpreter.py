"""The MicroPython of this machine: where it is, and how busy its process is.

Here: finding it, and observing its process from outside. Not here: starting it and talking with it (machine.py).
"""

import asyncio.subprocess
import os
import shutil
import subprocess
import sys
from os import PathLike
from pathlib import Path

from deskonomy_host.errors import OperationError

# The first whose unix port switches the mode of its terminal without dropping the unread input.
_VERSION_MIN = (1, 29)
_VARIABLE = "DESKONOMY_MICROPYTHON"


def find_micropython(path: str | PathLike[str] | None = None) -> str:
    """Return the path of a MicroPython.

    Args:
        path: Of the interpreter; None for that of the environment's DESKONOMY_MICROPYTHON, else the one that is
            installed with this package, else the one on the PATH.

    Raises:
        OperationError: There is none, or it cannot run a simulated board; the message says what to do.
    """
    installed = os.path.join(os.path.dirname(sys.executable), "micropython")
    given = path or os.environ.get(_VARIABLE)
    found = shutil.which(given) if given else shutil.which(installed) or shutil.which("micropython")
    if found is None:
        raise OperationError(
            "%s: give a MicroPython built for the unix port with --micropython PATH"
            % ("no MicroPython at %s" % given if given else "no MicroPython found on this machine")
        )
    command = [found, "-c", "import sys, vfs; print(sys.implementation.name, *sys.implementation.version[:2])"]
    try:
        output = subprocess.run(command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL).stdout
    except (OSError, subprocess.TimeoutExpired):
        output = b""
    name, *version = output.decode(errors="replace").split() or [""]
    if name != "micropython":
        raise OperationError("%s is no MicroPython built for the unix port: give one with --micropython PATH" % found)
    if tuple(map(int, version)) < _VERSION_MIN:
        raise OperationError(
            "%s is MicroPython %s, which loses what is typed while its REPL starts: give 1.29 or a later one with "
            "--micropython PATH" % (found, ".".join(version))
        )
    return os.path.abspath(found)


def is_busy(process: asyncio.subprocess.Process, until_s: float) -> bool:
    """Return whether the interpreter runs, and its processor time is below this; False if the system does not say."""
    try:
        state = Path(f"/proc/{_find_pid(process)}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "S" and processor_time_s(process) < until_s


def processor_time_s(process: asyncio.subprocess.Process) -> float:
    """Return how many seconds of processor time the interpreter has had; 0 if the system does not say."""
    try:
        return int(Path(f"/proc/{_find_pid(process)}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def _find_pid(process: asyncio.subprocess.Process) -> int:
    """Return the process id of the interpreter, which may be a descendant of this process. Raises OSError."""
    pid = process.pid
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[0])
    return pid
