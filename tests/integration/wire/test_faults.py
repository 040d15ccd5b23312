"""Peers that misbehave: only their own road ends, no tick waits for them, and no memory grows."""

import asyncio
import random
import time

from deskonomy.events import LINE_REJECTED
from deskonomy.wire import connection, session
from deskonomy.wire.connection import _READ_BYTES
from helpers.cities import MANY_PRICES, is_road_up, open_network, send_merchants, take_moneys
from helpers.peers import LineNamePeer, NonReadingPeer, make_legacy_merchant, reset_connection, wait_until


def test_road_to_peer_that_does_not_read_is_closed(monkeypatch):
    monkeypatch.setattr(connection, "_FLUSH_MS", 5000)
    monkeypatch.setattr(session, "_PROBE_MS", 0)

    async def scenario():
        async with open_network("RIVERWOOD", locals_=5) as network:
            deaf = await NonReadingPeer("SEASIDE").dial("127.0.0.1", network.port)
            other = await LineNamePeer("WINTERHOLD").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE") and is_road_up(network, "WINTERHOLD"))
            road = network.city.roads["SEASIDE"]
            buffered = road.connection._writer.transport.get_write_buffer_size
            # Send until neither the operating system nor the road takes anything.
            stuck_since_s = time.monotonic()
            while road.credit() or time.monotonic() - stuck_since_s < 0.2:
                if road.credit():
                    send_merchants(network, "SEASIDE", [5] * road.credit(), MANY_PRICES)
                    stuck_since_s = time.monotonic()
                network.city.run(1)
                assert len(road.outbound) <= road.capacity
                assert buffered() < 10_000  # a single merchant
                await asyncio.sleep(0)
            # The road is full: the city ticks on, and its other road works.
            network.city.run(100)
            send_merchants(network, "WINTERHOLD", [6])
            await wait_until(lambda: other.merchants)
            # In the end the road is closed: one merchant was being written, the others return.
            sent = road.sent
            await wait_until(lambda: road.state == "down")
            assert road.lost == 1 and road.sent == sent
            assert len(road.inbound) == road.capacity and road.outbound == []
            assert is_road_up(network, "WINTERHOLD")
            await deaf.leave()
            await other.leave()

    asyncio.run(scenario())


def test_city_that_admits_no_merchant_stops_reading():
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))
            road = network.city.roads["SEASIDE"]
            peer.send(*[make_legacy_merchant(n / 1000, bed={"A" * 60: 1, "B" * 60: 2}) for n in range(3000)])
            await wait_until(lambda: len(road.inbound) >= road.capacity)
            protocol = road.connection._session.protocol
            # It reads on a little, so that it notices the end of a connection behind a few merchants.
            read_max = protocol.line_max // 8 + 2 * _READ_BYTES
            for _ in range(100):
                await asyncio.sleep(0)
                assert len(road.inbound) == road.capacity
                assert len(protocol._data) + sum(map(len, protocol._line or ())) <= read_max
            # It reads on as soon as merchants are admitted, no more than needed; each arrives once, in order.
            amounts_mills = []
            for _ in range(100):
                amounts_mills.append(road.take().money_mills)
                await wait_until(lambda: len(road.inbound) == road.capacity)
                assert len(protocol._data) + sum(map(len, protocol._line or ())) <= read_max

            def have_all_arrived():
                amounts_mills.extend(take_moneys(network, "SEASIDE"))
                return len(amounts_mills) == 3000

            await wait_until(have_all_arrived)
            assert amounts_mills == list(range(3000))
            await peer.leave()

    asyncio.run(scenario())


def test_two_cities_that_admit_no_merchant_do_not_deadlock():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            ends = ((riverwood, "SEASIDE"), (seaside, "RIVERWOOD"))
            sent = [0, 0]
            stuck_since_s = time.monotonic()
            while time.monotonic() - stuck_since_s < 0.3:
                for n, (network, name) in enumerate(ends):
                    credit = network.city.roads[name].credit()
                    if credit:
                        send_merchants(network, name, range(sent[n], sent[n] + credit), MANY_PRICES)
                        sent[n] += credit
                        stuck_since_s = time.monotonic()
                await asyncio.sleep(0)
            amounts_mills = [[], []]

            def have_all_arrived():
                for n, (network, name) in enumerate(ends):
                    amounts_mills[1 - n].extend(take_moneys(network, name))
                return [len(found) for found in amounts_mills] == sent

            await wait_until(have_all_arrived)
            assert amounts_mills == [list(range(count)) for count in sent]
            assert is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD")

    asyncio.run(scenario())


def test_merchants_received_before_reset_are_admitted():
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))
            road = network.city.roads["SEASIDE"]
            peer.send(*[make_legacy_merchant(n / 1000) for n in range(5)])
            peer.writer.write(b'{"Money": 5')
            await wait_until(lambda: len(road.inbound) == 5)
            reset_connection(peer)
            await wait_until(lambda: road.state == "down")
            assert take_moneys(network, "SEASIDE") == [0, 1, 2, 3, 4]
            assert (road.lost, road.rejected) == (0, 0)
            assert network.city.run(10) is None

    asyncio.run(scenario())


def test_rejected_lines_are_counted_and_logged_once():
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", network.port)
            await peer.named.wait()
            peer.send(
                make_legacy_merchant(2_000_000.0), {"ack": 5}, make_legacy_merchant(-1.0), make_legacy_merchant(7.0)
            )
            peer.writer.write(b"hello\n\n[1]\n" + b"x" * 70_000 + b"\n")
            peer.send(make_legacy_merchant(8.0))
            road = await wait_until(lambda: network.city.roads.get("SEASIDE"))
            await wait_until(lambda: len(road.inbound) == 2)
            assert take_moneys(network, "SEASIDE") == [7000, 8000]
            assert road.rejected == 6
            logged = network.find_texts(LINE_REJECTED)
            assert len(logged) == 1 and "Money is 2000000.0, not 0 to 1000000" in logged[0]
            await peer.leave()

    asyncio.run(scenario())


def test_random_bytes_are_rejected():
    async def scenario():
        noise = random.Random(7)
        async with open_network("RIVERWOOD", line_max=2000) as network:
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", network.port)
            await peer.named.wait()
            road = await wait_until(lambda: network.city.roads.get("SEASIDE"))
            connection = road.connection
            while not connection.ended.is_set():
                peer.writer.write(noise.randbytes(noise.randrange(5000)))
                await asyncio.sleep(0)
                assert sum(map(len, connection._session.protocol._line or ())) <= 2000
            assert connection.reason == session.MISBEHAVED and road.rejected == session._REJECTED_MAX + 1
            await peer.leave()
            peer = await LineNamePeer("SEASIDE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "SEASIDE"))
            peer.send(make_legacy_merchant(8.0))
            await wait_until(lambda: road.inbound)
            assert take_moneys(network, "SEASIDE") == [8000]
            # Peers that never send a name leave nothing behind either.
            for start in (b"\x00\xff\n", b'{"Money": 1}\n', b"x" * 2000):
                reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
                writer.write(start)
                async with asyncio.timeout(10):
                    while await reader.read(100):
                        pass
                writer.close()
            assert list(network.city.roads) == ["SEASIDE"]
            await peer.leave()

    asyncio.run(scenario())


def test_no_task_runs_after_close():
    async def scenario():
        before = asyncio.all_tasks()
        async with open_network("RIVERWOOD") as network:
            network.dial("127.0.0.1", 1)
            peers = [await LineNamePeer("TOWN %d" % n).dial("127.0.0.1", network.port) for n in range(3)]
            await wait_until(lambda: is_road_up(network, "TOWN 2"))
        for peer in peers:
            await wait_until(peer.closed.is_set)
            await peer.leave()
        await wait_until(lambda: asyncio.all_tasks() == before)

    asyncio.run(scenario())
