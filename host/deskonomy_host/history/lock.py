"""The lock of a history: one run at a time records it.

Here: a file beside the history, which a run holds. Not here: SQLite's own locks, which also let other programs read.
"""

# pyright: strict
import contextlib
import errno
import os
from pathlib import Path

from deskonomy_host.errors import OperationError

_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # by some network file systems, where nothing is locked


class HistoryLock:
    """The lock of a history, from its creation to release() or the end of the process."""

    def __init__(self, history: Path) -> None:
        """Lock a history.

        Raises:
            OperationError: another run records it.
            OSError: the file of the lock cannot be made.
        """
        import fcntl  # not on Windows, where no run works

        history = history.resolve()
        self._path = history.with_name(history.name + "-lock")
        while True:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._descriptor)
                raise OperationError(f"another run records {history}: end it, or name another file") from None
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    os.close(self._descriptor)
                    raise
            if self._is_in_place():
                return
            os.close(self._descriptor)  # of a file that its owner has just removed

    def release(self) -> None:
        """Release the lock and remove its file."""
        with contextlib.suppress(OSError):
            if self._is_in_place():
                self._path.unlink()
        os.close(self._descriptor)

    def _is_in_place(self) -> bool:
        """Return whether the file that is held still has the lock's name."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False
