"""The same fault thousands of times: no memory, socket or task is left over, on either interpreter."""

import asyncio
import contextlib
import gc
import os
import socket
import struct

import pytest
from helpers.cities import is_road_up, open_network, take_moneys
from helpers.peers import LineNamePeer, make_legacy_merchant, wait_until
from integration.wire.test_micropython_peer import flash, run_desktown

__all__ = ["flash"]  # the fixture

CYCLES = 10_000
LONG_LINE_BYTES = 10_000_000
LINE_COSTS_BYTES = 16 * 1024


def connect_and_reset(port):
    """Connect, and reset the connection when the city has sent its name or closed it."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"S")  # else the city waits for a moment: a client of HTTP would speak first
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(ConnectionError):
            sock.recv(100)


async def reset_many_connections(port):
    for _ in range(CYCLES // 100):
        await asyncio.to_thread(lambda: [connect_and_reset(port) for _ in range(100)])


async def read_heap(desktown):
    """Return the heap of the second status line from now: the first may have been under way already."""
    for _ in range(2):
        desktown.status = {"roads": {}}
        await wait_until(lambda: desktown.status.get("heap"))
    return desktown.status["heap"]


def test_reset_connections_leave_nothing_on_host():
    async def scenario():
        async with open_network("RIVERWOOD", locals_=3) as network:
            tasks, files = asyncio.all_tasks(), len(os.listdir("/proc/self/fd"))
            await reset_many_connections(network.port)
            await wait_until(lambda: not network.connections and asyncio.all_tasks() == tasks)
            gc.collect()
            assert len(os.listdir("/proc/self/fd")) <= files + 1  # the folder /proc/self/fd itself
            assert len(network.failing) == 1 and len(network.log_lines) < 10

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not list a process's open files")
    asyncio.run(scenario())


def test_reset_connections_leave_nothing_on_board(micropython, flash):
    async def scenario():
        async with run_desktown(micropython, flash) as desktown:
            await asyncio.to_thread(lambda: [connect_and_reset(desktown.port) for _ in range(100)])
            before = await read_heap(desktown)
            await reset_many_connections(desktown.port)
            after = await read_heap(desktown)
            assert after["used"] < before["used"] + 1024
            assert desktown.status["roads"] == {}

    asyncio.run(scenario())


@pytest.mark.parametrize("place", ["host", "board"])
def test_line_of_ten_million_bytes_takes_no_memory(place, micropython, flash):
    piece = b"x" * 10_000

    async def send_long_line(peer, measure):
        peer.writer.write(b'{"Money":')
        for _ in range(LONG_LINE_BYTES // len(piece)):
            peer.writer.write(piece)
            await peer.writer.drain()
            measure()
        peer.writer.write(b"\n")
        peer.send(make_legacy_merchant(8.0))

    async def run_on_board():
        async with run_desktown(micropython, flash) as desktown:
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", desktown.port)
            await wait_until(lambda: desktown.road("SEASIDE").get("state") == "up" and "heap" in desktown.status)
            before_bytes, used_bytes = desktown.status["heap"]["used"], []
            await send_long_line(peer, lambda: used_bytes.append(desktown.status["heap"]["used"]))
            await wait_until(lambda: desktown.road("SEASIDE").get("received") == 1)
            assert max(used_bytes) < before_bytes + LINE_COSTS_BYTES
            assert desktown.road("SEASIDE")["refused"] == 1
            await peer.leave()

    async def run_on_host():
        async with open_network("RIVERWOOD") as network:
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))
            road = network.city.roads["SEASIDE"]
            protocol = road.connection._session.protocol
            held_bytes = []
            await send_long_line(
                peer, lambda: held_bytes.append(sum(map(len, protocol._line or ())) + len(protocol._data))
            )
            await wait_until(lambda: road.inbound)
            assert max(held_bytes) <= 65536 + 1024
            assert take_moneys(network, "SEASIDE") == [8000] and road.rejected == 1
            await peer.leave()

    asyncio.run(run_on_host() if place == "host" else run_on_board())
