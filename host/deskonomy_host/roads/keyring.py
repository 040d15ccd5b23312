"""Keys: 32 random bytes that cities share, each in a file of its own as 64 hex digits.

Here: making one, reading one, and remembering the keys of boards, by the names of their cities. Not here: what a key
does on the wire (deskonomy/keyed.py). No message of this module, nor anything that it raises, has a key in it.

What a city of this machine asks of a peer: the key that is remembered for the peer's name; where there is none, the key
that this city was given; where there is none either, nothing. A remembered key that cannot be read is an error, never
"nothing".
"""

import contextlib
import os
import re
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

from deskonomy.wire.sealing import KEY_BYTES

from deskonomy_host.errors import OperationError, UsageError

FILE = "deskonomy.key"
VARIABLE = "DESKONOMY_KEY"
_FILE_MAX = 1024  # bytes; a key file has 65
_DIGITS = re.compile(r"[0-9a-fA-F]{%d}" % (2 * KEY_BYTES))


def new():
    """A new key (bytes)."""
    return secrets.token_bytes(KEY_BYTES)


def text(key):
    """A key as it is written in a file and in a board's config.json."""
    return key.hex()


def create(path, key):
    """Write a key file that only this user can read. Raises OperationError, also if there is something of that name."""
    try:
        _write(path, key)
    except FileExistsError:
        raise OperationError(f"{path} exists, and what has its key would be shut out: name another file") from None
    except OSError as error:
        raise OperationError(f"cannot write {path}: {error.strerror}") from None


def _say(line):
    print(f"deskonomy: {line}", file=sys.stderr)


def read(path, warn=_say):
    """The key (bytes) in a file; warn(line) if others can read it. Raises OperationError, and UsageError if it holds
    no key."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            words = file.read(_FILE_MAX)
    except OSError as error:
        raise OperationError(f"cannot read the key in {path}: {error.strerror}") from None
    if hasattr(os, "getuid") and mode & 0o077:
        warn(f"others on this machine may read the key in {path}: chmod 600 {path}")
    return _key(words.decode("ascii", "replace"), str(path))


def given(path=None, warn=_say):
    """The key in this file, or without a path in the environment, or None. Raises OperationError, UsageError."""
    if path is not None:
        return read(path, warn)
    if VARIABLE in os.environ:
        return _key(os.environ[VARIABLE], f"the environment's {VARIABLE}")
    return None


def remember(city, key):
    """Keep the key of the city of this name, in place of any before. Raises OperationError."""
    path = _path(city)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(draft, key)
            os.replace(draft, path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
    except OSError as error:
        raise OperationError(f"cannot keep the key of {city} in {path}: {error.strerror}") from None


def forget(city):
    """Keep no key of the city of this name any more. Returns whether there was one. Raises OperationError."""
    path = _path(city)
    try:
        path.unlink()
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OperationError(f"cannot forget the key of {city} in {path}: {error.strerror}") from None


def key_for(city):
    """The key (bytes) that is remembered for the city of this name, or None. Raises OperationError, UsageError."""
    path = _path(city)
    return read(path) if os.path.lexists(path) else None


def folder():
    """Where keys are remembered, one file a city; who deletes one has it forgotten."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "deskonomy" / "keys"


def _path(city):
    return folder() / (quote(city, safe=" ") + ".key")


def _write(path, key):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text(key) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _key(words, where):
    words = words.strip()
    if not _DIGITS.fullmatch(words):
        raise UsageError(f"{where} holds no key, which is {2 * KEY_BYTES} hex digits: make one with deskonomy keygen")
    return bytes.fromhex(words)


def keygen(path):
    """`deskonomy keygen`: make a key file and say what to do with it. Raises OperationError."""
    create(path, new())
    print(f"A new key is in {path}. Whoever has it can trade with you, so hand it on with care.")
    print(f"Cities that share it:  deskonomy run RIVERWOOD --key-file {path}")
    print("They then trade with nobody who does not have it. Copy the file to each machine that shall join in.")
