"""Cities that do not run this project's code, and what tests do with their connections.

Here: the two cities of the tutorial, as strict as the tutorial's programs are, and two that misbehave. Each talks over
one connection, which either side has dialled, and does what a test wants. Not here: cities of this project (cities.py),
programs of the tutorial that live by themselves (tutorial_program.py).
"""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable
from typing import Any, Self, TypeVar

from helpers.tutorial_city import GOODS, find_death, parse_merchant

_TCP_REPAIR = 19  # linux/tcp.h

Found = TypeVar("Found")


class LegacyPeer:
    """A legacy city at the other end of one TCP connection; a subclass says how it talks.

    Attributes:
        name: the name that it sends.
        city_name: the name of the city at our end, as this peer has read it; None until then.
        goods: the goods that it has.
        death: of what it has crashed, None while it runs.
        merchants: the merchants that have arrived, as JSON objects.
        moneyless: objects without money, which the tutorial's cities let in as merchants, too.
        unread_lines: lines that are not JSON objects.
        named: set when the peer has read the name of our city.
        closed: set when the connection has ended.
    """

    goods: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.death: str | None = None
        self.city_name: str | None = None
        self.merchants: list[dict[str, Any]] = []
        self.moneyless: list[dict[str, Any]] = []
        self.unread_lines: list[bytes] = []
        self.named = asyncio.Event()
        self.closed = asyncio.Event()
        self.reader = self.writer = self.server = self.task = None

    async def dial(self, host: str, port: int) -> Self:
        """Connect to the city that listens there; return this peer."""
        self._accept(*await asyncio.open_connection(host, port))
        return self

    async def listen(self) -> int:
        """Wait for one connection in the background; return the port."""
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def talk(self) -> None:
        """Send and read until the connection ends. Every kind of peer has its own."""
        raise NotImplementedError

    def send(self, *merchants: dict[str, Any]) -> None:
        """Send these merchants, a line each."""
        for merchant in merchants:
            self.writer.write(json.dumps(merchant, separators=(",", ":")).encode() + b"\n")

    async def leave(self) -> None:
        """Close the connection."""
        if self.task:
            self.task.cancel()
        if self.writer:
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()
        if self.server:
            self.server.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        # Started here; ends with the connection or in leave().
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.talk()
        self.closed.set()

    async def _read_lines(self) -> None:
        """Read lines as the tutorial's cities do: every JSON object is a merchant, anything else is logged.

        A merchant that names a good that the city does not have is its end.
        """
        while line := await self.reader.readline():
            found = parse_merchant(line)
            if found is None:
                self.unread_lines.append(line)
            elif "Money" in found:
                self.merchants.append(found)
                self.death = find_death(self.goods, found)
                if self.death is not None:
                    self.writer.transport.abort()
                    return
            else:
                self.moneyless.append(found)


class BareNamePeer(LegacyPeer):
    """The tutorial's first city: it sends its name without a newline, and takes its first read for the other name."""

    goods = GOODS[7]

    async def talk(self) -> None:
        self.writer.write(self.name.encode())
        self.city_name = (await self.reader.read(1024)).decode()
        self.named.set()
        await self._read_lines()


class LineNamePeer(LegacyPeer):
    """The tutorial's second city: names end with a newline, for which it waits without limit.

    It loses what arrives within a second after the name, because it reads the name through a buffer that it discards.

    Attributes:
        discarded: the bytes that it has lost.
        slack_s: what a busy machine may add between the clock of our city and this peer's.
    """

    goods = GOODS[8]
    slack_s = 0.5

    async def talk(self) -> None:
        self.discarded = b""
        self.writer.write(self.name.encode() + b"\n")
        self.city_name = (await self.reader.readuntil(b"\n"))[:-1].decode()
        self.named.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1 - self.slack_s):
                while data := await self.reader.read(1024):
                    self.discarded += data
        await self._read_lines()


class NonReadingPeer(LegacyPeer):
    """A peer that sends its name, and then neither sends nor reads anything."""

    async def talk(self) -> None:
        self.writer.transport.pause_reading()
        self.writer.write(self.name.encode() + b"\n")
        await asyncio.Event().wait()


class IdlePeer(LegacyPeer):
    """A peer that sends its name, and then waits for the end of the connection."""

    async def talk(self) -> None:
        self.writer.write(self.name.encode() + b"\n")
        await self.reader.read()


def reset_connection(peer: LegacyPeer) -> None:
    """End a peer's connection with a TCP reset."""
    sock = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.task.cancel()
    peer.writer.transport.abort()


def cut_power(peer: LegacyPeer) -> bool:
    """End a peer's connection without a packet, as when its machine loses power and starts again.

    Returns:
        Whether this machine allows it (Linux, as root).
    """
    sock = peer.writer.get_extra_info("socket")
    try:
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    except OSError:
        return False
    peer.task.cancel()
    peer.writer.transport.abort()
    return True


def make_legacy_merchant(
    money: float = 1000.0, good: str = "chair", owned: int = 0, **prices: dict[str, float]
) -> dict[str, Any]:
    """Return a merchant as the tutorial's cities write it; `prices` is {good: {city: coins}}."""
    return {"Money": money, "BuysSells": good, "CarryingCapacity": 20, "Owned": owned, "ExpectedPrices": prices}


async def wait_until(condition: Callable[[], Found], deadline_s: float = 60.0) -> Found:
    """Wait until condition() is true, and return its value. Raises TimeoutError after the deadline."""
    async with asyncio.timeout(deadline_s):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found
