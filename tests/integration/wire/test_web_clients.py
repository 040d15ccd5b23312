"""Web clients at a city's port: they get a short answer, and nothing of what they send enters."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
from helpers.cities import open_network
from helpers.peers import make_legacy_merchant, wait_until

BODY = json.dumps(make_legacy_merchant(1_000_000)).encode() + b"\n"
HEAD = b"Content-Type: text/plain\r\n\r\n\n"


@pytest.mark.parametrize("key", [None, bytes(32)], ids=["open", "keyed"])
@pytest.mark.parametrize(
    "start", [b"POST / HTTP/1.1\r\n", b"GET /[ HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n", b"GET /?{\r\n"]
)
@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "after the name"])
def test_request_is_answered_and_nothing_enters(key, start, is_late):
    async def scenario():
        async with open_network("RIVERWOOD", key=key) as network:
            reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
            name = await reader.readexactly(9) if is_late else b""
            writer.write(start + HEAD + BODY)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.0 400 ") and b"A deskonomy city" in answer
            assert len(answer) < 300 and name == (b"RIVERWOOD" if is_late else b"")
            writer.close()
            await wait_until(lambda: not network.connections)
            network.city.run(3)
            assert network.city.roads == {} and network.city.ledger.roads == {}
            assert "HTTP" in network.log_lines[-1] and len(network.log_lines) == 2

    asyncio.run(scenario())


def test_browser_can_read_the_answer():
    def read_page(port):
        with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(f"http://127.0.0.1:{port}/"):
            pass
        return caught.value.code, caught.value.read().decode()

    async def scenario():
        async with open_network("RIVERWOOD") as network:
            code, text = await asyncio.to_thread(read_page, network.port)
            assert code == 400 and "dashboard" in text

    asyncio.run(scenario())


def test_tls_client_is_closed():
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
            writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)) + b"\n{}\n")
            assert await reader.read() == b"RIVERWOOD"
            writer.close()
            assert network.city.roads == {}

    asyncio.run(scenario())
