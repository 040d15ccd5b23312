"""The board's own page, over real sockets: what it answers, to whom, and that nobody keeps it from living."""

import asyncio
import contextlib
import json
import re
import socket
import time
from itertools import pairwise

import pytest
from deskonomy.economy.city import City
from deskonomy.economy.clock import drive
from deskonomy.wire.network import Roads
from deskonomy_host import paths
from deskonomy_host.boards.deploy import deploy
from helpers.commands import PATIENCE_S
from proofs.chaos.town import free_ports

SOCKETS = 10  # of an ESP32
MOVING = {"heap", "uptime_s", "ticks_per_s", "gap_ms", "sensors"}
GIVES_UP_S = 20  # a client of a crowd


@pytest.fixture(scope="module")
def page(desk):
    """A board whose page is up: page.ask(text) -> (status, headers, body), None where it only hangs up."""
    [desk.port] = free_ports(1)
    desk.starts({"page": desk.port}, clock=1)  # an honest client on a busy machine must not be too slow
    desk.wait_for("this city's page is http://127.0.0.1:%d/" % desk.port)
    desk.wait_for('"tick"')

    def ask(request, *more):
        with connected(desk) as sock:
            sock.sendall(request)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in more:
                sock.sendall(piece)
            return answer(sock)

    desk.ask = ask
    return desk


def connected(desk):
    return socket.create_connection(("127.0.0.1", desk.port), PATIENCE_S)


def answer(sock):
    """Everything that comes until it hangs up."""
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


def get(path):
    return b"GET %s HTTP/1.1\r\nHost: desktown.local\r\n\r\n" % path.encode()


def lines(said):
    """The status lines among these."""
    return [json.loads(line) for line in said if line.startswith("{") and line.endswith("}")]


def test_the_page(page):
    status, headers, body = page.ask(get("/"))
    assert status == "200 OK" and headers["Content-Type"] == "text/html; charset=utf-8"
    assert body == (paths.BOARD / "page.html").read_bytes()


def test_the_state_is_the_status_line_of_one_moment(page):
    before = len(page.said)
    status, headers, body = page.ask(get("/api/state"))
    assert status == "200 OK" and headers["Content-Type"] == "application/json"
    state = json.loads(body)
    line = lines(page.wait_for('"tick": ', before + 1))[-1]
    assert set(state) == set(line)
    assert state["city"] == "DESKTOWN" and state["money"]["total"] == 30_000
    assert round(state["money"]["locals"] + state["money"]["merchants"], 3) == 30_000, "while the city ticks"


@pytest.mark.parametrize(
    "request_, says",
    [
        (get("/nothing"), "404 Not Found"),
        (get("/page.html"), "404 Not Found"),
        (get("/../config.json"), "404 Not Found"),
        (get("/api/state/"), "404 Not Found"),
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
def test_what_else_is_asked(page, request_, says):
    found = page.ask(request_)
    # Who sends more than is read may be reset before the answer is there.
    assert found[0] == says if found or len(request_) <= 4096 else True
    if says[:3] == "405":
        assert found[1]["Allow"] == "GET"


def test_a_request_in_pieces(page):
    assert page.ask(b"G", b"ET / HT", b"TP/1.1\r", b"\nHost: x\r\n", b"\r", b"\n")[0] == "200 OK"


def test_who_says_nothing_or_is_slow_is_hung_up_on(page):
    with connected(page) as silent, connected(page) as slow:
        slow.sendall(b"GET / HT")
        assert answer(silent) is None
        assert answer(slow) is None
    for half in (b"", b"GET / HTTP/1.1\r\n", get("/")):
        with connected(page) as sock:
            sock.sendall(half)
    # Whoever comes before the board has seen that those are gone is one too many.
    deadline = time.monotonic() + PATIENCE_S
    while (said := page.ask(get("/api/state"))) is None and time.monotonic() < deadline:
        pass
    assert said and said[0] == "200 OK"


async def crowd(port, requests):
    """What so many clients at once are answered, each with this request; None for who was turned away or gave up."""

    async def one(request):
        try:
            async with asyncio.timeout(GIVES_UP_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                data = await reader.read()
                writer.transport.abort()
                return data or None
        except OSError:
            return None

    return await asyncio.gather(*[one(request) for request in requests])


def test_many_at_once_take_no_memory_and_stop_no_tick(page):
    def lull():
        page.said.clear()
        return lines(page.wait_for('"ticks_per_s"', 3))[-1]

    before = lull()
    page.said.clear()
    served = []
    while len(served) < 2 or not (busy := lines(page.said)):
        answers = page.run(crowd(page.port, [get("/"), get("/api/state"), b"GET / HT", b""] * 6))
        served += [answer for answer in answers if answer]
    after = lull()
    assert all(answer.startswith(b"HTTP/1.0 200 OK\r\n") and answer.rstrip()[-1:] in b">}" for answer in served)
    assert after["heap"]["used"] <= before["heap"]["used"] + 1024
    assert max(status["heap"]["used"] for status in busy) <= before["heap"]["used"] + 8 * 1024
    assert all(one["tick"] < other["tick"] for one, other in pairwise(busy))


def test_roads_and_page_together_have_sockets_enough():
    text = (paths.BOARD / "travel.py").read_text() + (paths.BOARD / "page.py").read_text()
    roads, clients = [
        int(re.search(name + r" = const\((\d+)\)", text)[1]) for name in ("_CONNECTIONS_MAX", "_CLIENTS_MAX")
    ]
    listening = 2
    assert roads + clients + listening <= SOCKETS


def test_a_crowd_at_the_page_leaves_roads_alone(page):
    """Six cities trade with the board while its page has all the clients that it takes, and more."""
    page.starts({"page": page.port, "speed": 500}, clock=1)
    page.wait_for("this city's page is")
    host, port = lines(page.wait_for('"address": "127.0.0.1'))[-1]["address"].split(":")

    async def trade():
        async with contextlib.AsyncExitStack() as stack:
            cities = [City("CITY%d" % n, n) for n in range(6)]
            for city in cities:
                roads = Roads(city, port=56000, log=lambda line: None)
                await roads.start()
                stack.push_async_callback(roads.close)
                roads.dial(host, int(port))
            # Both are started here, and end with the test.
            tasks = [asyncio.create_task(work) for work in (drive(cities, 500), crowds())]
            async with asyncio.timeout(PATIENCE_S):
                while not all(city.roads and city.roads["DESKTOWN"].received for city in cities):
                    await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()

    async def crowds():
        while True:
            await crowd(page.port, [get("/"), get("/api/state"), b"", b""])

    page.run(trade())


def test_the_same_tick_says_the_same(page):
    page.starts({"page": page.port, "speed": 0.1}, clock=1)
    page.wait_for("this city's page is")
    state, line = {"tick": None}, {"tick": 0}
    while state["tick"] != line["tick"]:  # it was just then
        state = json.loads(page.ask(get("/api/state"))[2])
        line = lines(page.wait_for('"ticks_per_s"'))[-1]
    assert {key: state[key] for key in state.keys() - MOVING} == {key: line[key] for key in line.keys() - MOVING}


def test_it_is_found_where_it_lies_beside_an_image(page):
    [beside_modules] = page.flash.glob("?/deskonomy_board/page.html")
    beside_image = page.flash / deploy.BESIDE_IMAGE / "page.html"
    beside_image.parent.mkdir(parents=True)
    beside_modules.rename(beside_image)
    try:
        test_the_page(page)
    finally:
        beside_image.rename(beside_modules)


def test_no_page_where_none_is_wished(page):
    page.starts({})
    page.wait_for("lets in")
    assert not any("page" in line for line in page.wait_for('"tick"', 3))
    with pytest.raises(ConnectionRefusedError):
        connected(page)


def test_a_port_that_is_taken_is_said_and_the_city_lives(page):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        page.starts({"page": listening.getsockname()[1]})
        page.wait_for("no page on port %d: [Errno" % listening.getsockname()[1])
        page.wait_for('"tick"', 3)
