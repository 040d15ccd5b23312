"""How a command reaches a city that another process runs: HTTP on loopback, found through a per-user directory.

Server side: ControlServer, which answers GET /api/state and POST /api/COMMAND and has its address and token in a file
that only this user can read. Client side: running(), find(), send(). Not here: what the commands do (cities.py), who
may ask (guard.py), the dashboard that the same server may show (dashboard/).
"""

import contextlib
import errno
import getpass
import http.client
import inspect
import json
import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from deskonomy_host import validation as words
from deskonomy_host.aio import result_of
from deskonomy_host.control.access import HEADERS, LOOPBACK, Guard
from deskonomy_host.errors import OperationError, UsageError

REQUEST_MAX = 16 * 1024  # bytes; a command is a few words
_TIMEOUT_S = 20  # of a busy machine; a city that is alive answers at once
_PORTS = 100  # tried, one above the other


def runtime_directory():
    """Where running processes of this user register, a Path; made if missing. Raises OperationError."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        path = Path(base) / "deskonomy"
    else:
        path = Path(tempfile.gettempdir()) / f"deskonomy-{getpass.getuser()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise OperationError(
            f"cannot use {path} to find running cities: {error.strerror}; set XDG_RUNTIME_DIR"
        ) from None
    # In a shared /tmp somebody else may have made it first, to read the tokens.
    foreign = hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o077)
    if not stat.S_ISDIR(found.st_mode) or foreign:
        raise OperationError(f"{path} is not this user's private directory; set XDG_RUNTIME_DIR to one that is")
    return path


class ControlServer:
    """Answers for the cities of this process from `async with` to its end.

    cities: their names. state: function that returns a list of status dicts. commands: {name: function}, called with
    the words of a request by name; each returns something JSON can say, or a coroutine that does. A command raises
    Wrong or ValueError for words that make no sense and Failed for what cannot be done now; who asked gets the message.
    """

    def __init__(self, cities, state, commands, site=None, listen=LOOPBACK, port=0, token=None):
        """site: a dashboard.site.Site to show besides. port: the first to try, 0 for any. token: None for a new one."""
        self.cities = list(cities)
        self.port = None
        self.token = token or secrets.token_urlsafe(24)
        self._state = state
        self._commands = commands
        self._site = site
        self._listen = listen
        self._first_port = port
        self._guard = Guard(self.token, listen)
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self):
        from aiohttp import web

        app = web.Application(client_max_size=REQUEST_MAX, middlewares=[self._middleware()])
        app.on_response_prepare.append(_add_headers)
        app.router.add_get("/api/state", self._get_state)
        app.router.add_post("/api/{command}", self._post_command)
        if self._site is not None:
            self._site.add_to(app)
        async with contextlib.AsyncExitStack() as stack:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            self.port = self._guard.port = await self._listen_on(runner)
            entry = Running(os.getpid(), self.cities, sorted(self._commands), self.port, self.token)
            stack.callback(_register(entry).unlink, missing_ok=True)
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_):
        await self._open.aclose()

    async def _listen_on(self, runner):
        """Listen on the first port or the next free one; returns it. Raises OperationError."""
        from aiohttp import web

        last = min(self._first_port + _PORTS, 65535) if self._first_port else 0
        for port in range(self._first_port, last + 1):
            try:
                await web.TCPSite(runner, self._listen, port).start()
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == last:
                    where = words.shown((self._listen, port))
                    raise OperationError(f"cannot listen on {where}: {error.strerror or error}") from None
            else:
                break
        return runner.addresses[0][1]

    def _middleware(self):
        from aiohttp import web

        @web.middleware
        async def guarded(request, handler):
            refusal = self._guard.refusal(request)
            return _reply({"error": refusal}, 403) if refusal else await handler(request)

        return guarded

    async def _get_state(self, request):
        return _reply({"cities": self._state()})

    async def _post_command(self, request):
        name = request.match_info["command"]
        command = self._commands.get(name)
        if command is None:
            return _reply({"error": f"no command {name} here, only {', '.join(sorted(self._commands))}"}, 404)
        try:
            given = json.loads(await request.read())
            inspect.signature(command).bind(**given)
        except (ValueError, TypeError, RecursionError):
            takes = ", ".join(inspect.signature(command).parameters)
            return _reply({"error": f"{name} takes a JSON object with {takes}"}, 400)
        try:
            return _reply(await result_of(command(**given)))
        except (UsageError, ValueError) as error:
            return _reply({"error": str(error)}, 400)
        except OperationError as error:
            return _reply({"error": str(error)}, 409)
        except Exception as error:  # whoever asked hears of a mistake of ours; the cities go on
            return _reply({"error": f"{type(error).__name__}: {error}"}, 500)


async def _add_headers(request, response):
    response.headers.update(HEADERS)


def _reply(value, status=200):
    from aiohttp import web

    return web.json_response(value, status=status)


def _register(entry):
    path = runtime_directory() / f"{entry.pid}-{entry.port}.json"
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(entry._asdict(), file)
    part.replace(path)
    return path


class Running(NamedTuple):
    """A process that runs cities: who it is, what it can do, where it answers."""

    pid: int
    cities: list
    commands: list
    port: int
    token: str


def running():
    """All processes of this user that answer, a list of Running. Forgets those that no longer do."""
    found = []
    for path in sorted(runtime_directory().glob("*.json")):
        try:
            entry = Running(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            continue
        try:
            status, reply = _ask(entry, "GET", "state")
        except ConnectionError:
            path.unlink(missing_ok=True)
            continue
        except OperationError:
            continue
        if status == 200 and "cities" in reply:
            found.append(entry)
    return found


def find(city):
    """The process that runs this city, a Running. Raises OperationError with the cities that do run."""
    everybody = running()
    entries = [entry for entry in everybody if city in entry.cities]
    if len(entries) == 1:
        return entries[0]
    if entries:
        pids = " and ".join(str(entry.pid) for entry in entries)
        raise OperationError(f"more than one process runs a city {city} (process {pids}): end one of them")
    names = sorted(name for entry in everybody for name in entry.cities)
    if names:
        raise OperationError(f"no city {city} is running; running: {', '.join(names)}")
    raise OperationError(f"no city {city} is running, nor any other; start one: deskonomy run {city}")


def send(city, command, **given):
    """Have a running city's process do something; its reply. Raises OperationError, and UsageError for words it does
    not take.

    influence: good, yield_mills (None gives the yield back to the sensors). connect: address, "HOST:PORT".
    """
    return ask(find(city), command, city=city, **given)


def ask(entry, command, **given):
    """As send(), to a process that running() or find() gave."""
    try:
        status, reply = _ask(entry, "POST", command, given)
    except ConnectionError:
        raise OperationError(f"process {entry.pid} has ended") from None
    if status == 400:
        raise UsageError(reply["error"])
    if status != 200:
        raise OperationError(reply.get("error", f"process {entry.pid} answered {status}"))
    return reply


def _ask(entry, method, path, given=None):
    """One request; its (HTTP status, reply). Raises ConnectionError where nobody is, Failed where it is no answer."""
    connection = http.client.HTTPConnection(LOOPBACK, entry.port, timeout=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {entry.token}"} if method == "POST" else {}
    try:
        connection.request(method, f"/api/{path}", json.dumps(given) if given is not None else None, headers)
        response = connection.getresponse()
        reply = json.loads(response.read())
        if isinstance(reply, dict):
            return response.status, reply
    except ConnectionError:
        raise
    except TimeoutError:
        raise OperationError(f"process {entry.pid} does not answer") from None
    except (http.client.HTTPException, ValueError):
        pass
    finally:
        connection.close()
    raise OperationError(f"something else than deskonomy answers on port {entry.port}")
