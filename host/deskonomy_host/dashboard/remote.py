"""Cities on other machines: another `deskonomy run` by its stream, a board by its /api/state.

Here: a source that connects to an address, connects again after a failure, and accepts only valid statuses. Not here:
the check of a status (telemetry/schema.py), cities of this process (telemetry/source.py). A remote city can be looked
at and not changed: no token is sent to another machine.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from deskonomy_host.addresses import format_address
from deskonomy_host.aio import OnFailure, background
from deskonomy_host.errors import describe_os_error
from deskonomy_host.logs import WATCH, log_event
from deskonomy_host.roads import mdns
from deskonomy_host.telemetry.clock import read_time_s
from deskonomy_host.telemetry.events import NOTE, Event
from deskonomy_host.telemetry.log_events import EventBuffer
from deskonomy_host.telemetry.schema import Status, check_statuses
from deskonomy_host.telemetry.source import Commands, Pace

if TYPE_CHECKING:  # imported when the first dashboard is served: a command without one starts sooner
    import aiohttp

BOARD_PORT, RUN_PORT = 80, 8055  # tried in this order if no port is given
ANSWER_MAX_BYTES = 4 * 2**20  # a hundred cities with a hundred roads each
_INTERVAL_S = 1  # between two requests to a board, which updates its status once a second
_TIMEOUT_S = 5
_WAIT_MAX_S = 15


class RemoteSource:
    """The cities that answer at an address, as a Source, from `async with` to its end."""

    def __init__(self, host: str, port: int | None = None) -> None:
        """Create a source; port None means a board's and a run's usual port in turn."""
        self.origin = format_address(host, port) if port else host
        self.commands: Commands = {}
        self._host = host
        self._ports = [port] if port else [BOARD_PORT, RUN_PORT]
        self._statuses: list[Status] = []
        self._updated_s = 0.0  # when the latest answer came, by time.monotonic()
        self._events = EventBuffer()
        self._reported_failure = ""
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "RemoteSource":
        name = f"the connection to the cities at {self.origin}"
        await self._open.enter_async_context(background(self._keep_reading, name, OnFailure.RESTART))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def now_s(self) -> float:
        """Return the current time."""
        return read_time_s()

    def read(self) -> list[Status]:
        """Return the statuses of the latest answer; none if it is older than _TIMEOUT_S."""
        return self._statuses if time.monotonic() - self._updated_s < _TIMEOUT_S else []

    def take_events(self) -> list[Event]:
        """Return the connection failures since the previous call."""
        return self._events.take()

    def clock(self) -> Pace:
        """Return nothing: how time passes on another machine is unknown."""
        return {}

    async def _keep_reading(self) -> None:
        import aiohttp

        wait_s = _INTERVAL_S
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_TIMEOUT_S, sock_read=_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                failures: dict[str, None] = {}  # in order, each once
                for port in self._ports:
                    try:
                        found = await mdns.resolve_host(self._host)
                        await self._follow(session, f"http://{format_address(found, port)}")
                    except (aiohttp.ClientError, TimeoutError, OSError) as error:
                        failures[f"{self.origin} does not answer ({_reason_of(error)})"] = None
                    except (ValueError, RecursionError) as error:  # the latter of a deeply nested JSON text
                        failures[f"the answer of {format_address(self._host, port)} is not a status: {error}"] = None
                    else:
                        wait_s = _INTERVAL_S
                        failures.clear()
                self._report_failures(failures)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _WAIT_MAX_S)

    async def _follow(self, session: "aiohttp.ClientSession", base: str) -> None:
        """Read statuses from this address until its stream ends. Raises what aiohttp raises, and ValueError."""
        import aiohttp

        await self._read_state(session, base)
        try:
            stream = await session.ws_connect(f"{base}/api/stream", max_msg_size=ANSWER_MAX_BYTES)
        except aiohttp.WSServerHandshakeError:
            while True:  # a board: it has no stream
                await asyncio.sleep(_INTERVAL_S)
                await self._read_state(session, base)
        async with stream:
            async for message in stream:
                if message.type != aiohttp.WSMsgType.TEXT:
                    break
                entries = _entries_in(json.loads(message.data))
                if entries is not None:
                    self._take({"cities": [entry.get("status") for entry in entries]})

    async def _read_state(self, session: "aiohttp.ClientSession", base: str) -> None:
        async with session.get(f"{base}/api/state", allow_redirects=False) as response:
            self._take(await _read_json(response))

    def _take(self, answer: object) -> None:
        self._statuses = check_statuses(answer)
        self._updated_s = time.monotonic()
        self._reported_failure = ""

    def _report_failures(self, failures: Iterable[str]) -> None:
        """Report why no port answers, in one line, unless the same was the last that was reported."""
        text = "; ".join(failures)
        if text and text != self._reported_failure:
            self._reported_failure = text
            text += "; trying again"
            log_event(WATCH, text)  # for the terminal
            self._events.add(Event(read_time_s(), "", NOTE, text))


def _entries_in(message: object) -> list[dict[str, object]] | None:
    """Return the city entries of a feed's message, None if it is another one. Raises ValueError."""
    if not isinstance(message, dict):
        raise ValueError("a message is not a JSON object")
    if message.get("kind") != "now":
        return None
    entries = message.get("cities")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError('"cities" is not a list of objects')
    return entries


async def _read_json(response: "aiohttp.ClientResponse") -> object:
    """Return the body of a response. Raises ValueError if it is not a JSON text of a bounded size."""
    if response.status != 200:
        raise ValueError(f"HTTP status {response.status}")
    body = b""
    async for part in response.content.iter_any():
        body += part
        if len(body) > ANSWER_MAX_BYTES:
            raise ValueError("it is too long")
    return json.loads(body)


def _reason_of(error: Exception) -> str:
    cause = getattr(error, "os_error", error)  # aiohttp's errors contain that of the system
    return describe_os_error(cause) if isinstance(cause, OSError) else str(cause)
