"""Much of the same, for as long as it takes: no memory, socket or task is left over, on either interpreter."""

import asyncio
import contextlib
import gc
import os
import socket
import struct

import pytest
from helpers.cities import is_up, take, town
from helpers.peers import Dialect8, merchant, until
from integration.wire.test_micropython_peer import desktown, flash

__all__ = ["flash"]  # the fixture

CYCLES = 10_000
ENDLESS_BYTES = 10_000_000
LINE_COSTS_BYTES = 16 * 1024


def connect_and_reset(port):
    """A connection that ends with a reset, as soon as the city has said its name or hung up."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(ConnectionError):
            sock.recv(100)


async def many_resets(port):
    for _ in range(CYCLES // 100):
        await asyncio.to_thread(lambda: [connect_and_reset(port) for _ in range(100)])


async def heap_now(desk):
    """The heap of the second status line from now: the first may have been on its way already."""
    for _ in range(2):
        desk.status = {"roads": {}}
        await until(lambda: desk.status.get("heap"))
    return desk.status["heap"]


def test_connections_that_are_reset_leave_nothing_here():
    async def story():
        async with town("RIVERWOOD", locals_=3) as roads:
            tasks, files = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
            await many_resets(roads.port)
            await until(lambda: not roads._links and asyncio.all_tasks() == tasks)
            gc.collect()
            assert len(os.listdir("/proc/self/fd")) <= files + 1  # the folder that is being read
            assert len(roads._failing) == 1 and len(roads.log_lines) < 10

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not list a process's open files")
    asyncio.run(story())


def test_connections_that_are_reset_leave_nothing_on_a_board(micropython, flash):
    async def story():
        async with desktown(micropython, flash) as desk:
            await asyncio.to_thread(lambda: [connect_and_reset(desk.port) for _ in range(100)])
            before = await heap_now(desk)
            await many_resets(desk.port)
            after = await heap_now(desk)
            assert after["used"] < before["used"] + 1024
            assert desk.status["roads"] == {}

    asyncio.run(story())


@pytest.mark.parametrize("where", ["here", "on a board"])
def test_a_line_without_an_end(where, micropython, flash):
    piece = b"x" * 10_000

    async def send_endless(peer, look):
        peer.writer.write(b'{"Money":')
        for _ in range(ENDLESS_BYTES // len(piece)):
            peer.writer.write(piece)
            await peer.writer.drain()
            look()
        peer.writer.write(b"\n")
        peer.send(merchant(8.0))

    async def on_a_board():
        async with desktown(micropython, flash) as desk:
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", desk.port)
            await until(lambda: desk.road("SEASIDE").get("state") == "up" and "heap" in desk.status)
            before, used = desk.status["heap"]["used"], []
            await send_endless(peer, lambda: used.append(desk.status["heap"]["used"]))
            await until(lambda: desk.road("SEASIDE").get("received") == 1)
            assert max(used) < before + LINE_COSTS_BYTES
            assert desk.road("SEASIDE")["refused"] == 1
            await peer.leave()

    async def here():
        async with town("RIVERWOOD") as roads:
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", roads.port)
            await until(lambda: is_up(roads, "SEASIDE"))
            road = roads.city.roads["SEASIDE"]
            kept = road.link._session.connection
            held = []
            await send_endless(peer, lambda: held.append(sum(map(len, kept._line or ())) + len(kept._data)))
            await until(lambda: road.inbound)
            assert max(held) <= 65536 + 1024
            assert take(roads, "SEASIDE") == [8000] and road.refused == 1
            await peer.leave()

    asyncio.run(here() if where == "here" else on_a_board())
