"""The control server: answers GET /api/state and POST /api/COMMAND for the cities of this process.

Here: HTTP requests in, JSON replies out, and the server's entry in the registry. Not here: the client
(control/client.py), which requests are allowed (control/access.py), the commands (control/commands.py), the pages that
the same server may serve (dashboard/).

Replies: 200 with the command's result, 400 for an argument that is not valid, 403 for a request that the access policy
refuses, 404 for an unknown command, 408 for one that does not arrive in time, 409 if the command cannot be executed
now, 500 for a bug in the command.
"""

import asyncio
import contextlib
import errno
import functools
import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from deskonomy_host.addresses import PORT_MAX, format_address
from deskonomy_host.aio import OnFailure, background
from deskonomy_host.control.access import HEADERS, LOOPBACK, AccessPolicy
from deskonomy_host.control.commands import COMMANDS, Implementations, execute
from deskonomy_host.control.patience import REQUEST_S, Patience
from deskonomy_host.control.registry import Process, register
from deskonomy_host.errors import OperationError, UsageError, describe_os_error

if TYPE_CHECKING:
    from aiohttp import web

REQUEST_MAX = 16 * 1024  # bytes; a command and its arguments take some hundred
_SHUTDOWN_S = 1  # for requests that are under way at the end

_log = logging.getLogger("deskonomy")


class Site(Protocol):
    """Pages that the server also serves, such as a dashboard."""

    def add_to(self, app: "web.Application") -> None:
        """Add the routes of the pages to an aiohttp application."""
        ...


class ControlServer:
    """The control server of this process, from `async with` to its end.

    Attributes:
        cities: names of the cities.
        token: the token that a POST request must have.
        port: the TCP port, None before it listens.
    """

    def __init__(
        self,
        cities: Iterable[str],
        read_statuses: Callable[[], Sequence[Mapping[str, object]]],
        commands: Implementations,
        site: Site | None = None,
        listen: str = LOOPBACK,
        port: int = 0,
        token: str | None = None,
    ):
        """Configure the server; it listens from `async with` on.

        Args:
            cities: names of the cities, for the registry.
            read_statuses: returns the status of each city.
            commands: the commands that the server executes.
            site: pages to serve as well; None for none.
            listen: the address of this machine to listen on.
            port: first port to try; 0 for any free one.
            token: None for a new one.
        """
        self.cities = list(cities)
        self.port: int | None = None
        self.token = token or secrets.token_urlsafe(24)
        self._read_statuses = read_statuses
        self._commands = commands
        self._site = site
        self._listen = listen
        self._first_port = port
        self._policy = AccessPolicy(self.token, listen)
        self._patience = Patience()
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        from aiohttp import web

        app = web.Application(client_max_size=REQUEST_MAX, middlewares=[self._make_middleware()])
        app.on_response_prepare.append(_add_headers)
        app.router.add_get("/api/state", self._get_state)
        app.router.add_post("/api/{command}", self._post_command)
        if self._site is not None:
            self._site.add_to(app)
        async with contextlib.AsyncExitStack() as stack:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            wait = functools.partial(self._patience.run, runner)
            await stack.enter_async_context(background(wait, "ending slow connections", OnFailure.RESTART))
            self.port = self._policy.port = await self._start_listening(runner)
            process = Process(os.getpid(), self.cities, sorted(self._commands), self.port, self.token)
            stack.callback(register(process).unlink, missing_ok=True)
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def _start_listening(self, runner: "web.AppRunner") -> int:
        """Listen on the first port or the next free one; return it. Raises OperationError."""
        from aiohttp import web

        last = PORT_MAX if self._first_port else 0
        for port in range(self._first_port, last + 1):
            try:
                await web.TCPSite(runner, self._listen, port).start()
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == last:
                    where = format_address(self._listen, port)
                    raise OperationError(f"cannot listen on {where}: {describe_os_error(error)}") from None
            else:
                break
        return runner.addresses[0][1]

    def _make_middleware(self) -> Any:
        from aiohttp import web

        @web.middleware
        async def check_access(
            request: "web.Request", handler: Callable[["web.Request"], Awaitable["web.StreamResponse"]]
        ) -> "web.StreamResponse":
            reason = self._policy.find_refusal(request)
            with self._patience.answer(request):
                return _reply({"error": reason}, 403) if reason else await handler(request)

        return check_access

    async def _get_state(self, request: "web.Request") -> "web.Response":
        return _reply({"cities": self._read_statuses()})

    async def _post_command(self, request: "web.Request") -> "web.Response":
        name = request.match_info["command"]
        if name not in self._commands:
            return _reply({"error": f"no command {name} here, only {', '.join(sorted(self._commands))}"}, 404)
        try:
            async with asyncio.timeout(REQUEST_S):
                arguments: Any = json.loads(await request.read())
        except TimeoutError:
            return _reply({"error": f"the request has not arrived within {REQUEST_S:g} s"}, 408)
        except (ValueError, RecursionError):
            arguments = None
        command = COMMANDS[name]
        if not command.accepts(arguments):
            return _reply({"error": f"{name} takes a JSON object with {', '.join(command.arguments)}"}, 400)
        try:
            return _reply(await execute(self._commands, name, arguments))
        except (UsageError, ValueError) as error:
            return _reply({"error": str(error)}, 400)
        except OperationError as error:
            return _reply({"error": str(error)}, 409)
        except Exception as error:  # a bug; the cities go on
            _log.exception("the command %s has failed: %s: %s", name, type(error).__name__, error)
            return _reply({"error": f"{type(error).__name__}: {error}"}, 500)


async def _add_headers(request: "web.Request", response: "web.StreamResponse") -> None:
    response.headers.update(HEADERS)


def _reply(value: Any, status: int = 200) -> "web.Response":
    from aiohttp import web

    return web.json_response(value, status=status)
