"""Keys: 32 random bytes that cities share, each in its own file as 64 hex digits.

Here: creating a key, reading one, and the keyring, which holds keys of boards by the names of their cities. Not here:
what a key does on the wire (deskonomy/wire/sealing.py). No message and no exception of this module contains a key.

The key that a city of this machine requires from a peer is, in this order: the key that the keyring holds for the
peer's name; the key that the city was given; none. A key of the keyring that cannot be read is an error, never "none".
"""

# pyright: strict
import contextlib
import os
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from deskonomy.wire.sealing import KEY_BYTES

from deskonomy_host.errors import OperationError, UsageError

KEY_VARIABLE = "DESKONOMY_KEY"
_FILE_MAX_BYTES = 1024  # a key file has 65
_DIGITS = re.compile(r"[0-9a-fA-F]{%d}" % (2 * KEY_BYTES))

Warn = Callable[[str], None]


def create_key() -> bytes:
    """Return a new key."""
    return secrets.token_bytes(KEY_BYTES)


def format_key(key: bytes) -> str:
    """Return a key as it stands in a key file and in a board's config.json."""
    return key.hex()


def write_key_file(path: str | Path, key: bytes) -> None:
    """Create a key file that only this user can read.

    Raises:
        OperationError: the file exists already, or cannot be written.
    """
    try:
        _write(path, key)
    except FileExistsError:
        raise OperationError(
            f"{path} exists, and cities that use its key would be shut out: name another file"
        ) from None
    except OSError as error:
        raise OperationError(f"cannot write {path}: {error.strerror}") from None


def print_warning(text: str) -> None:
    """Print a warning to standard error."""
    print(f"deskonomy: {text}", file=sys.stderr)


def read_key_file(path: str | Path, warn: Warn = print_warning) -> bytes:
    """Return the key in a file.

    Args:
        path: the key file.
        warn: called with one sentence if other users of this machine can read the file.

    Raises:
        OperationError: the file cannot be read.
        UsageError: the file does not contain a key.
    """
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_FILE_MAX_BYTES)
    except OSError as error:
        raise OperationError(f"cannot read the key in {path}: {error.strerror}") from None
    if hasattr(os, "getuid") and mode & 0o077:
        warn(f"others on this machine may read the key in {path}: chmod 600 {path}")
    return _parse_key(content.decode("ascii", "replace"), str(path))


def load_key(path: str | Path | None = None, warn: Warn = print_warning) -> bytes | None:
    """Return the key that a city is given.

    Args:
        path: a key file; None for the environment's DESKONOMY_KEY.
        warn: as in read_key_file().

    Returns:
        The key, or None if there is neither.

    Raises:
        OperationError: the file cannot be read.
        UsageError: the file or the variable does not contain a key.
    """
    if path is not None:
        return read_key_file(path, warn)
    if KEY_VARIABLE in os.environ:
        return _parse_key(os.environ[KEY_VARIABLE], f"the environment's {KEY_VARIABLE}")
    return None


def store_key(city: str, key: bytes) -> None:
    """Put the key of a city into the keyring, in place of its earlier one. Raises OperationError."""
    path = _find_path(city)
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


def remove_key(city: str) -> bool:
    """Remove the key of a city from the keyring; return whether there was one. Raises OperationError."""
    path = _find_path(city)
    try:
        path.unlink()
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OperationError(f"cannot forget the key of {city} in {path}: {error.strerror}") from None


def find_key(city: str) -> bytes | None:
    """Return the key that the keyring holds for a city, or None.

    Raises:
        OperationError: its file cannot be read.
        UsageError: its file does not contain a key.
    """
    path = _find_path(city)
    return read_key_file(path) if os.path.lexists(path) else None


def find_keyring() -> Path:
    """Return the folder of the keyring: one file for each city. To delete a file is to remove its key."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "deskonomy" / "keys"


def create_key_file(path: str | Path) -> None:
    """Create a key file and print how to use it: `deskonomy keygen`. Raises OperationError."""
    write_key_file(path, create_key())
    print(f"A new key is in {path}. Every city that has it can trade with yours, so pass it on with care.")
    print(f"Cities that share it:  deskonomy run RIVERWOOD --key-file {path}")
    print("They reject every city that does not have it. Copy the file to each machine that takes part.")


def _find_path(city: str) -> Path:
    return find_keyring() / (quote(city, safe=" ") + ".key")


def _write(path: str | Path, key: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(format_key(key) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _parse_key(text: str, place: str) -> bytes:
    """Return the key of a text. Raises UsageError, which names the place but not the text."""
    digits = text.strip()
    if not _DIGITS.fullmatch(digits):
        raise UsageError(f"{place} holds no key, which is {2 * KEY_BYTES} hex digits: make one with deskonomy keygen")
    return bytes.fromhex(digits)
