"""A small TCP proxy that does to a link what Wi-Fi and cats do.

Here: forwarding, slicing, stalling, resetting, half-closing. Not here: when which of it happens (town.py).
"""

import asyncio
import contextlib
import random
import socket
import struct

MODES = ("plain", "slices", "stall", "dead")


class Proxy:
    """Forwards connections to (host, port). mode: "plain"; "slices": a few bytes at a time; "stall": nothing moves.

    "dead": nothing moves, and what comes is lost. Use as `async with`; port is where it listens.
    """

    def __init__(self, port, chance=None):
        self.target = port
        self.port = None
        self.chance = chance or random.Random(1)
        self.mode = "plain"
        self.pairs = []  # the two StreamWriters of each connection
        self._changed = asyncio.Event()
        self._tasks = set()

    async def __aenter__(self):
        await self.open()
        return self

    async def __aexit__(self, *_):
        self.shut()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open(self):
        """Listen, where it did before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port or 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def shut(self):
        """Listen no more; connections that there are stay as they are."""
        self._server.close()

    def change(self, mode):
        """From now on the link is like that."""
        self.mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    def reset(self, ends=(0, 1)):
        """Reset all connections, at both ends or one; the other then hears nothing any more."""
        for pair in self.pairs:
            for end in ends:
                sock = pair[end].get_extra_info("socket")
                if sock is not None and sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                pair[end].transport.abort()

    async def _accept(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        pair = (writer, back)
        self.pairs.append(pair)
        try:
            await asyncio.gather(self._forward(reader, back), self._forward(there, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.pairs.remove(pair)
            for end in pair:
                end.transport.abort()
            self._tasks.discard(task)

    async def _forward(self, reader, writer):
        while True:
            data = await reader.read(4096)
            while self.mode == "stall":
                await self._changed.wait()
            if self.mode == "dead":
                if not data:
                    await asyncio.Event().wait()  # the end does not get through either
                continue
            if not data:
                raise ConnectionResetError
            if writer.transport.is_closing():
                await asyncio.Event().wait()  # the other end was reset without this one
            for piece in self._pieces(data):
                writer.write(piece)
                await writer.drain()
                if self.mode == "slices":
                    await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.02)))

    def _pieces(self, data):
        size = self.chance.choice((1, 7, 40)) if self.mode == "slices" else len(data)
        return [data[at : at + size] for at in range(0, len(data), size)]


@contextlib.asynccontextmanager
async def proxies(*ports, chance=None):
    """Proxies to these ports, in their order."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Proxy(port, chance)) for port in ports]
