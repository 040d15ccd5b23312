"""The board's own page: http://NAME.local/ shows the city, /api/state is its status line.

Here: HTTP, as little of it as a browser needs, one answer at a time. Not here: the page itself (page.html, read from
the flash in pieces, so that it takes no memory), what a status line says (console.py).

Nothing can be changed here, so anybody on the network may look, and Host or Origin headers need no check. Who says
nothing, or reads nothing, is hung up on after 5 s. A second client waits for the first; a third is turned away.
"""

import asyncio
import gc
import sys

from deskonomy.compat import discard
from micropython import const

_PIECE = const(256)  # bytes of a file, and of a request, at a time
_REQUEST_MAX = const(4096)  # bytes of a request with its headers
_LINE_MAX = const(64)  # bytes of its first line that matter
_CLIENTS_MAX = const(2)  # an ESP32 has few sockets
_CLIENT_S = const(5)
_FREE_MIN = const(8000)  # bytes of heap below which nobody gets an answer
_SHORT = const(80)  # characters; shorter pieces go out together


class Page:
    """port: to listen on. pieces: function that gives the status line in pieces."""

    def __init__(self, port, pieces, log=print):
        self._port = port
        self._pieces = pieces
        self._log = log
        self.server = None
        self._clients = 0
        self._turn = asyncio.Lock()

    async def move(self, host):
        """Listen at this address of the board's from now on."""
        if self.server is not None:
            await discard(self.server)
            self.server = None
        try:
            self.server = await asyncio.start_server(self._serve, host, self._port, backlog=1)
            self._log("this city's page is http://%s:%d/" % (host, self._port))
        except OSError as error:
            self._log("no page on port %d: %s" % (self._port, error))

    async def _serve(self, reader, writer):
        if self._clients < _CLIENTS_MAX:
            self._clients += 1
            try:
                await asyncio.wait_for(self._talk(reader, writer), _CLIENT_S)
            except Exception:  # it hung up, is too slow, or there is no memory for it: that ends with it
                pass
            self._clients -= 1
        await discard(writer)

    async def _talk(self, reader, writer):
        line = await _request(reader)
        if line is None:
            return
        async with self._turn:
            await self._answer(line.split(), writer)

    async def _answer(self, words, writer):
        gc.collect()
        if len(words) != 3 or words[2][:5] != b"HTTP/":
            await _say(writer, "400 Bad Request")
        elif words[0] != b"GET":
            await _say(writer, "405 Method Not Allowed", "text/plain\r\nAllow: GET")
        elif gc.mem_free() < _FREE_MIN:
            await _say(writer, "503 Service Unavailable", "text/plain\r\nRetry-After: 5")
        elif words[1] == b"/api/state":
            # Put together at once, for the city ticks on while it is sent.
            await _say(writer, "200 OK", "application/json", list(self._pieces()))
        elif words[1] == b"/":
            file = _open("page.html")
            if file is None:
                await _say(writer, "404 Not Found")
            else:
                with file:
                    await _say(writer, "200 OK", "text/html; charset=utf-8", _pieces_of(file))
        else:
            await _say(writer, "404 Not Found")


async def _request(reader):
    """The first line of a request, when all of its headers have come; b"" if it is too long, None if there is none."""
    line = tail = b""
    size = 0
    while size < _REQUEST_MAX:
        data = await reader.read(_PIECE)
        if not data:
            return None
        size += len(data)
        if len(line) < _LINE_MAX and b"\n" not in line:
            line += data
        tail = (tail + data)[-_PIECE - 3 :]
        if b"\r\n\r\n" in tail or b"\n\n" in tail:
            end = line.find(b"\n")
            return line[:end] if 0 <= end <= _LINE_MAX else b""
    return b""


async def _say(writer, status, kind="text/plain", pieces=None):
    """Write an answer; without pieces it says its status again."""
    text = "HTTP/1.0 %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" % (status, kind)
    for piece in pieces or (status + "\n",):
        text += piece
        if len(text) > _SHORT:
            writer.write(text.encode())
            await writer.drain()
            text = ""
    writer.write(text.encode())
    await writer.drain()


def _pieces_of(file):
    piece = file.read(_PIECE)
    while piece:
        yield piece
        piece = file.read(_PIECE)


def _open(name):
    """A file that lies beside this module, None if there is none, as where the firmware is part of an image."""
    for folder in sys.path:
        try:
            return open((folder + "/" if folder else "") + "deskonomy_board/" + name)
        except OSError:
            pass
