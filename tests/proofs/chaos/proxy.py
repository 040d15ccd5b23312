"""A TCP proxy that disturbs a link as Wi-Fi does.

Here: forwarding, slicing, stalling, resetting, half-closing. Not here: when each of them happens (processes.py).
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Self

MODES = ("plain", "slices", "stall", "dead")


class Proxy:
    """A proxy that forwards connections to a port of this machine, from `async with` to its end.

    Attributes:
        port: where it listens.
        mode: how it forwards. "plain": at once. "slices": a few bytes at a time. "stall": nothing, for now. "dead":
            nothing, and what comes is lost.
        pairs: the two StreamWriters of each connection.
    """

    def __init__(self, port: int, chance: random.Random | None = None) -> None:
        """Create a proxy to this port; `chance` draws the slices."""
        self.port = None
        self.mode = "plain"
        self.pairs = []
        self._target = port
        self._chance = chance or random.Random(1)
        self._changed = asyncio.Event()
        self._tasks = set()

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop_listening()
        self.reset_connections()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port or 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Accept no further connection; open ones stay open."""
        self._server.close()

    def set_mode(self, mode: str) -> None:
        """Forward in this mode from now on."""
        self.mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    def reset_connections(self, ends: Sequence[int] = (0, 1)) -> None:
        """Reset all connections, at both ends or at one; after that the other end receives nothing any more."""
        for pair in self.pairs:
            for end in ends:
                sock = pair[end].get_extra_info("socket")
                if sock is not None and sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                pair[end].transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        pair = (writer, target_writer)
        self.pairs.append(pair)
        try:
            await asyncio.gather(self._forward(reader, target_writer), self._forward(target_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.pairs.remove(pair)
            for end in pair:
                end.transport.abort()
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            data = await reader.read(4096)
            while self.mode == "stall":
                await self._changed.wait()
            if self.mode == "dead":
                if not data:
                    await asyncio.Event().wait()  # the end of the connection does not get through either
                continue
            if not data:
                raise ConnectionResetError
            if writer.transport.is_closing():
                await asyncio.Event().wait()  # the other end alone was reset
            for piece in self._split(data):
                writer.write(piece)
                await writer.drain()
                if self.mode == "slices":
                    await asyncio.sleep(self._chance.choice((0, 0, 0.001, 0.02)))

    def _split(self, data: bytes) -> list[bytes]:
        size = self._chance.choice((1, 7, 40)) if self.mode == "slices" else len(data)
        return [data[at : at + size] for at in range(0, len(data), size)]


@contextlib.asynccontextmanager
async def open_proxies(*ports: int, chance: random.Random | None = None) -> AsyncIterator[list[Proxy]]:
    """Yield proxies to these ports, in their order."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Proxy(port, chance)) for port in ports]
