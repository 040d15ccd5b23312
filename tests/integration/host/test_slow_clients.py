"""Clients of the dashboard's port that send half a request, and descriptors that run out: the rest goes on."""

import asyncio
import contextlib
import errno
import socket

import pytest
from deskonomy_host import logs
from deskonomy_host.control import patience
from deskonomy_host.control.server import ControlServer

HALVES = (
    b"",
    b"GET / HT",
    b"GET /api/state HTTP/1.1\r\nHost: ",
    b"POST /api/influence HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
)


@pytest.fixture
def log_lines(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    lines = []
    with logs.attach(logs.LineHandler(lines.append)):
        yield lines


async def send_half(port, half):
    """Send half a request; return what comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(half)
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


def test_half_requests_time_out_with_one_line(monkeypatch, log_lines):
    monkeypatch.setattr(patience, "REQUEST_S", 0.2)
    monkeypatch.setattr(patience, "_CHECK_S", 0.05)

    async def scenario():
        async with ControlServer([], list, {}) as server:
            async with asyncio.timeout(20):
                await asyncio.gather(*[send_half(server.port, half) for half in HALVES * 10])

    asyncio.run(scenario())
    assert [line for line in log_lines if "closed" in line] == log_lines
    assert len(log_lines) == 1


def test_oldest_of_too_many_connections_leave(monkeypatch, log_lines):
    monkeypatch.setattr(patience, "_CONNECTIONS_MAX", 5)
    monkeypatch.setattr(patience, "_CHECK_S", 0.05)

    async def scenario():
        async with ControlServer([], list, {}) as server:
            streams = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(8)]
            async with asyncio.timeout(20):
                for reader, _ in streams[:3]:
                    assert await reader.read() == b""
            assert not any(reader.at_eof() for reader, _ in streams[3:])
            for _, writer in streams:
                writer.close()

    asyncio.run(scenario())


def test_lack_of_descriptors_is_logged_once_and_ends_by_itself(monkeypatch, log_lines):
    monkeypatch.setattr(logs, "_descriptors_logged_s", float("-inf"))
    monkeypatch.setattr(asyncio.constants, "ACCEPT_RETRY_DELAY", 0.05)
    accept, failures = socket.socket.accept, [50]

    def fail_at_first(sock):
        if failures[0]:
            failures[0] -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(sock)

    monkeypatch.setattr(socket.socket, "accept", fail_at_first)

    async def scenario():
        logs.watch_loop()

        def hang_up(reader, writer):
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server, asyncio.timeout(20):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()

    asyncio.run(scenario())
    assert failures == [0]
    assert len(log_lines) == 1 and "descriptor" in log_lines[0]
