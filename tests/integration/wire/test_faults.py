"""Peers that misbehave: nothing but their own road ends, no tick waits, no memory grows."""

import asyncio
import random
import time

from deskonomy.wire import connection as link
from deskonomy.wire import session
from deskonomy.wire.connection import _READ_BYTES
from helpers.cities import MANY_PRICES, is_up, send, take, town
from helpers.peers import Dialect8, Silent, merchant, reset, until


def test_nobody_reads(monkeypatch):
    monkeypatch.setattr(link, "_FLUSH_MS", 5000)
    monkeypatch.setattr(session, "_PROBE_MS", 0)

    async def story():
        async with town("RIVERWOOD", locals_=5) as roads:
            silent = await Silent("SEASIDE").dial("127.0.0.1", roads.port)
            other = await Dialect8("WINTERHOLD").dial("127.0.0.1", roads.port)
            await until(lambda: is_up(roads, "SEASIDE") and is_up(roads, "WINTERHOLD"))
            road = roads.city.roads["SEASIDE"]
            buffered = road.link._writer.transport.get_write_buffer_size
            # Send until neither the system nor the road takes more.
            stuck_since = time.monotonic()
            while road.space() or time.monotonic() - stuck_since < 0.2:
                if road.space():
                    send(roads, "SEASIDE", [5] * road.space(), MANY_PRICES)
                    stuck_since = time.monotonic()
                roads.city.run(1)
                assert len(road.outbound) <= road.room
                assert buffered() < 10_000  # one merchant
                await asyncio.sleep(0)
            # Full: the city goes on, and so does its other road.
            roads.city.run(100)
            send(roads, "WINTERHOLD", [6])
            await until(lambda: other.merchants)
            # In the end the road is given up: one merchant was being written, the others come home.
            sent = road.sent
            await until(lambda: road.state == "down")
            assert road.lost == 1 and road.sent == sent
            assert len(road.inbound) == road.room and road.outbound == []
            assert is_up(roads, "WINTERHOLD")
            await silent.leave()
            await other.leave()

    asyncio.run(story())


def test_a_city_that_takes_nobody_in():
    async def story():
        async with town("RIVERWOOD") as roads:
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", roads.port)
            await until(lambda: is_up(roads, "SEASIDE"))
            road = roads.city.roads["SEASIDE"]
            peer.send(*[merchant(n / 1000, bed={"A" * 60: 1, "B" * 60: 2}) for n in range(3000)])
            await until(lambda: len(road.inbound) >= road.room)
            held = road.link._session.connection
            for _ in range(100):
                await asyncio.sleep(0)
                assert len(road.inbound) == road.room
                assert len(held._data) + sum(map(len, held._line or ())) <= 2 * _READ_BYTES
            # It goes on as soon as they are let in, without hoarding; each arrives once, in order.
            moneys = []
            for _ in range(100):
                moneys.append(road.take().money_mills)
                await until(lambda: len(road.inbound) == road.room)
                assert len(held._data) + sum(map(len, held._line or ())) <= 2 * _READ_BYTES

            def all_in():
                moneys.extend(take(roads, "SEASIDE"))
                return len(moneys) == 3000

            await until(all_in)
            assert moneys == list(range(3000))
            await peer.leave()

    asyncio.run(story())


def test_two_cities_that_take_nobody_in_do_not_block_each_other():
    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            one.dial("127.0.0.1", other.port)
            await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
            ends = ((one, "SEASIDE"), (other, "RIVERWOOD"))
            sent = [0, 0]
            stuck_since = time.monotonic()
            while time.monotonic() - stuck_since < 0.3:
                for n, (roads, name) in enumerate(ends):
                    space = roads.city.roads[name].space()
                    if space:
                        send(roads, name, range(sent[n], sent[n] + space), MANY_PRICES)
                        sent[n] += space
                        stuck_since = time.monotonic()
                await asyncio.sleep(0)
            moneys = [[], []]

            def all_in():
                for n, (roads, name) in enumerate(ends):
                    moneys[1 - n].extend(take(roads, name))
                return [len(found) for found in moneys] == sent

            await until(all_in)
            assert moneys == [list(range(count)) for count in sent]
            assert is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD")

    asyncio.run(story())


def test_what_arrived_whole_before_a_reset_is_let_in():
    async def story():
        async with town("RIVERWOOD") as roads:
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", roads.port)
            await until(lambda: is_up(roads, "SEASIDE"))
            road = roads.city.roads["SEASIDE"]
            peer.send(*[merchant(n / 1000) for n in range(5)])
            peer.writer.write(b'{"Money": 5')
            await until(lambda: len(road.inbound) == 5)
            reset(peer)
            await until(lambda: road.state == "down")
            assert take(roads, "SEASIDE") == [0, 1, 2, 3, 4]
            assert (road.lost, road.refused) == (0, 0)
            assert roads.city.run(10) is None

    asyncio.run(story())


def test_merchants_that_cannot_be_let_in_are_counted_and_told_once():
    async def story():
        async with town("RIVERWOOD") as roads:
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", roads.port)
            await peer.named.wait()
            peer.send(merchant(2_000_000.0), {"ack": 5}, merchant(-1.0), merchant(7.0))
            peer.writer.write(b"hello\n\n[1]\n" + b"x" * 70_000 + b"\n")
            peer.send(merchant(8.0))
            road = await until(lambda: roads.city.roads.get("SEASIDE"))
            await until(lambda: len(road.inbound) == 2)
            assert take(roads, "SEASIDE") == [7000, 8000]
            assert road.refused == 6
            told = [line for line in roads.log_lines if "cannot be let in" in line]
            assert len(told) == 1 and "Money is 2000000.0, not 0 to 1000000" in told[0]
            await peer.leave()

    asyncio.run(story())


def test_noise():
    async def story():
        noise = random.Random(7)
        async with town("RIVERWOOD", line_max=2000) as roads:
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", roads.port)
            await peer.named.wait()
            road = await until(lambda: roads.city.roads.get("SEASIDE"))
            for _ in range(300):
                peer.writer.write(noise.randbytes(noise.randrange(5000)))
                await peer.writer.drain()
                assert sum(map(len, road.link._session.connection._line or ())) <= 2000
            peer.writer.write(b"\n")
            peer.send(merchant(8.0))
            await until(lambda: road.inbound)
            assert take(roads, "SEASIDE") == [8000] and road.refused > 100
            # Strangers that never name themselves leave nothing behind either.
            for start in (b"\x00\xff\n", b'{"Money": 1}\n', b"x" * 2000):
                reader, writer = await asyncio.open_connection("127.0.0.1", roads.port)
                writer.write(start)
                async with asyncio.timeout(10):
                    while await reader.read(100):
                        pass
                writer.close()
            assert list(roads.city.roads) == ["SEASIDE"]
            await peer.leave()

    asyncio.run(story())


def test_nothing_is_left_running_after_close():
    async def story():
        before = asyncio.all_tasks()
        async with town("RIVERWOOD") as roads:
            roads.dial("127.0.0.1", 1)
            peers = [await Dialect8("TOWN %d" % n).dial("127.0.0.1", roads.port) for n in range(3)]
            await until(lambda: is_up(roads, "TOWN 2"))
        for peer in peers:
            await until(peer.closed.is_set)
            await peer.leave()
        await until(lambda: asyncio.all_tasks() == before)

    asyncio.run(story())
