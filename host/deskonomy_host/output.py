"""Output that never makes its writer wait: a thread writes to the terminal, pipe or file, whose reader may stand still.

Here: the queue of what waits, what is dropped from it, and the wait at a command's end. Not here: what is written
(terminal/, apps/, logs.py).

A terminal takes no more bytes after Ctrl-S, and a pipe none if its reader does not read. Cities run in the same process
and must not wait for that.
"""

# pyright: strict
import contextlib
import errno
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

GIVE_UP_S = 1.0  # for what waits, after Ctrl-C or a failure
_WAITING_MAX_BYTES = 1_000_000  # of text that may be dropped: some minutes of status lines
_RETRY_S = 0.5
_FULL = (errno.ENOSPC, errno.EDQUOT)  # of a disk, which may have room again later


@dataclass
class _Text:
    """A text that waits, whether it may be dropped, and how many before it were dropped."""

    data: bytes
    can_drop: bool
    dropped_count: int = 0


class Output:
    """A stream with a queue; a thread of its own writes to it."""

    def __init__(
        self,
        stream: TextIO,
        report: Callable[[int], object] | None = None,
        waiting_max_bytes: int = _WAITING_MAX_BYTES,
    ) -> None:
        """Create the output.

        Args:
            stream: what to write to. One without a file descriptor is written at once, without a thread.
            report: called by the thread with the number of dropped texts; None: a line in the stream itself says so.
            waiting_max_bytes: how much text that may be dropped waits; the latest of it always does.
        """
        self._stream = stream
        self._report = report or self._insert_notice
        self._waiting_max_bytes = waiting_max_bytes
        self._waiting: deque[_Text] = deque()  # the oldest first
        self._droppable_count = self._droppable_bytes = 0
        self._is_writing = False
        self._failure: OSError | None = None
        self._full: OSError | None = None  # while the disk has no room
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        try:
            stream.flush()
            self._descriptor: int | None = stream.fileno()
        except (OSError, ValueError):
            self._descriptor = None

    def write(self, text: str, can_drop: bool = False) -> None:
        """Write a text soon.

        Args:
            text: whole lines, or a whole frame.
            can_drop: whether it may be left out, the oldest first, if too much waits.

        Raises:
            OSError: nothing more can be written, because the other end of the pipe is closed.
        """
        if self._descriptor is None:
            self._stream.write(text)
            self._stream.flush()
            return
        data = text.encode(self._stream.encoding or "utf-8", "replace")
        with self._changed:
            if self._failure:
                raise self._failure
            self._waiting.append(_Text(data, can_drop))
            if can_drop:
                self._droppable_count += 1
                self._droppable_bytes += len(data)
                self._drop_excess()
            if not self._thread:
                self._thread = threading.Thread(target=self._keep_writing, name="output", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def is_done(self) -> bool:
        """Return whether everything is written. Raises OSError if that cannot be any more."""
        with self._changed:
            if self._failure:
                raise self._failure
            if self._full:
                raise self._full
            return not self._waiting and not self._is_writing

    def wait(self, limit_s: float) -> None:
        """Wait until everything is written, or cannot be, or the time is over."""
        end_s = time.monotonic() + limit_s
        with self._changed:
            while self._waiting or self._is_writing:
                left_s = end_s - time.monotonic()
                if self._failure or self._full or left_s <= 0:
                    return
                self._changed.wait(left_s)

    def _drop_excess(self) -> None:
        """Drop the oldest text that may be dropped for as long as too much waits."""
        while self._droppable_bytes > self._waiting_max_bytes and self._droppable_count > 1:
            index = next(index for index, text in enumerate(self._waiting) if text.can_drop)
            dropped = self._waiting[index]
            self._droppable_bytes -= len(dropped.data)
            self._droppable_count -= 1
            self._waiting[index + 1].dropped_count += dropped.dropped_count + 1
            del self._waiting[index]

    def _keep_writing(self) -> None:
        while not self._failure:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                while not self._waiting:
                    self._changed.wait()
                self._is_writing = True
                text = self._waiting.popleft()
                if text.can_drop:
                    self._droppable_count -= 1
                    self._droppable_bytes -= len(text.data)
            try:
                if text.dropped_count:
                    self._report(text.dropped_count)
                self._write_all(text.data)
            except OSError as error:
                with self._changed:
                    self._failure = error
                    self._waiting.clear()
                    self._changed.notify_all()

    def _write_all(self, data: bytes) -> None:
        """Write bytes, however long that takes. Raises OSError if the other end is closed."""
        assert self._descriptor is not None
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
                self._full = None
            except BlockingIOError:  # another program has made the pipe or terminal non-blocking
                select.select([], [self._descriptor], [], _RETRY_S)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._full = error
                time.sleep(_RETRY_S)

    def _insert_notice(self, count: int) -> None:
        self._write_all(f"{count} lines are left out here, because this output was not read\n".encode())


def open_outputs(as_json: bool) -> tuple[Output, Output]:
    """Return the outputs of status lines and of log lines: stdout and stderr for JSON, else stdout for both."""
    if not as_json:
        output = Output(sys.stdout)
        return output, output
    log = Output(sys.stderr)

    def report(count: int) -> None:
        with contextlib.suppress(OSError):  # of a closed stderr
            log.write(f"{count} status lines are left out, because stdout was not read\n", can_drop=True)

    return Output(sys.stdout, report), log
