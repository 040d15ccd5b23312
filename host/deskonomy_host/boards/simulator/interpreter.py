"""A MicroPython on this machine: where it is, and how busy its process is.

Here: finding it, and looking at it from outside. Not here: starting it and talking with it (simulated_machine.py).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deskonomy_host.errors import OperationError

_OLDEST = (1, 29)  # the first whose unix port switches its terminal without throwing away what lies there unread


def find_micropython(path=None):
    """The path of a MicroPython: this one, DESKONOMY_MICROPYTHON, the one installed with us, or one on the PATH.

    Raises OperationError, which says what to do.
    """
    beside = os.path.join(os.path.dirname(sys.executable), "micropython")
    told = path or os.environ.get("DESKONOMY_MICROPYTHON")
    found = shutil.which(told) if told else shutil.which(beside) or shutil.which("micropython")
    if found is None:
        raise OperationError(
            "%s: give a MicroPython built for the unix port with --micropython PATH"
            % ("no MicroPython at %s" % told if told else "no MicroPython found on this machine")
        )
    words = [found, "-c", "import sys, vfs; print(sys.implementation.name, *sys.implementation.version[:2])"]
    try:
        said = subprocess.run(words, capture_output=True, timeout=60, stdin=subprocess.DEVNULL).stdout
    except (OSError, subprocess.TimeoutExpired):
        said = b""
    name, *version = said.decode(errors="replace").split() or [""]
    if name != "micropython":
        raise OperationError("%s is no MicroPython built for the unix port: give one with --micropython PATH" % found)
    if tuple(map(int, version)) < _OLDEST:
        raise OperationError(
            "%s is MicroPython %s, which loses what is typed while its REPL starts: give 1.29 or a later one with "
            "--micropython PATH" % (found, ".".join(version))
        )
    return os.path.abspath(found)


def is_busy(process, until_s):
    """Whether the interpreter neither waits for something nor has run for so long; False if nobody can tell."""
    try:
        state = Path(f"/proc/{_pid(process)}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "S" and ran_s(process) < until_s


def ran_s(process):
    """For how many seconds the interpreter has had a processor; 0 if nobody can tell."""
    try:
        return int(Path(f"/proc/{_pid(process)}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def _pid(process):
    """Of the interpreter that this process is, or has begun. Raises OSError if nobody can tell."""
    pid = process.pid
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = children[0]
    return pid
