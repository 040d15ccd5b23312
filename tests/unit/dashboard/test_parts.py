"""The dashboard's parts without a browser: what is kept, what is told, what is believed."""

import asyncio
import contextlib
import json
import math
import random

import pytest
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.local import connect
from deskonomy_host.dashboard import feed
from deskonomy_host.dashboard.feed import Feed
from deskonomy_host.dashboard.remote import Watched
from deskonomy_host.telemetry import schema as checks
from deskonomy_host.telemetry.events import Observer
from deskonomy_host.telemetry.metrics import Rows
from deskonomy_host.telemetry.statistics import QUANTILES, Detail, gini
from deskonomy_host.telemetry.timeseries import Track
from helpers.peers import until
from helpers.sources import Told, status

# The past.


def test_a_track_stays_small_and_forgets_no_extreme():
    track = Track(old=40, recent=20)
    chance = random.Random(1)
    values = [chance.random() for _ in range(20_000)]
    for at, value in enumerate(values):
        track.add(float(at), {"A": {"x.min": value, "x.max": value, "x": value}})
        assert len(track.times) <= 40 + 20 + 2 * track._span
    columns = track.columns["A"]
    assert {len(column) for column in columns.values()} == {len(track.times)}
    assert list(track.times) == sorted(track.times) and track.times[0] == 0
    assert list(track.times)[-20:] == list(range(19_980, 20_000))
    assert min(columns["x.min"]) == min(values) and max(columns["x.max"]) == max(values)
    assert list(columns["x"])[-20:] == values[-20:]
    assert sum(columns["x"][:20]) / 20 == pytest.approx(0.5, abs=0.05)


def test_a_city_that_comes_late_and_one_that_goes():
    track = Track(old=4, recent=4)
    track.add(0.0, {"A": {"x": 1.0}})
    track.add(1.0, {"A": {"x": 2.0}, "B": {"x": 5.0}})
    assert math.isnan(track.columns["B"]["x"][0]) and track.columns["B"]["x"][1] == 5
    for at in range(2, 2000):
        track.add(float(at), {"B": {"x": 5.0}})
    assert set(track.columns["B"]["x"]) == {5.0} and len(track.columns) <= 2


def test_an_hour_has_a_bound():
    told = Told(*[status(f"CITY{index}") for index in range(4)])
    stream = Feed([told])
    told.time_s = 0.0
    sizes = set()
    for _ in range(7200):
        told.time_s += 0.5
        stream.sample()
        sizes.add(len(stream._track.times))
    assert max(sizes) < 700
    names = sum(len(columns) for columns in stream._track.columns.values())
    assert names / 4 * max(sizes) * 8 < 200_000  # bytes a city: 10 MB for fifty
    hello = json.loads(next(stream._past()))
    assert hello["times"][0] == 0.5 and hello["times"][-1] == 3600


# The stream.


def test_who_does_not_listen_is_hung_up_on():
    async def main():
        told = Told(status("A"))
        async with Feed([told], interval_s=1000) as stream:
            with stream.listener() as slow, stream.listener() as quick:
                messages = aiter(quick)
                assert json.loads(await anext(messages))["kind"] == "hello"
                assert json.loads(await anext(messages))["kind"] == "past"
                for _ in range(100):
                    stream.sample()
                    assert json.loads(await anext(messages))["kind"] == "now"
                assert len([message async for message in slow]) < 100
            listeners = contextlib.ExitStack()
            with listeners:
                every = [listeners.enter_context(stream.listener()) for _ in range(feed.LISTENERS_MAX + 1)]
                assert every[-1] is None and None not in every[:-1]
            with stream.listener() as fresh:
                assert fresh is not None

    asyncio.run(main())


def test_a_history_that_is_wound_back():
    told = Told(status("A"))
    stream = Feed([told])
    for time_s in (10.0, 11.0, 12.0, 3.0):
        told.time_s = time_s
        stream.sample()
    assert list(stream._track.times) == [3.0]


# What is told.


def found(observer, *statuses):
    return [(event["kind"], event["text"]) for event in observer.observe(0.0, statuses)]


def road(state="up", lost=0):
    return {"B": {"state": state, "kind": "ours", "sent": 0, "received": 0, "waiting": 0, "lost": lost}}


def test_events_of_a_city():
    observer = Observer()
    assert found(observer, status("A", roads=["B"])) == [("city", "A is here, at tick 1")]
    assert found(observer, status("A", 2, roads=["B"])) == []
    assert found(observer, status("A", 3) | {"roads": road("down", 2)}) == [
        ("road", "A: the road to B is closed"),
        ("lost", "A: 2 merchants were lost on the road to B"),
    ]
    assert found(observer, status("A", 4) | {"roads": road(lost=2)}) == [("road", "A: the road to B is open")]
    assert found(observer, status("A", 5)) == [("road", "A: the road to B is closed")]
    assert found(observer, status("A", 1, reset="watchdog")) == [("reset", "A has started anew (watchdog reset)")]
    assert found(observer) == [("lost", "A no longer answers")]
    assert found(observer, status("A", 9)) == [("city", "A is here, at tick 9")]


def test_what_moves_is_told_when_it_has_come_to_rest():
    observer = Observer()

    def board(second, level):
        gives = {"wood": 2 * level, "bed": 1.0}
        return status("A", second, uptime_s=second, sensors={"light": {"raw": 0, "level": level}}) | {"yield": gives}

    assert found(observer, board(1, 0.1)) == [("city", "A is here, at tick 1")]
    assert found(observer, board(2, 0.6)) == found(observer, board(2, 0.6)) == []
    assert found(observer, board(3, 0.9)) == found(observer, board(3, 0.9)) == []
    assert found(observer, board(4, 0.9)) == [
        ("sensor", "A's light sensor reads 90%"),
        ("yield", "A: one act of making wood now gives 1.8"),
    ]
    for second in range(5, 50):
        assert found(observer, board(second, 0.9 + 0.002 * (second % 2))) == []


def test_a_sensor_without_a_reading():
    """Before its first one, and when it has failed: it is told, it has no level, and the rest is there as ever."""
    observer, rows = Observer(), Rows()
    seen = []
    for second, reading in enumerate(
        ({}, {"raw": 1, "level": 0.5}, {"error": "no answer (19)"}, {"raw": 1, "level": 0.5})
    ):
        [one] = checks.statuses(status("A", second, uptime_s=second, sensors={"light": {"good": "wood", **reading}}))
        assert one["sensors"]["light"] == reading
        assert rows.of(second, one).get("sensor.light") == reading.get("level")
        seen += found(observer, one)
    assert seen[1:] == [("sensor", "A's light sensor fails: no answer (19)")]


def test_what_is_made_is_told_as_a_rate():
    told = Told()
    stream = Feed([told])
    for time_s, tick, made in ((1, 1, 2**30 - 10), (2, 2, 0), (2.5, 2, 0), (3, 3, 20), (4, 1, 4), (5, 2, 8), (9, 2, 8)):
        told.time_s = time_s
        told.statuses = [status("A", tick, made={"wood": made})]
        stream.sample()
    rates = list(stream._track.columns["A"]["made.wood"])
    assert [rate for rate in rates if not math.isnan(rate)] == [10, 10, 15, 4, 0.8]


def test_detail_of_a_city():
    one, other = City("OAK", 1), City("PINE", 2)
    connect(one, other)
    detail = Detail()
    first = detail(one)
    assert len(first["wealth"]) == QUANTILES + 1 and first["wealth"] == [1000.0] * (QUANTILES + 1)
    assert first["gini"] == 0 and len(first["leisure"]) == 20
    one.roads["PINE"].send(Merchant("bed", money_mills=5000))
    later = Detail()
    later._travelled, later._arrived = detail._travelled, detail._arrived
    second = later(one)
    assert second["travelled"] == {"PINE": {"bed": 1}} and second["under_way"] == 5
    json.dumps(second)


def test_gini():
    assert gini([]) == gini([0, 0]) == 0
    assert gini([7, 7, 7, 7]) == pytest.approx(0)
    assert gini([0, 0, 0, 12]) == pytest.approx(0.75)
    assert gini([1, 2, 3, 4]) == pytest.approx(0.25)


# What is believed.


def test_a_status_is_taken_as_it_is():
    told = status("A", roads=["B"], heap={"used": 1, "free": 2}, rssi=-50, reset="hard", address="127.0.0.1:55555")
    assert checks.statuses({"cities": [told, status("B")]}) == [told, status("B")]
    assert checks.statuses(told) == [told]  # a board says one
    assert checks.status(status("A", rssi=None, evil="<script>"))["city"] == "A"
    assert "evil" not in checks.status(status("A", evil=1))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        7,
        {},
        {"cities": 7},
        {"cities": [7]},
        {"cities": [status("A")] * 1000},
        status("A\nB"),
        status("x" * 1000),
        status(""),
        status("A", tick="1"),
        status("A", tick=-1),
        status("A", price={}),
        status("A", price={"wood": 1}),
        status("A", price={"wood": {"min": 1, "mean": math.inf, "max": 2}}),
        status("A", price=7),
        status("A") | {"yield": {"gold": 1}},
        status("A", money={"locals": 1}),
        status("A", merchants={"wood": True}),
        status("A") | {"roads": {"B": {"state": "up"}}},
        status("A", sensors=[1]),
        status("A", sensors={"light": {"raw": 1, "level": "0.5"}}),
        status("A", sensors={"light": {"raw": 1, "error": 5}}),
        status("A", made={f"g{index}": 1 for index in range(1000)}),
        status("A", detail={"wealth": []}),
        status("A", detail=7),
        status("A", heap={"used": 1}),
        status("A", address=["x"]),
        {"cities": [{"city": {}}]},
    ],
)
def test_what_is_no_status_is_refused(answer):
    with pytest.raises(ValueError):
        checks.statuses(answer)


@contextlib.asynccontextmanager
async def answering(reply):
    """A machine that answers GET /api/state with what reply() gives; its port."""
    from aiohttp import web

    async def handle(request):
        return await reply(request)

    app = web.Application()
    app.router.add_get("/api/state", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def test_a_board_is_watched_by_asking_again_and_again():
    from aiohttp import web

    told = [status("DESKTOWN", 1)]

    async def reply(request):
        return web.json_response(told[0])

    async def main():
        async with answering(reply) as port, Watched("127.0.0.1", port) as source:
            await until(lambda: source.read() == [status("DESKTOWN", 1)])
            told[0] = status("DESKTOWN", 2)
            await until(lambda: source.read() == [status("DESKTOWN", 2)])
            assert source.commands == {} and source.origin == f"127.0.0.1:{port}"

    asyncio.run(main())


def test_watching_what_is_no_city():
    from aiohttp import web

    async def nonsense(request):
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
        for reply, why in ((nonsense, "it has no tick"), (endless, "says too much"), (elsewhere, "it says 302")):
            async with answering(reply) as port, Watched("127.0.0.1", port) as source:
                events = []
                await until(lambda source=source, events=events: events.extend(source.take_events()) or events)
                assert why in events[0]["text"] and source.read() == []
        async with Watched("127.0.0.1", 1) as source:
            events = []
            await until(lambda: events.extend(source.take_events()) or events)
            assert "127.0.0.1:1 does not answer" in events[0]["text"]

    asyncio.run(main())
