"""Cities elsewhere, watched by address: another `deskonomy run` by its stream, a board by its /api/state.

Here: asking, again after a loss, and believing nothing that is not a status. Not here: the same for cities of this
process (source.py). What is watched can be looked at and not changed: nobody's token leaves this machine.
"""

import asyncio
import contextlib
import json
import time

from deskonomy_host import validation as words
from deskonomy_host.aio import background
from deskonomy_host.roads import mdns as names
from deskonomy_host.telemetry.schema import statuses
from deskonomy_host.telemetry.source import News

BOARD_PORT, RUN_PORT = 80, 8055  # tried one after the other where no port is said
ANSWER_MAX = 4 * 2**20  # bytes; a hundred cities with a hundred roads each
_INTERVAL_S = 1
_TIMEOUT_S = 5
_WAIT_MAX_S = 15


class Watched:
    """A source: whatever cities answer at this address, from `async with` to its end. port: None for the usual ones."""

    def __init__(self, host, port=None):
        self.origin = words.shown((host, port)) if port else host
        self.commands = {}
        self._host = host
        self._ports = [port] if port else [BOARD_PORT, RUN_PORT]
        self._statuses = []
        self._heard_s = 0.0
        self._news = News()
        self._said = None
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self):
        await self._open.enter_async_context(background(self._go_on()))
        return self

    async def __aexit__(self, *_):
        await self._open.aclose()

    def now_s(self):
        return time.time()

    def read(self):
        return self._statuses if time.monotonic() - self._heard_s < _TIMEOUT_S else []

    def take_events(self):
        return self._news.take()

    def clock(self):
        return {}

    async def _go_on(self):
        import aiohttp

        wait_s = _INTERVAL_S
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_TIMEOUT_S, sock_read=_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                for port in self._ports:
                    address = words.shown((self._host, port))
                    try:
                        found = await names.find(self._host)
                        await self._follow(session, f"http://{words.shown((found, port))}")
                    except (aiohttp.ClientError, TimeoutError, OSError) as error:
                        self._tell(f"{address} does not answer ({_short(error)}); asking on")
                    except ValueError as error:
                        self._tell(f"what answers at {address} is no city: {error}")
                    else:
                        wait_s = _INTERVAL_S
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _WAIT_MAX_S)

    async def _follow(self, session, base):
        """Take in what this address says, as long as it does."""
        import aiohttp

        async with session.get(f"{base}/api/state", allow_redirects=False) as answer:
            self._take(await _body(answer))
        try:
            stream = await session.ws_connect(f"{base}/api/stream", max_msg_size=ANSWER_MAX)
        except aiohttp.WSServerHandshakeError:
            while True:  # a board: it has no stream
                await asyncio.sleep(_INTERVAL_S)
                async with session.get(f"{base}/api/state", allow_redirects=False) as answer:
                    self._take(await _body(answer))
        async with stream:
            async for message in stream:
                if message.type != aiohttp.WSMsgType.TEXT:
                    break
                told = json.loads(message.data)
                if told.get("kind") == "now":
                    self._take({"cities": [city["status"] for city in told["cities"]]})

    def _take(self, answer):
        self._statuses = statuses(answer)
        self._heard_s = time.monotonic()
        self._said = None

    def _tell(self, text):
        if text != self._said:
            self._said = text
            self._news(text)


async def _body(answer):
    """What a response says as JSON. Raises ValueError."""
    if answer.status != 200:
        raise ValueError(f"it says {answer.status}")
    body = b""
    async for part in answer.content.iter_any():
        body += part
        if len(body) > ANSWER_MAX:
            raise ValueError("it says too much")
    return json.loads(body)


def _short(error):
    return str(getattr(error, "strerror", None) or error or "no answer in time")
