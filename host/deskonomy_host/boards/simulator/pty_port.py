"""A serial port that anybody may open by its path, made of a pty.

Here: bytes from and to whoever has it open. Not here: who answers (simulated_machine.py).
"""

import asyncio
import fcntl
import os
import struct
import termios
import tty

_IN_FLIGHT_MAX = 2048  # bytes given to the pty and not yet read: what is in there when nobody reads is stale
_WAITING_MAX = 16384  # bytes beyond which the port asks for no more
_PATIENCE_S = 0.5  # who has not read a byte for so long is not there
_LOOK_AGAIN_S = 0.005  # a pty does not tell when it has been read


def unread(fd):
    """How many bytes wait to be read from this terminal."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]


class PtyPort:
    """An open serial port; `path` is what others open. Needs a running asyncio loop.

    on_bytes(data): called with what comes in. on_room(): called when the port, full before, takes more again.
    As on a serial line, what is written while nobody reads is lost.
    """

    def __init__(self, on_bytes, on_room):
        self._inside, self._outside = os.openpty()  # the outside stays open here, or its closing would hang up
        tty.setraw(self._outside)
        os.set_blocking(self._inside, False)
        self.path = os.ttyname(self._outside)
        self._on_bytes = on_bytes
        self._on_room = on_room
        self._waiting = b""
        self._left_unread = None  # bytes that lay unread when the reader was given up, None while there is one
        self._read_at_s = 0.0
        self._look_again = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._inside, self._read)

    @property
    def full(self):
        """Whether so much waits that nothing more should be written now."""
        return len(self._waiting) > _WAITING_MAX

    def write(self, data):
        """Send these bytes to whoever reads, when there is room."""
        if self._left_unread is not None:
            if unread(self._outside) >= self._left_unread:
                return
            self._left_unread = None
        if not self._waiting:
            self._read_at_s = self._loop.time()
        self._waiting += data
        if self._look_again is None:
            self._push()

    def close(self):
        """Take the port away. Whoever has it open is told that it hung up."""
        if self._look_again is not None:
            self._look_again.cancel()
        self._loop.remove_reader(self._inside)
        os.close(self._inside)
        os.close(self._outside)

    def _read(self):
        self._on_bytes(os.read(self._inside, 4096))

    def _send(self, data):
        """Give the pty what it takes of this. Returns how many bytes."""
        try:
            return os.write(self._inside, data)
        except BlockingIOError:  # earlier ones may not yet be where Linux counts them as unread
            return 0

    def _push(self):
        self._look_again = None
        was_full = self.full
        in_flight = unread(self._outside)
        if in_flight < _IN_FLIGHT_MAX:
            sent = self._send(self._waiting[: _IN_FLIGHT_MAX - in_flight])
            self._waiting = self._waiting[sent:]
            self._read_at_s = self._loop.time()
        elif self._loop.time() > self._read_at_s + _PATIENCE_S:
            self._waiting = b""
            self._left_unread = in_flight
        if self._waiting:
            self._look_again = self._loop.call_later(_LOOK_AGAIN_S, self._push)
        if was_full and not self.full:
            self._on_room()
