"""The feed of a dashboard without a browser: its past, its listeners, its metrics."""

import asyncio
import contextlib
import json
import math

from deskonomy_host.dashboard.feed import LISTENERS_MAX, Feed
from helpers.sources import FakeSource, make_status


def test_an_hour_of_samples_has_a_bound():
    source = FakeSource(*[make_status(f"CITY{index}") for index in range(4)])
    feed = Feed([source])
    source.time_s = 0.0
    sizes = set()
    for _ in range(7200):
        source.time_s += 0.5
        feed.sample()
        sizes.add(len(feed.series.times))
    assert max(sizes) < 700
    metrics = sum(len(columns) for columns in feed.series.columns.values())
    assert metrics / 4 * max(sizes) * 8 < 200_000  # bytes a city: 10 MB for fifty
    with feed.listener() as listener:
        assert listener is not None
        hello = json.loads(asyncio.run(anext(aiter(listener))))
    assert hello["times"][0] == 0.5 and hello["times"][-1] == 3600
    assert sum(hello["thinning"]["counts"]) == len(hello["times"])


def test_listener_that_does_not_read_is_disconnected():
    async def main():
        source = FakeSource(make_status("A"))
        async with Feed([source], interval_s=1000) as feed:
            with feed.listener() as slow, feed.listener() as quick:
                messages = aiter(quick)
                assert json.loads(await anext(messages))["kind"] == "hello"
                assert json.loads(await anext(messages))["kind"] == "past"
                for _ in range(100):
                    feed.sample()
                    assert json.loads(await anext(messages))["kind"] == "now"
                assert len([message async for message in slow]) < 100
            listeners = contextlib.ExitStack()
            with listeners:
                all_listeners = [listeners.enter_context(feed.listener()) for _ in range(LISTENERS_MAX + 1)]
                assert all_listeners[-1] is None and None not in all_listeners[:-1]
            with feed.listener() as fresh:
                assert fresh is not None

    asyncio.run(main())


def test_history_that_is_wound_back_starts_the_past_anew():
    source = FakeSource(make_status("A"))
    feed = Feed([source])
    for time_s in (10.0, 11.0, 12.0, 3.0):
        source.time_s = time_s
        feed.sample()
    assert list(feed.series.times) == [3.0]


def test_production_is_a_rate():
    source = FakeSource()
    feed = Feed([source])
    for time_s, tick, made in ((1, 1, 2**30 - 10), (2, 2, 0), (2.5, 2, 0), (3, 3, 20), (4, 1, 4), (5, 2, 8), (9, 2, 8)):
        source.time_s = time_s
        source.statuses = [make_status("A", tick, made={"wood": made})]
        feed.sample()
    rates = list(feed.series.columns["A"]["made.wood"])
    assert [rate for rate in rates if not math.isnan(rate)] == [10, 10, 15, 4, 0.8]
