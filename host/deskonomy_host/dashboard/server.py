"""The dashboard over HTTP: its page's files, and the stream that feeds it.

Here: routes for control.ControlServer. Not here: who may ask (guard.py), what the stream says (feed.py).
"""

import asyncio
import mimetypes
from pathlib import Path

PAGE = Path(__file__).parent / "page"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
_SAID_MAX = 1024  # bytes; a page says nothing on the stream
_HEARTBEAT_S = 20


class Site:
    """The page of a Feed. Files are those of page/, listed once; no other name is served."""

    def __init__(self, feed):
        self.feed = feed
        self._files = {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.is_file()}

    def add_to(self, app):
        """Let an aiohttp application serve it."""
        app.router.add_get("/", self._file)
        app.router.add_get("/api/stream", self._stream)
        app.router.add_get("/{name:.+}", self._file)
        app.on_shutdown.append(self._hang_up)

    async def _hang_up(self, app):
        self.feed.hang_up()

    async def _file(self, request):
        from aiohttp import web

        path = self._files.get(request.match_info.get("name", "index.html"))
        if path is None:
            return web.Response(status=404, text="there is no such page; the dashboard is at /")
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
        return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8")

    async def _stream(self, request):
        from aiohttp import web

        with self.feed.listener() as listener:
            if listener is None:
                return web.Response(status=503, text="as many pages are open as this serves; close one")
            stream = web.WebSocketResponse(max_msg_size=_SAID_MAX, heartbeat=_HEARTBEAT_S, compress=False)
            await stream.prepare(request)
            # Started here; ends with the page, or below.
            hearing = asyncio.create_task(_hear(stream))
            try:
                async for text in listener:
                    if hearing.done():
                        break
                    await stream.send_str(text)
            except ConnectionError:
                pass
            finally:
                hearing.cancel()
                await stream.close()
            return stream


async def _hear(stream):
    """Read until the page hangs up; so the stream sees that, and answers pings."""
    async for _ in stream:
        pass
