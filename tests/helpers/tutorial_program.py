"""A program of the tutorial with sockets: it dials, listens, ticks at a pace, goes quiet and is killed.

Here: its connections, and where its money is. Not here: its economy (tutorial_city.py), peers that talk as a test wants
(peers.py).
"""

import asyncio
import contextlib
import json
from typing import Self

from helpers.tutorial_city import CHANNEL_MAX, Channel, DeadCityError, TutorialCity, read_mills

_CHECK_S = 0.02  # between two looks at a full channel


class TutorialProgram:
    """A running program of the tutorial.

    Attributes:
        city: its city.
        is_quiet: whether its merchants stay where they are: it ticks no more, and says nothing.
        death: of what it has crashed, None while it runs.
        ignored: how many of its connections were second ones, which it never uses; ignored_closed: of these, how many
            have been closed by the other end.
        gone_mills: money that vanished with channels whose connection has ended.
    """

    def __init__(self, city: TutorialCity, edition: int, ticks_per_s: float) -> None:
        self.city = city
        self.is_quiet = False
        self.death: str | None = None
        self.ignored = self.ignored_closed = 0
        self.gone_mills = 0
        self._edition = edition
        self._tick_s = 1 / ticks_per_s
        self._is_killed = False
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._all_writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        # Started here; end in kill().
        self._tasks: list[asyncio.Task[None]] = []
        self._ticking = asyncio.create_task(self._keep_ticking())

    async def dial(self, host: str, port: int) -> Self:
        """Dial another city, as the program does when its user presses Alt; return this program."""
        self._accept(*await asyncio.open_connection(host, port))
        return self

    async def listen(self) -> int:
        """Listen in the background; return the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    def sum_money_mills(self) -> int:
        """Return the money of the program, and what has vanished with its channels."""
        return self.city.sum_money_mills() + self.gone_mills

    async def kill(self) -> int:
        """End the program, and return all the money that it had. Nothing under way to it escapes the count."""
        self._is_killed = True
        self._ticking.cancel()
        if self._server is not None:
            self._server.close()
        for writer in self._all_writers:
            with contextlib.suppress(OSError):
                writer.write_eof()
        await asyncio.gather(*self._tasks)
        return self.sum_money_mills()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._all_writers.append(writer)
        self._tasks.append(asyncio.create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(self.city.name.encode() + (b"\n" if self._edition == 8 else b""))
            data = await reader.read(1024)
            while self._edition == 8 and b"\n" not in data and (piece := await reader.read(4096)):
                data += piece
            if not data or (self._edition == 8 and b"\n" not in data):
                return  # the city has hung up without a name
            name = data.split(b"\n")[0].decode() if self._edition == 8 else data.decode()
            if name in self.city.channels:
                self.ignored += 1
                await reader.read()  # only for the count
                self.ignored_closed += 1
                return
            self.city.channels[name] = Channel()
            self._writers[name] = writer
            await self._read_lines(reader, name)
        except OSError:
            pass
        finally:
            writer.close()
            self._all_writers.remove(writer)

    async def _read_lines(self, reader: asyncio.StreamReader, name: str) -> None:
        channel = self.city.channels[name]
        try:
            while line := await reader.readline():
                if line.endswith(b"\n"):
                    self.city.read_line(channel, line)
                while len(channel.inbound) >= CHANNEL_MAX and not self._is_killed:
                    await asyncio.sleep(_CHECK_S)
        finally:
            del self.city.channels[name], self._writers[name]
            self.gone_mills += sum(read_mills(merchant) for merchant in channel.inbound + channel.outbound)

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            if self.is_quiet:
                continue
            try:
                self.city.tick()
            except DeadCityError as error:
                self.death = str(error)
                return
            for name, channel in self.city.channels.items():
                writer = self._writers[name]
                while channel.outbound and not writer.transport.get_write_buffer_size():
                    writer.write(json.dumps(channel.outbound.pop(0), separators=(",", ":")).encode() + b"\n")
