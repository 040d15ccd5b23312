"""The dashboard over HTTP: the files of its page, and the stream that feeds it.

Here: routes that control/server.py adds to its own. Not here: which requests are allowed (control/access.py), what the
stream contains (feed.py).
"""

import contextlib
import mimetypes
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deskonomy_host.aio import background
from deskonomy_host.dashboard.feed import Feed, Listener

if TYPE_CHECKING:  # imported when the first dashboard is served: a command without one starts sooner
    from aiohttp import web

PAGE = Path(__file__).parent / "page"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_MESSAGE_MAX_BYTES = 1024  # of a page, which sends nothing on the stream
_HEARTBEAT_S = 20


class DashboardRoutes:
    """The routes of a dashboard. Files are those of page/, listed once; no other path is served.

    Attributes:
        feed: The feed that the page shows.
    """

    def __init__(self, feed: Feed) -> None:
        """List the files of the page."""
        self.feed = feed
        self._files = {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.is_file()}

    def add_to(self, app: "web.Application") -> None:
        """Add the routes to an aiohttp application."""
        app.router.add_get("/", self._send_file)
        app.router.add_get("/api/stream", self._stream)
        app.router.add_get("/{name:.+}", self._send_file)
        app.on_shutdown.append(self._disconnect)

    async def _disconnect(self, app: "web.Application") -> None:
        self.feed.disconnect()

    async def _send_file(self, request: "web.Request") -> "web.Response":
        from aiohttp import web

        path = self._files.get(request.match_info.get("name", "index.html"))
        if path is None:
            return web.Response(status=404, text="there is no such page; the dashboard is at /")
        content_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
        return web.Response(body=path.read_bytes(), content_type=content_type, charset="utf-8")

    async def _stream(self, request: "web.Request") -> "web.StreamResponse":
        from aiohttp import web

        with self.feed.listener() as listener:
            if listener is None:
                return web.Response(status=503, text="too many pages of this dashboard are open; close one")
            stream = web.WebSocketResponse(max_msg_size=_MESSAGE_MAX_BYTES, heartbeat=_HEARTBEAT_S, compress=False)
            await stream.prepare(request)
            try:
                reading = partial(_read_until_closed, stream)
                async with background(reading, "reading from a page of the dashboard") as task:
                    await _send_until(task.done, listener, stream)
            except ConnectionError:
                pass  # the page is gone
            finally:
                await stream.close()
            return stream


async def _send_until(is_over: Callable[[], bool], listener: Listener, stream: "web.WebSocketResponse") -> None:
    """Send a listener's messages until it ends or the page has closed the stream."""
    async for text in listener:
        if is_over():
            return
        await stream.send_str(text)


async def _read_until_closed(stream: "web.WebSocketResponse") -> None:
    """Read until the page closes the stream; reading is what answers pings and notices the end."""
    with contextlib.suppress(ConnectionError):
        async for _ in stream:
            pass
