"""Requests that the dashboard's server refuses: from pages of other sites, under other names, without the token.

Requests are sent by hand, as no browser would send them, and by a browser that shows an attacker's page.
"""

import base64
import http.server
import json
import os
import re
import socket
import threading
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import make_mocked_request
from deskonomy_host.control.access import AccessPolicy
from helpers.commands import PATIENCE_S
from helpers.sources import FakeSource, make_status
from playwright.sync_api import expect

BODY = json.dumps({"city": "OAK", "good": "wood", "yield_mills": 0}).encode()


@pytest.fixture
def source():
    return FakeSource(make_status("OAK"))


@pytest.fixture
def site(serve_source, source):
    """Return (port, token, source) of a dashboard to attack."""
    parts = urlsplit(serve_source(source))
    return parts.port, parts.fragment.removeprefix("token="), source


def send_request(port, lines, body=b""):
    """Send a request of these lines; return the status of the answer, 0 for none, and its text."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock:
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""])
        sock.sendall(head.encode(errors="surrogateescape") + body)
        answer = b""
        sock.settimeout(PATIENCE_S)
        try:
            while b"\r\n\r\n" not in answer or not answer.startswith(b"HTTP/1.1 101"):
                part = sock.recv(65536)
                if not part:
                    break
                answer += part
        except (TimeoutError, ConnectionError):
            pass
    found = re.match(rb"HTTP/1.1 (\d+)", answer)
    return int(found[1]) if found else 0, answer.decode(errors="replace")


def influence(port, *headers, host=None, token=None):
    lines = ["POST /api/influence HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Content-Type: application/json"]
    authorization = [f"Authorization: Bearer {token}"] if token else []
    return send_request(port, [*lines, *authorization, *headers], BODY)[0]


def open_stream(port, *headers, host=None):
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock:
        lines = ["GET /api/stream HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", *upgrade, *headers, "", ""]
        sock.sendall("\r\n".join(lines).encode())
        return int(sock.recv(65536).split()[1])


def read_state(port, *headers, host=None):
    return send_request(port, ["GET /api/state HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", *headers])[0]


ATTACKS = {
    # The attacker's own name, which points to this machine (DNS rebinding).
    "rebound state": lambda port, token: read_state(port, host=f"evil.example:{port}"),
    "rebound stream": lambda port, token: open_stream(
        port, f"Origin: http://evil.example:{port}", host=f"evil.example:{port}"
    ),
    "rebound command": lambda port, token: influence(port, host=f"evil.example:{port}", token=token),
    "rebound without a port": lambda port, token: read_state(port, host="evil.example"),
    "rebound by a name that begins like an allowed one": lambda port, token: read_state(
        port, host=f"localhost.evil.example:{port}"
    ),
    "rebound by a name that ends like an allowed one": lambda port, token: read_state(
        port, host=f"127.0.0.1.evil.example:{port}"
    ),
    "an allowed name as a user name": lambda port, token: read_state(port, host=f"127.0.0.1:{port}@evil.example"),
    "another port": lambda port, token: read_state(port, host=f"127.0.0.1:{port + 1}"),
    "two hosts": lambda port, token: read_state(port, "Host: evil.example"),
    "no host": lambda port, token: send_request(port, ["GET /api/state HTTP/1.0"])[0],
    # A page of another site in this user's browser.
    "cross-site command": lambda port, token: influence(port, "Origin: http://evil.example", token=token),
    "cross-site command from a sandbox": lambda port, token: influence(port, "Origin: null", token=token),
    "cross-site command from another port": lambda port, token: influence(
        port, f"Origin: http://127.0.0.1:{port + 1}", token=token
    ),
    "cross-site command by https": lambda port, token: influence(
        port, f"Origin: https://127.0.0.1:{port}", token=token
    ),
    "cross-site state": lambda port, token: read_state(port, "Origin: http://evil.example"),
    "cross-site state as an image": lambda port, token: read_state(
        port, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"
    ),
    "cross-site page in a frame": lambda port, token: send_request(
        port,
        [
            "GET / HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: iframe",
        ],
    )[0],
    "same-site module": lambda port, token: send_request(
        port,
        ["GET /main.js HTTP/1.1", f"Host: 127.0.0.1:{port}", "Sec-Fetch-Site: same-site", "Sec-Fetch-Dest: script"],
    )[0],
    "cross-site stream": lambda port, token: open_stream(port, "Origin: http://evil.example"),
    "cross-site stream from a sandbox": lambda port, token: open_stream(port, "Origin: null"),
    "cross-site stream from another port": lambda port, token: open_stream(port, f"Origin: http://localhost:{port}"),
    "stream by https": lambda port, token: open_stream(port, f"Origin: https://127.0.0.1:{port}"),
    "preflight": lambda port, token: send_request(
        port,
        [
            "OPTIONS /api/influence HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Origin: http://evil.example",
            "Access-Control-Request-Method: POST",
        ],
    )[0],
    # Requests without the token, and requests that no page sends.
    "no token": lambda port, token: influence(port),
    "another token": lambda port, token: influence(port, token="x" * len(token)),
    "a token that is no text": lambda port, token: influence(port, token="\udcff\udcfe"),
    "half a token": lambda port, token: influence(port, token=token[:8]),
    "a token in the address": lambda port, token: send_request(
        port, [f"POST /api/influence?token={token} HTTP/1.1", f"Host: 127.0.0.1:{port}"], BODY
    )[0],
    "a command by GET": lambda port, token: send_request(
        port, ["GET /api/influence HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}"]
    )[0],
    "a way out of the folder": lambda port, token: send_request(
        port, ["GET /../../control.py HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    )[0],
    "a hidden way out of the folder": lambda port, token: send_request(
        port, ["GET /vendor/%2e%2e/%2e%2e/%2e%2e/control.py HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    )[0],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_refused(site, attack):
    port, token, source = site
    assert ATTACKS[attack](port, token) in (0, 400, 403, 404, 405)
    assert source.calls == []


def test_own_page_and_own_programs_are_served(site):
    port, token, source = site
    assert read_state(port) == read_state(port, host=f"localhost:{port}") == 200
    assert open_stream(port) == open_stream(port, f"Origin: http://127.0.0.1:{port}") == 101
    assert influence(port, f"Origin: http://127.0.0.1:{port}", "Sec-Fetch-Site: same-origin", token=token) == 200
    assert source.calls == [("OAK", "wood", 0)]
    status, answer = send_request(port, ["GET / HTTP/1.1", f"Host: 127.0.0.1:{port}"])
    assert status == 200 and token not in answer
    assert "frame-ancestors 'none'" in answer and "nosniff" in answer


EVIL = """<!doctype html><title>evil</title><body><script>
const target = "http://127.0.0.1:%d";
const body = JSON.stringify({city: "OAK", good: "wood", yield_mills: 0});
const tries = {
  read: () => fetch(target + "/api/state").then((answer) => answer.text()),
  blind: () => fetch(target + "/api/influence", {method: "POST", mode: "no-cors", body}).then(() => { throw 0; }),
  write: () => fetch(target + "/api/influence", {method: "POST", body, headers: {"Content-Type": "application/json"}}),
  listen: () => new Promise((yes, no) => {
    const socket = new WebSocket(target.replace("http", "ws") + "/api/stream");
    socket.onmessage = yes;
    socket.onclose = no;
  }),
  module: () => import(target + "/store.js"),
  beacon: () => { navigator.sendBeacon(target + "/api/influence", body); throw 0; },
  form: () => {
    const form = document.createElement("form");
    Object.assign(form, {method: "post", enctype: "text/plain", action: target + "/api/influence", target: "sink"});
    const field = document.createElement("input");
    field.name = body.slice(0, -1) + ', "x": "';
    field.value = '"}';
    form.append(field);
    document.body.append(form);
    form.submit();
    throw 0;
  },
};
</script><iframe name="sink"></iframe><iframe name="framed" src="http://127.0.0.1:%d/"></iframe>"""


@pytest.fixture
def evil(site):
    """Return the address of an attacker's page, serve_source under the attacker's own name."""
    page = (EVIL % (site[0], site[0])).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    # A thread for each connection, because Chromium opens some that it does not use.
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://evil.example:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_page_of_an_attacker_in_a_browser_gets_nothing(site, evil, open_page):
    port, _, source = site
    page = open_page(evil)
    page.complaints = None  # the browser reports each refusal
    for name in ("read", "blind", "write", "listen", "module", "beacon", "form"):
        result = page.evaluate("name => Promise.resolve().then(tries[name]).then(() => 'in', () => 'out')", name)
        assert result == "out", name
    expect(page.frame_locator("[name=framed]").get_by_role("heading", name="deskonomy")).to_have_count(0)
    answer = page.goto(f"http://evil.example:{port}/")  # the attacker's name points to this machine now
    assert answer.status == 403
    assert source.calls == []


def test_page_without_the_token_is_read_only(site, open_page):
    port = site[0]
    page = open_page(f"http://127.0.0.1:{port}/")
    expect(page.get_by_role("img", name=re.compile("Price of wood.*OAK 2.00 coins"))).to_be_visible()
    expect(page.get_by_text("this page is read-only")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(0)


def test_names_are_shown_as_text(serve_source, open_page):
    """No name or text of a city becomes HTML of the page."""
    name = "<img src=x onerror=alert(1)>"
    page = open_page(serve_source(FakeSource(make_status(name, roads=["<b>B</b>"], reset="<script>alert(2)</script>"))))
    expect(page.get_by_role("navigation", name="Cities").get_by_role("button", name=name)).to_be_visible()
    expect(page.get_by_role("region", name="Roads").get_by_role("row", name="<b>B</b>")).to_be_visible()
    assert page.locator("img").count() == 0


def test_server_on_a_network_answers_to_addresses_and_its_own_names_only(runtime, source):
    """Any other name may be one that an attacker points to this machine."""
    policy = AccessPolicy("token", "0.0.0.0")
    policy.port = 8055
    own = socket.gethostname()

    def refused(host):
        return policy.find_refusal(make_mocked_request("GET", "/api/state", headers={"Host": host})) is not None

    for host in ("192.168.7.9:8055", "[fe80::1]:8055", f"{own}:8055", f"{own.upper()}.local:8055", "localhost:8055"):
        assert not refused(host)
    for host in ("evil.example:8055", "192.168.7.9:80", "192.168.7.9.evil.example:8055", f"{own}.evil.example:8055"):
        assert refused(host)
