"""The board's web server: http://NAME.local/ is a page about the city, /api/state is the status line.

Here: HTTP, as little of it as a browser needs, one answer at a time. Not here: the page (page.html, which is sent from
the flash in pieces, so that it takes no memory), the contents of a status line (console.py).

The server only reads, so every machine in the network may use it, and Host and Origin headers need no check. A client
that sends or reads nothing is disconnected after 5 s. A second client waits for the first; a third is rejected.
"""

import asyncio
import gc
import sys

from deskonomy.compat import TYPE_CHECKING, abort_stream
from deskonomy.events import PAGE_FAILED, PAGE_OPEN
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_READ_BYTES = const(256)  # of a file, and of a request, at a time
_REQUEST_BYTES_MAX = const(4096)  # with its headers
_LINE_BYTES_MAX = const(64)  # of the first line of a request
_CLIENTS_MAX = const(2)  # an ESP32 has few sockets
_CLIENT_S = const(5)
_FREE_BYTES_MIN = const(8000)  # of heap; below it the server answers 503
_WRITE_CHARACTERS_MIN = const(80)  # shorter pieces are sent together


class HttpServer:
    """The web server.

    Attributes:
        server: The asyncio server; None while it does not listen.
    """

    def __init__(
        self, port: int, format_status: "Callable[[], Iterable[str]]", log: "Callable[[str, str], None]"
    ) -> None:
        """Keep the settings for listen_at().

        Args:
            port: The port to listen on.
            format_status: Returns the status line in pieces.
            log: Called with an event and a line of text.
        """
        self._port = port
        self._format_status = format_status
        self._log = log
        self.server = None
        self._clients = 0
        self._turn = asyncio.Lock()

    async def listen_at(self, host: str) -> None:
        """Listen at the board's new address."""
        if self.server is not None:
            await abort_stream(self.server)
            self.server = None
        try:
            self.server = await asyncio.start_server(self._serve, host, self._port, backlog=1)
            self._log(PAGE_OPEN, "this city's page is http://%s:%d/" % (host, self._port))
        except OSError as error:
            self._log(PAGE_FAILED, "no page on port %d: %s" % (self._port, error))

    async def _serve(self, reader, writer):
        if self._clients < _CLIENTS_MAX:
            self._clients += 1
            try:
                await asyncio.wait_for(self._handle_client(reader, writer), _CLIENT_S)
            except Exception:  # the client is gone or too slow, or there is no memory for it: only this client ends
                pass
            self._clients -= 1
        await abort_stream(writer)

    async def _handle_client(self, reader, writer):
        line = await _read_request(reader)
        if line is None:
            return
        async with self._turn:
            await self._answer(line.split(), writer)

    async def _answer(self, request, writer):
        """Answer a request, which is the list of method, path and version."""
        gc.collect()
        if len(request) != 3 or request[2][:5] != b"HTTP/":
            await _send(writer, "400 Bad Request")
        elif request[0] != b"GET":
            await _send(writer, "405 Method Not Allowed", "text/plain\r\nAllow: GET")
        elif gc.mem_free() < _FREE_BYTES_MIN:
            await _send(writer, "503 Service Unavailable", "text/plain\r\nRetry-After: 5")
        elif request[1] == b"/api/state":
            # A list, so that all pieces are of the same tick: the city ticks on while they are sent.
            await _send(writer, "200 OK", "application/json", list(self._format_status()))
        elif request[1] == b"/":
            file = _open_beside("page.html")
            if file is None:
                await _send(writer, "404 Not Found")
            else:
                with file:
                    await _send(writer, "200 OK", "text/html; charset=utf-8", _read_pieces(file))
        else:
            await _send(writer, "404 Not Found")


async def _read_request(reader):
    """Read a request with its headers. Return its first line, b"" if it is too long; None if the client is gone."""
    line = tail = b""
    size = 0
    while size < _REQUEST_BYTES_MAX:
        data = await reader.read(_READ_BYTES)
        if not data:
            return None
        size += len(data)
        if len(line) < _LINE_BYTES_MAX and b"\n" not in line:
            line += data
        tail = (tail + data)[-_READ_BYTES - 3 :]
        if b"\r\n\r\n" in tail or b"\n\n" in tail:
            end = line.find(b"\n")
            return line[:end] if 0 <= end <= _LINE_BYTES_MAX else b""
    return b""


async def _send(writer, status, content_type="text/plain", pieces=None):
    """Send an answer; without pieces, its body is its status."""
    text = "HTTP/1.0 %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" % (
        status,
        content_type,
    )
    for piece in pieces or (status + "\n",):
        text += piece
        if len(text) > _WRITE_CHARACTERS_MIN:
            writer.write(text.encode())
            await writer.drain()
            text = ""
    writer.write(text.encode())
    await writer.drain()


def _read_pieces(file):
    piece = file.read(_READ_BYTES)
    while piece:
        yield piece
        piece = file.read(_READ_BYTES)


def _open_beside(name):
    """Open a file beside this module; None if there is none, as where the firmware is part of an image."""
    for folder in sys.path:
        try:
            return open((folder + "/" if folder else "") + "deskonomy_board/" + name)
        except OSError:
            pass
