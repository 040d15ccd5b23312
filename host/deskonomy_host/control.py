"""How a command reaches a city that another process runs: HTTP on loopback, found through a per-user directory.

Server side: ControlServer, which answers GET /api/state and POST /api/COMMAND and has its address and token in a file
that only this user can read. Client side: running(), find(), send(). Not here: what the commands do (run.py).
"""

import contextlib
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

from .errors import Failed, Wrong

LOOPBACK = "127.0.0.1"
REQUEST_MAX = 16 * 1024  # bytes; a command is a few words
_TIMEOUT_S = 5


def runtime_directory():
    """Where running processes of this user register, a Path; made if missing. Raises Failed."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        path = Path(base) / "deskonomy"
    else:
        path = Path(tempfile.gettempdir()) / f"deskonomy-{getpass.getuser()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise Failed(f"cannot use {path} to find running cities: {error.strerror}; set XDG_RUNTIME_DIR") from None
    # In a shared /tmp somebody else may have made it first, to read the tokens.
    foreign = hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o077)
    if not stat.S_ISDIR(found.st_mode) or foreign:
        raise Failed(f"{path} is not this user's private directory; set XDG_RUNTIME_DIR to one that is")
    return path


class ControlServer:
    """Answers for the cities of this process from `async with` to its end.

    cities: their names. state: function that returns a list of status dicts. commands: {name: function}, called with
    the words of a request by name; each returns something JSON can say, or a coroutine that does. A command raises
    Wrong or ValueError for words that make no sense and Failed for what cannot be done now; who asked gets the message.
    """

    def __init__(self, cities, state, commands):
        self.cities = list(cities)
        self.port = None
        self._state = state
        self._commands = commands
        self._token = secrets.token_urlsafe(24)
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self):
        from aiohttp import web

        app = web.Application(client_max_size=REQUEST_MAX)
        app.router.add_get("/api/state", self._get_state)
        app.router.add_post("/api/{command}", self._post_command)
        async with contextlib.AsyncExitStack() as stack:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, LOOPBACK, 0).start()
            self.port = runner.addresses[0][1]
            entry = Running(os.getpid(), self.cities, sorted(self._commands), self.port, self._token)
            stack.callback(_register(entry).unlink, missing_ok=True)
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_):
        await self._open.aclose()

    def _refusal(self, request):
        """Why a request is turned away, or None. A web page elsewhere cannot name this host (DNS rebinding)."""
        if request.host not in (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"):
            return _reply({"error": "this answers on loopback only"}, 403)
        if request.method == "POST":
            given = request.headers.get("Authorization", "").encode()
            if not secrets.compare_digest(given, f"Bearer {self._token}".encode()):
                return _reply({"error": "the token is missing or not this process's"}, 403)
        return None

    async def _get_state(self, request):
        return self._refusal(request) or _reply({"cities": self._state()})

    async def _post_command(self, request):
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        name = request.match_info["command"]
        command = self._commands.get(name)
        if command is None:
            return _reply({"error": f"no command {name} here, only {', '.join(sorted(self._commands))}"}, 404)
        try:
            words = json.loads(await request.read())
            inspect.signature(command).bind(**words)
        except (ValueError, TypeError, RecursionError):
            takes = ", ".join(inspect.signature(command).parameters)
            return _reply({"error": f"{name} takes a JSON object with {takes}"}, 400)
        try:
            result = command(**words)
            return _reply(await result if inspect.isawaitable(result) else result)
        except (Wrong, ValueError) as error:
            return _reply({"error": str(error)}, 400)
        except Failed as error:
            return _reply({"error": str(error)}, 409)
        except Exception as error:  # whoever asked hears of a mistake of ours; the cities go on
            return _reply({"error": f"{type(error).__name__}: {error}"}, 500)


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
        except Failed:
            continue
        if status == 200 and "cities" in reply:
            found.append(entry)
    return found


def find(city):
    """The process that runs this city, a Running. Raises Failed with the cities that do run."""
    everybody = running()
    entries = [entry for entry in everybody if city in entry.cities]
    if len(entries) == 1:
        return entries[0]
    if entries:
        pids = " and ".join(str(entry.pid) for entry in entries)
        raise Failed(f"more than one process runs a city {city} (process {pids}): end one of them")
    names = sorted(name for entry in everybody for name in entry.cities)
    if names:
        raise Failed(f"no city {city} is running; running: {', '.join(names)}")
    raise Failed(f"no city {city} is running, nor any other; start one: deskonomy run {city}")


def send(city, command, **words):
    """Have a running city's process do something; its reply. Raises Failed, and Wrong for words it does not take.

    influence: good, yield_mills (None gives the yield back to the sensors). connect: address, "HOST:PORT".
    """
    return ask(find(city), command, city=city, **words)


def ask(entry, command, **words):
    """As send(), to a process that running() or find() gave."""
    try:
        status, reply = _ask(entry, "POST", command, words)
    except ConnectionError:
        raise Failed(f"process {entry.pid} has ended") from None
    if status == 400:
        raise Wrong(reply["error"])
    if status != 200:
        raise Failed(reply.get("error", f"process {entry.pid} answered {status}"))
    return reply


def _ask(entry, method, path, words=None):
    """One request; its (HTTP status, reply). Raises ConnectionError where nobody is, Failed where it is no answer."""
    connection = http.client.HTTPConnection(LOOPBACK, entry.port, timeout=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {entry.token}"} if method == "POST" else {}
    try:
        connection.request(method, f"/api/{path}", json.dumps(words) if words is not None else None, headers)
        response = connection.getresponse()
        reply = json.loads(response.read())
        if isinstance(reply, dict):
            return response.status, reply
    except ConnectionError:
        raise
    except TimeoutError:
        raise Failed(f"process {entry.pid} does not answer") from None
    except (http.client.HTTPException, ValueError):
        pass
    finally:
        connection.close()
    raise Failed(f"something else than deskonomy answers on port {entry.port}")
