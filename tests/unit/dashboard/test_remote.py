"""The source for cities on other machines: answers that it takes, and answers that it rejects."""

import asyncio
import contextlib

from deskonomy_host import logs
from deskonomy_host.dashboard import remote
from deskonomy_host.dashboard.remote import RemoteSource
from deskonomy_host.roads import mdns
from helpers.peers import wait_until
from helpers.sources import make_status


@contextlib.asynccontextmanager
async def serve_state(reply, stream=None):
    """Answer GET /api/state with the result of reply(request), and /api/stream likewise; gives the port."""
    from aiohttp import web

    async def handle(request):
        return await reply(request)

    app = web.Application()
    app.router.add_get("/api/state", handle)
    if stream is not None:
        app.router.add_get("/api/stream", stream)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def wait_for_event(source):
    events = []
    await wait_until(lambda: events.extend(source.take_events()) or events)
    return events[0]


def test_board_is_read_again_and_again():
    from aiohttp import web

    statuses = [make_status("DESKTOWN", 1)]

    async def reply(request):
        return web.json_response(statuses[0])

    async def main():
        async with serve_state(reply) as port, RemoteSource("127.0.0.1", port) as source:
            await wait_until(lambda: source.read() == [make_status("DESKTOWN", 1)])
            statuses[0] = make_status("DESKTOWN", 2)
            await wait_until(lambda: source.read() == [make_status("DESKTOWN", 2)])
            assert source.commands == {} and source.origin == f"127.0.0.1:{port}"

    asyncio.run(main())


def test_answer_that_is_not_a_status_is_reported():
    from aiohttp import web

    async def incomplete(request):
        return web.json_response({"city": "A"})

    async def endless(request):
        stream = web.StreamResponse()
        await stream.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await stream.write(b" " * 100_000)
        return stream

    async def elsewhere(request):
        raise web.HTTPFound("http://127.0.0.1:1/secret")

    async def main():
        replies = ((incomplete, "field tick is missing"), (endless, "it is too long"), (elsewhere, "HTTP status 302"))
        for reply, reason in replies:
            async with serve_state(reply) as port, RemoteSource("127.0.0.1", port) as source:
                event = await wait_for_event(source)
                assert reason in event.text and source.read() == []
        async with RemoteSource("127.0.0.1", 1) as source:
            assert "127.0.0.1:1 does not answer" in (await wait_for_event(source)).text

    asyncio.run(main())


def test_name_that_is_unknown_is_one_line_on_terminal_and_page(monkeypatch):
    lookups = []

    async def look_up(host):
        lookups.append(host)
        raise OSError(f"{host} is not on this network")

    async def main():
        lines = []
        with logs.attach(logs.LineHandler(lines.append)):
            async with RemoteSource("desktwon.local") as source:
                event = await wait_for_event(source)
                await wait_until(lambda: len(lookups) >= 3)  # of two ports, so the second round has begun
                assert source.take_events() == []
        assert lines == [event.text]
        assert event.text == "desktwon.local does not answer (desktwon.local is not on this network); trying again"

    monkeypatch.setattr(mdns, "resolve_host", look_up)
    monkeypatch.setattr(remote, "_INTERVAL_S", 0.01)
    asyncio.run(main())


def test_run_behind_a_port_that_does_not_answer_is_no_failure():
    from aiohttp import web

    async def reply(request):
        return web.json_response(make_status("A"))

    async def main():
        async with serve_state(reply) as port:
            source = RemoteSource("127.0.0.1")
            source._ports = [1, port]
            async with source:
                await wait_until(source.read)
                assert source.take_events() == []

    asyncio.run(main())


def test_stream_message_that_is_not_a_feed_is_reported():
    from aiohttp import web

    async def reply(request):
        return web.json_response(make_status("A"))

    def stream_of(text):
        async def stream(request):
            response = web.WebSocketResponse()
            await response.prepare(request)
            await response.send_str(text)
            return response

        return stream

    async def main():
        for text in (
            "7",
            '{"kind": "now"}',
            '{"kind": "now", "cities": [7]}',
            '{"kind": "now", "cities": [{}]}',
            "[" * 10**5,
        ):
            async with serve_state(reply, stream_of(text)) as port, RemoteSource("127.0.0.1", port) as source:
                assert "is not a status" in (await wait_for_event(source)).text

    asyncio.run(main())
