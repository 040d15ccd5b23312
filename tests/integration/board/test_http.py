"""The board's web server over real sockets: its answers, its limits, and a city that lives on meanwhile."""

import asyncio
import contextlib
import json
import re
import socket
import time
from itertools import pairwise

import pytest
from deskonomy.economy.city import City
from deskonomy.economy.clock import run_cities
from deskonomy.wire.network import Network
from deskonomy_host import paths
from deskonomy_host.boards.deploy.ownership import BESIDE_IMAGE
from helpers.commands import PATIENCE_S
from helpers.ports import find_free_ports

SOCKETS = 10  # of an ESP32
MOVING = {"heap", "uptime_s", "ticks_per_s", "gap_ms", "sensors"}
CLIENT_TIMEOUT_S = 20  # of a client in a crowd


@pytest.fixture(scope="module")
def page(desk):
    """A board whose web server listens.

    page.ask(request, ...) sends a request in pieces and returns (status, headers, body); None where there is no answer.
    """
    [desk.port] = find_free_ports(1)
    desk.restart({"page": desk.port}, clock=1)  # an honest client on a busy machine must not be too slow
    desk.wait_for("this city's page is http://127.0.0.1:%d/" % desk.port)
    desk.wait_for('"tick"')

    def ask(request, *rest):
        with connect(desk) as sock:
            sock.sendall(request)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in rest:
                sock.sendall(piece)
            return read_answer(sock)

    desk.ask = ask
    return desk


def connect(desk):
    return socket.create_connection(("127.0.0.1", desk.port), PATIENCE_S)


def read_answer(sock):
    """Read to the end of the connection. Return (status, headers, body), None for nothing."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            data += piece
    if not data:
        return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    version, status = first.split(" ", 1)
    assert version == "HTTP/1.0"
    headers = dict(line.split(": ", 1) for line in rest)
    assert headers["Connection"] == "close" and headers["Cache-Control"] == "no-store"
    return status, headers, body


def make_get(path):
    return b"GET %s HTTP/1.1\r\nHost: desktown.local\r\n\r\n" % path.encode()


def select_statuses(lines):
    """Return the status lines of these lines as dicts."""
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def test_page_is_the_file_of_the_firmware(page):
    status, headers, body = page.ask(make_get("/"))
    assert status == "200 OK" and headers["Content-Type"] == "text/html; charset=utf-8"
    assert body == (paths.BOARD / "page.html").read_bytes()


def test_state_is_the_status_line_of_one_moment(page):
    before = len(page.lines)
    status, headers, body = page.ask(make_get("/api/state"))
    assert status == "200 OK" and headers["Content-Type"] == "application/json"
    state = json.loads(body)
    line = select_statuses(page.wait_for('"tick": ', before + 1))[-1]
    assert set(state) == set(line)
    assert state["city"] == "DESKTOWN" and state["money"]["total"] == 30_000
    assert round(state["money"]["locals"] + state["money"]["merchants"], 3) == 30_000, "while the city ticks"


@pytest.mark.parametrize(
    "request_, expected",
    [
        (make_get("/nothing"), "404 Not Found"),
        (make_get("/page.html"), "404 Not Found"),
        (make_get("/../config.json"), "404 Not Found"),
        (make_get("/api/state/"), "404 Not Found"),
        (b"HEAD / HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"POST /api/state HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405 Method Not Allowed"),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"GET / HTTP/1.0\n\n", "200 OK"),
        (b"GET /\r\n\r\n", "400 Bad Request"),
        (b"\r\n\r\n", "400 Bad Request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400 Bad Request"),
        (b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 600 + b"\r\n", "200 OK"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000, "400 Bad Request"),
        (b"\xff" * 100_000, "400 Bad Request"),
    ],
)
def test_request_gets_the_right_status(page, request_, expected):
    answer = page.ask(request_)
    # A client that sends more than the server reads may be reset before the answer arrives.
    assert answer[0] == expected if answer or len(request_) <= 4096 else True
    if expected[:3] == "405":
        assert answer[1]["Allow"] == "GET"


def test_request_in_pieces_is_answered(page):
    assert page.ask(b"G", b"ET / HT", b"TP/1.1\r", b"\nHost: x\r\n", b"\r", b"\n")[0] == "200 OK"


def test_silent_or_slow_client_is_disconnected(page):
    with connect(page) as silent, connect(page) as slow:
        slow.sendall(b"GET / HT")
        assert read_answer(silent) is None
        assert read_answer(slow) is None
    for half in (b"", b"GET / HTTP/1.1\r\n", make_get("/")):
        with connect(page) as sock:
            sock.sendall(half)
    # Until the board has noticed the end of those connections, another client is one too many.
    deadline = time.monotonic() + PATIENCE_S
    while (answer := page.ask(make_get("/api/state"))) is None and time.monotonic() < deadline:
        pass
    assert answer and answer[0] == "200 OK"


async def ask_at_once(port, requests):
    """Send each request by a client of its own, all at once. Return the answers, None for a client without one."""

    async def ask(request):
        try:
            async with asyncio.timeout(CLIENT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                data = await reader.read()
                writer.transport.abort()
                return data or None
        except OSError:
            return None

    return await asyncio.gather(*[ask(request) for request in requests])


def test_many_clients_at_once_take_no_memory_and_stop_no_tick(page):
    def wait_for_quiet():
        page.lines.clear()
        return select_statuses(page.wait_for('"ticks_per_s"', 3))[-1]

    before = wait_for_quiet()
    page.lines.clear()
    served = []
    while len(served) < 2 or not (busy := select_statuses(page.lines)):
        answers = page.run(ask_at_once(page.port, [make_get("/"), make_get("/api/state"), b"GET / HT", b""] * 6))
        served += [answer for answer in answers if answer]
    after = wait_for_quiet()
    assert all(answer.startswith(b"HTTP/1.0 200 OK\r\n") and answer.rstrip()[-1:] in b">}" for answer in served)
    assert after["heap"]["used"] <= before["heap"]["used"] + 1024
    assert max(status["heap"]["used"] for status in busy) <= before["heap"]["used"] + 8 * 1024
    assert all(earlier["tick"] < later["tick"] for earlier, later in pairwise(busy))


def test_roads_and_web_server_together_have_enough_sockets():
    text = (paths.BOARD / "roads.py").read_text() + (paths.BOARD / "http.py").read_text()
    roads, clients = [
        int(re.search(name + r" = const\((\d+)\)", text)[1]) for name in ("_CONNECTIONS_MAX", "_CLIENTS_MAX")
    ]
    listening = 2
    assert roads + clients + listening <= SOCKETS


def test_crowd_at_the_page_does_not_disturb_roads(page):
    """Six cities trade with the board while its web server has more clients than it accepts."""
    page.restart({"page": page.port, "speed": 500}, clock=1)
    page.wait_for("this city's page is")
    host, port = select_statuses(page.wait_for('"address": "127.0.0.1'))[-1]["address"].split(":")

    async def trade():
        async with contextlib.AsyncExitStack() as stack:
            cities = [City("CITY%d" % n, n) for n in range(6)]
            for city in cities:
                network = Network(city, port=56000, log=lambda event, text: None)
                await network.start()
                stack.push_async_callback(network.close)
                network.dial(host, int(port))
            # Both are started here, and end with the test.
            tasks = [asyncio.create_task(coroutine) for coroutine in (run_cities(cities, 500), ask_for_ever())]
            async with asyncio.timeout(PATIENCE_S):
                while not all(city.roads and city.roads["DESKTOWN"].received for city in cities):
                    await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()

    async def ask_for_ever():
        while True:
            await ask_at_once(page.port, [make_get("/"), make_get("/api/state"), b"", b""])

    page.run(trade())


def test_state_and_status_line_of_the_same_tick_are_equal(page):
    page.restart({"page": page.port, "speed": 0.1}, clock=1)
    page.wait_for("this city's page is")
    state, line = {"tick": None}, {"tick": 0}
    while state["tick"] != line["tick"]:  # a tick may come between both
        state = json.loads(page.ask(make_get("/api/state"))[2])
        line = select_statuses(page.wait_for('"ticks_per_s"'))[-1]
    assert {key: state[key] for key in state.keys() - MOVING} == {key: line[key] for key in line.keys() - MOVING}


def test_page_is_found_beside_an_image(page):
    [beside_modules] = page.flash.glob("?/deskonomy_board/page.html")
    beside_image = page.flash / BESIDE_IMAGE / "page.html"
    beside_image.parent.mkdir(parents=True)
    beside_modules.rename(beside_image)
    try:
        test_page_is_the_file_of_the_firmware(page)
    finally:
        beside_image.rename(beside_modules)


def test_board_without_page_setting_does_not_listen(page):
    page.restart({})
    page.wait_for(" listens on ")
    assert not any("page" in line for line in page.wait_for('"tick"', 3))
    with pytest.raises(ConnectionRefusedError):
        connect(page)


def test_taken_port_is_reported_and_the_city_lives(page):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        page.restart({"page": listening.getsockname()[1]})
        page.wait_for("no page on port %d: [Errno" % listening.getsockname()[1])
        page.wait_for('"tick"', 3)
