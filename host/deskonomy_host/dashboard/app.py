"""A control server with a dashboard: what `deskonomy run` and `deskonomy demo` open beside their cities.

Here: putting sources, feed, site and server together; the address, and the browser. Not here: the parts.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import webbrowser
from dataclasses import dataclass, field

from deskonomy_host import palette
from deskonomy_host import validation as words
from deskonomy_host.control import server as control
from deskonomy_host.control.access import LOOPBACK
from deskonomy_host.dashboard.feed import Feed
from deskonomy_host.dashboard.remote import Watched
from deskonomy_host.dashboard.server import Site

PORT = 8055


@dataclass
class Wish:
    """What somebody typed. listen, port: where the page is; the next free port if that one is taken.

    watch: (host, port) pairs, port None where nothing is said.
    """

    listen: str = LOOPBACK
    port: int = PORT
    watch: list = field(default_factory=list)


@contextlib.asynccontextmanager
async def serve(wish, source, colours, names=(), tell=print):
    """Answer for a source, and show it with whatever is watched, from `async with` to its end. Raises OperationError.

    wish: a Wish, None for no dashboard. colours: {city: colour as world files say}. names: the cities that this process
    runs. tell: called with the page's address; a browser is opened too, where there is a screen and somebody at the
    terminal.
    """
    if wish is None:
        async with control.ControlServer(names, source.read, source.commands) as server:
            yield server
        return
    async with contextlib.AsyncExitStack() as stack:
        watched = [await stack.enter_async_context(Watched(host, port)) for host, port in wish.watch]
        feed = await stack.enter_async_context(Feed([source, *watched], palette.of_cities(colours)))
        token = _token()
        server = control.ControlServer(names, feed.statuses, feed.commands, Site(feed), wish.listen, wish.port, token)
        await stack.enter_async_context(server)
        host = socket.gethostname() if wish.listen in ("0.0.0.0", "::") else wish.listen
        address = f"http://{words.shown((host, server.port))}/#token={token}"
        tell(address)
        if sys.stdout.isatty() and _has_screen():
            await asyncio.to_thread(webbrowser.open, address)
        yield server


def _token():
    """This user's token: a page that is open goes on when the cities are started again."""
    file = control.runtime_directory() / "dashboard.token"
    with contextlib.suppress(FileNotFoundError):
        known = file.read_text(encoding="ascii").strip()
        if len(known) >= 16:
            return known
    token = secrets.token_urlsafe(16)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as opened:
        opened.write(token)
    return token


def _has_screen():
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
