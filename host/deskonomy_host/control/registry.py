"""The registry of running processes: one file per process, in a directory that only this user can read.

Here: the directory, and the files with each process's address and token. Not here: whether a process answers
(control/client.py), what it answers (control/server.py).
"""

import getpass
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deskonomy_host.errors import OperationError


class Process(NamedTuple):
    """A process that runs cities.

    Attributes:
        pid: its process id.
        cities: names of its cities.
        commands: names of the commands that it executes.
        port: TCP port on loopback where its control server answers.
        token: the token that a command needs.
    """

    pid: int
    cities: list[str]
    commands: list[str]
    port: int
    token: str


def open_directory() -> Path:
    """Return the directory of the registry; make it if it is missing.

    Raises:
        OperationError: it cannot be made, or another user could read it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        path = Path(base) / "deskonomy"
    else:
        path = Path(tempfile.gettempdir()) / f"deskonomy-{getpass.getuser()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise OperationError(
            f"cannot use {path} to find running cities: {error.strerror}; set XDG_RUNTIME_DIR"
        ) from None
    # In a shared /tmp another user may have made the directory first, to read the tokens.
    is_foreign = hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077)
    if not stat.S_ISDIR(status.st_mode) or is_foreign:
        raise OperationError(f"{path} is not this user's private directory; set XDG_RUNTIME_DIR to one that is")
    return path


def write_private_file(path: Path, text: str) -> None:
    """Write a file that only this user can read. Raises OSError."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def register(process: Process) -> Path:
    """Add a process to the registry; return its file, which the process removes at its end."""
    path = open_directory() / f"{process.pid}-{process.port}.json"
    part = path.with_suffix(".part")
    write_private_file(part, json.dumps(process._asdict()))
    part.replace(path)
    return path


def read_registry() -> Iterator[tuple[Path, Process]]:
    """Yield each file of the registry and its process, sorted by file name. Removes files that are damaged."""
    for path in sorted(open_directory().glob("*.json")):
        try:
            process = Process(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            continue
        yield path, process
