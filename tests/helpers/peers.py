"""The two tutorial cities as others run them, as strict as they are said to be, and tools to meet them with.

Here: peers that know nothing of this project's code. Each talks over one connection, which either side has dialled.
"""

import asyncio
import contextlib
import json
import socket
import struct

TCP_REPAIR = 19  # linux/tcp.h


class Peer:
    """A city at the other end of one TCP connection.

    merchants: those that arrived, as dicts. ghosts: objects without money, that it let in as merchants. log: lines that
    it could not read. remote: our city's name, as it understood it. closed: set when the connection ends.
    """

    def __init__(self, name):
        self.name = name
        self.remote = None
        self.merchants = []
        self.ghosts = []
        self.log = []
        self.named = asyncio.Event()
        self.closed = asyncio.Event()
        self.reader = self.writer = self.server = self.task = None

    async def dial(self, host, port):
        self._meet(*await asyncio.open_connection(host, port))
        return self

    async def listen(self):
        """Wait for one caller. Returns the port."""
        self.server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    def _meet(self, reader, writer):
        self.reader, self.writer = reader, writer
        # Started here; ends with the connection or in leave().
        self.task = asyncio.create_task(self._live())

    async def _live(self):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.talk()
        self.closed.set()

    def line(self, line):
        """What the tutorial's cities make of a line: any object is a merchant, the rest is logged."""
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self.log.append(line)
        elif "Money" in found:
            self.merchants.append(found)
        else:
            self.ghosts.append(found)

    def send(self, *merchants):
        for merchant in merchants:
            self.writer.write(json.dumps(merchant, separators=(",", ":")).encode() + b"\n")

    async def leave(self):
        """Hang up properly."""
        if self.task:
            self.task.cancel()
        if self.writer:
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()
        if self.server:
            self.server.close()


class Dialect7(Peer):
    """The first tutorial: a bare name, and whatever a single read gives is ours."""

    async def talk(self):
        self.writer.write(self.name.encode())
        self.remote = (await self.reader.read(1024)).decode()
        self.named.set()
        while line := await self.reader.readline():
            self.line(line)


class Dialect8(Peer):
    """The next tutorial: names end with a newline, for which it waits for ever, and what comes within a second of ours
    is gone (it reads the name through a buffer that it then throws away).

    lost: what was gone. slack_s: what a busy machine may add between our clock and this one.
    """

    slack_s = 0.5

    async def talk(self):
        self.lost = b""
        self.writer.write(self.name.encode() + b"\n")
        self.remote = (await self.reader.readuntil(b"\n"))[:-1].decode()
        self.named.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1 - self.slack_s):
                while data := await self.reader.read(1024):
                    self.lost += data
        while line := await self.reader.readline():
            self.line(line)


class Silent(Peer):
    """Says its name, and then neither says nor reads anything."""

    async def talk(self):
        self.writer.transport.pause_reading()
        self.writer.write(self.name.encode() + b"\n")
        await asyncio.Event().wait()


class Idle(Peer):
    """Says its name, and then only waits for the end."""

    async def talk(self):
        self.writer.write(self.name.encode() + b"\n")
        await self.reader.read()


def reset(peer):
    """Break a peer's connection with a reset."""
    sock = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.task.cancel()
    peer.writer.transport.abort()


def cut_power(peer):
    """Let a peer's end of its connection vanish without a word, as when its machine loses power and comes back.

    Returns whether this machine allows that (Linux, as root).
    """
    sock = peer.writer.get_extra_info("socket")
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError:
        return False
    peer.task.cancel()
    peer.writer.transport.abort()
    return True


def merchant(money=1000.0, good="chair", owned=0, **prices):
    """A merchant as the tutorial's cities write it."""
    return {"Money": money, "BuysSells": good, "CarryingCapacity": 20, "Owned": owned, "ExpectedPrices": prices}


async def until(condition, deadline_s=60.0):
    """Wait until condition() is true, and return what it gave. Fails after the deadline."""
    async with asyncio.timeout(deadline_s):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found
