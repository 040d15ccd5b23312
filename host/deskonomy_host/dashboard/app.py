"""The dashboard of a program: a control server that also serves the page.

Here: how sources, feed, page and control server are put together, the address, and the browser. Not here: the parts.
"""

import asyncio
import contextlib
import os
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from deskonomy_host import palette
from deskonomy_host.addresses import find_reachable_host, format_address
from deskonomy_host.control.access import LOOPBACK, is_loopback, load_user_token
from deskonomy_host.control.server import ControlServer
from deskonomy_host.dashboard.feed import Feed
from deskonomy_host.dashboard.remote import RemoteSource
from deskonomy_host.dashboard.server import DashboardRoutes
from deskonomy_host.telemetry.source import Source
from deskonomy_host.terminal.display import print_address

PORT = 8055


@dataclass
class DashboardSettings:
    """What the command line says about a dashboard.

    Attributes:
        listen: The address that the page is served on.
        port: Its port; the next free one is used if it is taken.
        watch: (host, port) of other machines whose cities are shown too; port None for the usual ones.
    """

    listen: str = LOOPBACK
    port: int = PORT
    watch: Sequence[tuple[str, int | None]] = ()


@contextlib.asynccontextmanager
async def serve(
    settings: DashboardSettings | None,
    source: Source,
    colours: Mapping[str, str],
    names: Sequence[str] = (),
    announce: Callable[[str, bool], object] = print_address,
) -> AsyncIterator[ControlServer]:
    """Serve the commands of a source, and its dashboard, for the length of the block.

    Args:
        settings: None for no dashboard; then the control server listens on loopback only.
        source: The cities that are shown and controlled.
        colours: {city: colour as world files name it}.
        names: The cities that this process runs.
        announce: Called with the address of the page, and whether other machines can open it. A browser is opened too
            if this is a terminal with a screen.

    Raises:
        OperationError: No port is free.
    """
    if settings is None:
        async with ControlServer(names, source.read, source.commands) as server:
            yield server
        return
    async with contextlib.AsyncExitStack() as stack:
        remote = [await stack.enter_async_context(RemoteSource(host, port)) for host, port in settings.watch]
        feed = await stack.enter_async_context(Feed([source, *remote], palette.assign_city_colours(colours)))
        token = load_user_token()
        server = ControlServer(
            names, feed.statuses, feed.commands, DashboardRoutes(feed), settings.listen, settings.port, token
        )
        await stack.enter_async_context(server)
        assert server.port is not None
        host = find_reachable_host(settings.listen)
        address = f"http://{format_address(host, server.port)}/#token={token}"
        announce(address, not is_loopback(settings.listen))
        if sys.stdout.isatty() and _has_screen():
            await asyncio.to_thread(webbrowser.open, address)
        yield server


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
