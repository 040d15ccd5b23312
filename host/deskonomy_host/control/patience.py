"""The patience of the control server: clients that send no whole request in time are disconnected.

Here: how long a connection may wait, and how many there may be. Not here: requests and replies (server.py), which
requests are allowed (access.py).
"""

# pyright: strict
import asyncio
import contextlib
import time
from collections.abc import Generator
from typing import TYPE_CHECKING

from deskonomy_host.logs import NOTE, log_event

if TYPE_CHECKING:
    from aiohttp import web

REQUEST_S = 5.0  # for a request to arrive: pages and commands send theirs at once
_IDLE_S = 15.0  # of a connection between two requests, and for its last reply
_CONNECTIONS_MAX = 128  # a browser has six, and a stream for each open page
_CHECK_S = 0.5
_LOG_S = 60.0  # between two log lines


class Patience:
    """Ends the connections of a server that wait for too long.

    Call answer() around the handling of each request, and run() in the background.
    """

    def __init__(self) -> None:
        self._busy: set[object] = set()  # connections with a request that is being handled
        self._answered: set[object] = set()  # connections that have sent a whole request before
        self._waiting_s: dict[object, float] = {}  # {connection without a request: since when}, the oldest first
        self._logged_s = float("-inf")

    @contextlib.contextmanager
    def answer(self, request: "web.Request") -> Generator[None, None, None]:
        """Let the connection of this request wait as long as the request is handled."""
        connection = request.protocol
        self._busy.add(connection)
        self._waiting_s.pop(connection, None)
        try:
            yield
        finally:
            self._busy.discard(connection)
            self._answered.add(connection)

    async def run(self, runner: "web.AppRunner") -> None:
        """End connections of this runner's server, without an end."""
        while True:
            await asyncio.sleep(_CHECK_S)
            connections = list(runner.server.connections) if runner.server else []
            self._answered &= set(connections)
            now_s = time.monotonic()
            # In the order of the server, which is that of their beginning.
            waiting = [connection for connection in connections if connection not in self._busy]
            self._waiting_s = {connection: self._waiting_s.get(connection, now_s) for connection in waiting}
            surplus = len(connections) - _CONNECTIONS_MAX
            ended = 0
            for place, connection in enumerate(waiting):
                patience_s = _IDLE_S if connection in self._answered else REQUEST_S
                if place < surplus or now_s - self._waiting_s[connection] >= patience_s:
                    connection.force_close()
                    ended += connection not in self._answered
            if ended and now_s - self._logged_s >= _LOG_S:
                self._logged_s = now_s
                log_event(NOTE, f"{ended} connections to the dashboard's port were closed: they sent no request")
