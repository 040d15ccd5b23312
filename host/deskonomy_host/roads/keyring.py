"""Keys: 32 random bytes that cities share, each in its own file as 64 hex digits.

Here: creating a key, reading one, and the keyring, which holds keys of boards by the names of their cities. Not here:
what a key does on the wire (deskonomy/wire/sealing.py). No message and no exception of this module contains a key.

The key that a city of this machine requires from a peer is, in this order: the key that the keyring holds for the
peer's name; the key that the city was given; none. A keyring or a key that cannot be read is an error, never "none":
else a peer that has a key could get an open road.
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


def find_key(city: str, warn: Warn = print_warning) -> bytes | None:
    """Return the key that the keyring holds for a city, or None.

    Args:
        city: the name of the city.
        warn: as in read_key_file().

    Raises:
        OperationError: its file or the keyring cannot be read.
        UsageError: its file does not contain a key.
    """
    path = _find_path(city)
    return read_key_file(path, warn) if _exists(path, f"look for the key of {city}") else None


def check_keyring() -> None:
    """Check that the keyring, if there is one, can be searched. Raises OperationError."""
    folder = find_keyring()
    if _exists(folder, "look for keys"):
        _exists(folder / "any", "look for keys")  # which takes the permission that the file of a key takes


def find_keyring() -> Path:
    """Return the folder of the keyring: one file for each city. To delete a file is to remove its key.

    Raises:
        OperationError: this user has no home directory.
    """
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():  # the XDG specification ignores such a path, which is another one in each directory
        try:
            base = Path.home() / ".config"
        except RuntimeError:
            raise OperationError(
                "cannot look for keys: this user has no home directory; name a folder in XDG_CONFIG_HOME"
            ) from None
    return base / "deskonomy" / "keys"


class KeyFinder:
    """Finds the key that a city of this machine requires from each peer: the `key_of` of its roads.

    Attributes:
        key: the key that the city was given; None for none.
    """

    def __init__(self, path: str | Path | None = None, warn: Warn = print_warning) -> None:
        """Load the key that the city is given, and check the keyring; arguments and exceptions are those of load_key().

        Raises:
            OperationError: the key or the keyring cannot be read.
        """
        self._send_warning = warn
        self._warnings: set[str] = set()
        self.key = load_key(path, self._warn)
        check_keyring()
        self._place = f"the environment's {KEY_VARIABLE}" if path is None else str(path)

    def __call__(self, city: str) -> bytes | None:
        """Return the key that a peer of this name has to prove; None for none. Raises as find_key()."""
        return find_key(city, self._warn) or self.key

    def describe(self, city: str) -> str:
        """Return where the key for a peer was looked for, as the end of a log line."""
        path = _find_path(city)
        if os.path.lexists(path):
            return f" (ours is in {path})"
        if self.key is not None:
            return f" (ours is in {self._place}, as there is no {path})"
        return f" (there is no {path}, and neither --key-file nor {KEY_VARIABLE})"

    def _warn(self, text: str) -> None:
        """Pass on a warning, but not again at each connection."""
        if text not in self._warnings:
            self._warnings.add(text)
            self._send_warning(text)


def create_key_file(path: str | Path) -> None:
    """Create a key file and print how to use it: `deskonomy keygen`. Raises OperationError."""
    write_key_file(path, create_key())
    print(f"A new key is in {path}. Every city that has it can trade with yours, so pass it on with care.")
    print(f"Cities that share it:  deskonomy run RIVERWOOD --key-file {path}")
    print("They reject every city that does not have it. Copy the file to each machine that takes part.")


def _find_path(city: str) -> Path:
    return find_keyring() / (quote(city, safe=" ") + ".key")


def _exists(path: Path, purpose: str) -> bool:
    """Return whether a path exists; purpose: completes "cannot". Raises OperationError if that cannot be known."""
    try:
        path.lstat()
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OperationError(f"cannot {purpose} in {path}: {error.strerror}") from None


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
