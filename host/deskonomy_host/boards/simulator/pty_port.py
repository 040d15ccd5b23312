"""A serial port made of a pseudo-terminal: other programs open it by its path.

Here: bytes from and to the program that has it open. Not here: what is behind the port (machine.py).
"""

import asyncio
import fcntl
import os
import struct
import termios
import tty
from collections.abc import Callable

_IN_FLIGHT_MAX = 2048  # bytes that the pty holds unread; what it holds while no program reads is stale
_WAITING_MAX = 16384  # bytes beyond which the port asks for no more
_READER_TIMEOUT_S = 0.5  # a program that has not read a byte for so long counts as gone
_POLL_S = 0.005  # a pty gives no event when it has been read


def count_unread(fd: int) -> int:
    """Return how many bytes wait to be read from this terminal."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]


class PtyPort:
    """An open serial port, for a running asyncio loop. As on a serial line, what is written while no program reads is
    lost.

    Attributes:
        path: Where other programs open the port.
    """

    def __init__(self, on_bytes: Callable[[bytes], object], on_capacity: Callable[[], object]) -> None:
        """Open a port.

        Args:
            on_bytes: Called with the bytes that arrive.
            on_capacity: Called when the port was full and takes bytes again.
        """
        self._inside, self._outside = os.openpty()  # the outside stays open here; closing it would hang up
        tty.setraw(self._outside)
        os.set_blocking(self._inside, False)
        self.path = os.ttyname(self._outside)
        self._on_bytes = on_bytes
        self._on_capacity = on_capacity
        self._waiting = b""
        self._stale_bytes: int | None = None  # that lay unread when the reader counted as gone; None while it reads
        self._read_at_s = 0.0
        self._poll: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._inside, self._read)

    @property
    def is_full(self) -> bool:
        """Whether so many bytes wait that none should be written now."""
        return len(self._waiting) > _WAITING_MAX

    def write(self, data: bytes) -> None:
        """Send bytes to the program that reads, as fast as it reads."""
        if self._stale_bytes is not None:
            if count_unread(self._outside) >= self._stale_bytes:
                return
            self._stale_bytes = None
        if not self._waiting:
            self._read_at_s = self._loop.time()
        self._waiting += data
        if self._poll is None:
            self._push()

    def close(self) -> None:
        """Remove the port. A program that has it open receives a hang-up."""
        if self._poll is not None:
            self._poll.cancel()
        self._loop.remove_reader(self._inside)
        os.close(self._inside)
        os.close(self._outside)

    def _read(self) -> None:
        self._on_bytes(os.read(self._inside, 4096))

    def _send(self, data: bytes) -> int:
        """Write as much of this as the pty takes. Return how many bytes."""
        try:
            return os.write(self._inside, data)
        except BlockingIOError:  # earlier bytes may not yet be where Linux counts them as unread
            return 0

    def _push(self) -> None:
        """Move waiting bytes to the pty; drop them if the reader counts as gone."""
        self._poll = None
        was_full = self.is_full
        in_flight = count_unread(self._outside)
        if in_flight < _IN_FLIGHT_MAX:
            sent = self._send(self._waiting[: _IN_FLIGHT_MAX - in_flight])
            self._waiting = self._waiting[sent:]
            self._read_at_s = self._loop.time()
        elif self._loop.time() > self._read_at_s + _READER_TIMEOUT_S:
            self._waiting = b""
            self._stale_bytes = in_flight
        if self._waiting:
            self._poll = self._loop.call_later(_POLL_S, self._push)
        if was_full and not self.is_full:
            self._on_capacity()
