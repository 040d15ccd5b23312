"""Roads between two cities of this project: opening, counting, closing, opening again."""

import asyncio
import contextlib

import pytest
from deskonomy.events import CONNECTIONS_FULL, DIAL_FAILED
from deskonomy.roads.wire_road import ACKNOWLEDGING
from deskonomy.wire import admission, arbitration
from deskonomy.wire import connection as connection_module
from deskonomy.wire import network as network_module
from helpers.cities import is_road_up, open_network, read_status, send_merchants, take_moneys
from helpers.peers import (
    IdlePeer,
    LineNamePeer,
    NonReadingPeer,
    cut_power,
    make_legacy_merchant,
    reset_connection,
    wait_until,
)
from helpers.ports import find_free_ports


def test_network_listens_at_next_free_port():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            assert riverwood.port < seaside.port < riverwood.port + 100

    asyncio.run(scenario())


def test_road_carries_hundred_merchants_each_way():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            send_merchants(riverwood, "SEASIDE", range(100))
            send_merchants(seaside, "RIVERWOOD", range(1000, 1100))
            assert riverwood.city.roads["SEASIDE"].credit() == 0

            there, back = riverwood.city.roads["SEASIDE"], seaside.city.roads["RIVERWOOD"]

            def have_all_arrived():
                riverwood.city.run(1)
                seaside.city.run(1)
                return there.received >= 100 and back.received >= 100

            await wait_until(have_all_arrived)
            # Some have left again by now, and are in the ledger until they have entered.
            taken_mills = [0]

            def are_ledgers_empty():
                taken_mills[0] += sum(take_moneys(riverwood, "SEASIDE")) + sum(take_moneys(seaside, "RIVERWOOD"))
                return not (there.outbound or back.outbound)

            await wait_until(are_ledgers_empty)
            total_mills = (
                sum(round(read_status(city)["money"]["total"] * 1000) for city in (riverwood, seaside)) + taken_mills[0]
            )
            assert total_mills == sum(range(100)) + sum(range(1000, 1100))
            assert there.sent == back.received and back.sent == there.received
            assert (there.lost, there.rejected, back.lost, back.rejected) == (0, 0, 0, 0)
            assert there.type == back.type == "ours"

    asyncio.run(scenario())


def test_single_connection_stays_when_both_cities_dial():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            riverwood.dial("127.0.0.1", seaside.port)
            seaside.dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            send_merchants(riverwood, "SEASIDE", range(50))
            send_merchants(seaside, "RIVERWOOD", range(50))
            there, back = riverwood.city.roads["SEASIDE"], seaside.city.roads["RIVERWOOD"]
            await wait_until(lambda: len(there.inbound) == len(back.inbound) == 50)
            assert there.connection.dialled and not back.connection.dialled
            assert len(riverwood.connections) == len(seaside.connections) == 1

    asyncio.run(scenario())


def test_restarted_peer_receives_waiting_merchants():
    async def scenario():
        [port] = find_free_ports(1)  # no city of another test takes it while SEASIDE restarts
        async with open_network("RIVERWOOD") as riverwood:
            async with open_network("SEASIDE", port=port) as seaside:
                riverwood.dial("127.0.0.1", port)
                await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
                send_merchants(riverwood, "SEASIDE", [1, 2])
                await wait_until(lambda: len(seaside.city.roads["RIVERWOOD"].inbound) == 2)
                assert take_moneys(seaside, "RIVERWOOD") == [1, 2]
                await wait_until(lambda: not riverwood.city.roads["SEASIDE"].outbound)
            road = riverwood.city.roads["SEASIDE"]
            await wait_until(lambda: road.state == "down")
            send_merchants(riverwood, "SEASIDE", [3, 4])
            async with open_network("SEASIDE", port=port) as seaside:
                assert seaside.port == port
                await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
                assert riverwood.city.roads["SEASIDE"] is road
                await wait_until(
                    lambda: is_road_up(seaside, "RIVERWOOD") and len(seaside.city.roads["RIVERWOOD"].inbound) == 2
                )
                assert take_moneys(seaside, "RIVERWOOD") == [3, 4]
                await wait_until(lambda: not road.outbound)
                assert (road.sent, road.lost, road.outbound) == (4, 0, [])

    asyncio.run(scenario())


def test_hanging_up_returns_waiting_merchants():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            async with open_network("SEASIDE") as seaside:
                riverwood.dial("127.0.0.1", seaside.port)
                await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
                port = seaside.port
            await wait_until(lambda: not is_road_up(riverwood, "SEASIDE"))
            send_merchants(riverwood, "SEASIDE", [5])
            await riverwood.hang_up("127.0.0.1", port)
            assert take_moneys(riverwood, "SEASIDE") == [5]
            assert riverwood._dialled == {} and riverwood.connections == []

    asyncio.run(scenario())


def test_hang_up_ends_while_connection_is_being_closed(monkeypatch):
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            closing = asyncio.Event()

            async def abort_slowly(writer):
                writer.transport.abort()
                closing.set()
                await asyncio.Event().wait()

            async with open_network("SEASIDE") as seaside:
                riverwood.dial("127.0.0.1", seaside.port)
                await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
                monkeypatch.setattr(connection_module, "abort_stream", abort_slowly)
                next(iter(riverwood.connections)).end("enough")
                await closing.wait()
                monkeypatch.undo()
                await asyncio.wait_for(riverwood.hang_up("127.0.0.1", seaside.port), 10)
            assert not riverwood.connections
            await asyncio.wait_for(riverwood.close(), 10)

    asyncio.run(scenario())


def test_hang_up_ends_where_another_connection_has_the_road(monkeypatch):
    """The dialled connection is just ending, and ignores its cancellation."""

    async def scenario():
        async with open_network("RIVERWOOD") as riverwood, open_network("SEASIDE") as seaside:
            seaside.dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and is_road_up(seaside, "RIVERWOOD"))
            stopping = asyncio.Event()
            stop = connection_module.Connection.stop

            async def stop_slowly(self):
                if self in riverwood.connections:
                    stopping.set()
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.Event().wait()
                await stop(self)

            with monkeypatch.context() as patch:
                patch.setattr(connection_module.Connection, "stop", stop_slowly)
                riverwood.dial("127.0.0.1", seaside.port)
                await stopping.wait()
            hanging_up = asyncio.create_task(riverwood.hang_up("127.0.0.1", seaside.port))
            assert (await asyncio.wait([hanging_up], timeout=10))[0], "it waits for the other connection's end"
            assert is_road_up(riverwood, "SEASIDE")

    asyncio.run(scenario())


def test_road_to_own_city_is_rejected():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            riverwood.dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: any("both cities are called RIVERWOOD" in line for line in riverwood.log_lines))
            assert riverwood.city.roads == {}

    asyncio.run(scenario())


@pytest.mark.parametrize("peer_class", [LineNamePeer, NonReadingPeer])
def test_second_connection_of_quiet_legacy_peer_is_rejected(peer_class):
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            first = await peer_class("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
            road = riverwood.city.roads["SEASIDE"]
            holder = road.connection
            second = await LineNamePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(second.closed.is_set)
            assert road.connection is holder and road.state == "up"
            first.send(make_legacy_merchant(2.0))
            await wait_until(lambda: len(road.inbound) == 1)
            assert any("there is a road to SEASIDE already" in line for line in riverwood.log_lines)
            await first.leave()
            await second.leave()

    asyncio.run(scenario())


def test_restarted_peer_whose_first_connection_answers_no_ping_gets_its_road_back(monkeypatch):
    monkeypatch.setattr(arbitration, "_ANSWER_MS", 100)

    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            first = await NonReadingPeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
            road = riverwood.city.roads["SEASIDE"]
            dead = road.connection
            first.writer.write(b'["ping",1]\n')
            await wait_until(lambda: road.peer_state == ACKNOWLEDGING)
            # A city of this project dials until it is accepted.
            async with open_network("SEASIDE") as second, asyncio.timeout(30):
                second.dial("127.0.0.1", riverwood.port)
                await wait_until(
                    lambda: (
                        road.connection is not dead
                        and is_road_up(riverwood, "SEASIDE")
                        and is_road_up(second, "RIVERWOOD")
                    )
                )
                send_merchants(riverwood, "SEASIDE", [7])
                await wait_until(lambda: second.city.roads["RIVERWOOD"].inbound)
                assert road.lost == 0 and len(riverwood.connections) == 1
            await first.leave()

    asyncio.run(scenario())


def test_peer_that_lost_power_gets_its_road_at_once():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            first = await LineNamePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"))
            road = riverwood.city.roads["SEASIDE"]
            # The peer was active just now, but its machine answers the probe with a reset. (Where a test cannot end a
            # connection without a packet, the reset comes at once.)
            first.send(make_legacy_merchant(1.0))
            await wait_until(lambda: road.inbound)
            if not cut_power(first):
                reset_connection(first)
            second = await LineNamePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE") and second.city_name == "RIVERWOOD")
            second.send(make_legacy_merchant(2.0))
            await wait_until(lambda: len(road.inbound) == 2)
            await second.leave()

    asyncio.run(scenario())


def test_roads_that_are_down_and_empty_are_removed_for_new_ones():
    async def scenario():
        async with open_network("RIVERWOOD", connections_max=3) as riverwood:
            for n in range(5):
                peer = await IdlePeer("TOWN %d" % n).dial("127.0.0.1", riverwood.port)
                await wait_until(lambda n=n: "TOWN %d" % n in riverwood.city.roads)
                await peer.leave()
                await wait_until(lambda: not riverwood.connections)
            assert sorted(riverwood.city.roads) == ["TOWN 2", "TOWN 3", "TOWN 4"]

    asyncio.run(scenario())


def test_connections_above_limit_are_rejected():
    async def scenario():
        async with open_network("RIVERWOOD", connections_max=40) as riverwood:
            peers = []
            for n in range(40):
                peers.append(await IdlePeer("TOWN %d" % n).dial("127.0.0.1", riverwood.port))
                await wait_until(lambda n=n: "TOWN %d" % n in riverwood.city.roads)
            surplus = await IdlePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(surplus.closed.is_set)
            assert len(riverwood.find_texts(CONNECTIONS_FULL)) == 1
            for peer in [surplus, *peers]:
                await peer.leave()

    asyncio.run(scenario())


def test_silent_connections_of_a_host_keep_no_other_out():
    async def scenario():
        async with open_network("RIVERWOOD") as riverwood:
            silent = []
            for _ in range(admission._NAMING_HOST_MAX):
                silent.append(await asyncio.open_connection("127.0.0.1", riverwood.port))
            await wait_until(lambda: len(riverwood.connections) == len(silent))
            late = await IdlePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(late.closed.is_set)  # the others are not silent for long yet
            now_ms = riverwood.clock.now_ms()
            await wait_until(lambda: riverwood.clock.now_ms() - now_ms > admission._NAMING_SILENT_MS)
            second = await IdlePeer("SEASIDE").dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: "SEASIDE" in riverwood.city.roads)
            assert await silent[0][0].read() == b"RIVERWOOD"  # the oldest one has left its place
            for _, writer in silent:
                writer.close()
            for peer in (late, second):
                await peer.leave()

    asyncio.run(scenario())


def test_bad_connections_from_a_host_do_not_lock_out_a_keyed_peer_behind_it():
    async def scenario():
        key = bytes(32)
        async with open_network("RIVERWOOD", key=key) as riverwood, open_network("SEASIDE", key=key) as seaside:
            for _ in range(admission.FAILURES_MAX + 1):
                reader, writer = await asyncio.open_connection("127.0.0.1", riverwood.port)
                writer.write(b"\x00\n")
                await reader.read()
                writer.close()
            assert admission.is_failing(riverwood, "127.0.0.1")
            silent = [await asyncio.open_connection("127.0.0.1", riverwood.port) for _ in range(2)]
            seaside.dial("127.0.0.1", riverwood.port)
            await wait_until(lambda: is_road_up(riverwood, "SEASIDE"), 10)
            for _, writer in silent:
                writer.close()
            # The time is over.
            riverwood.failing["127.0.0.1"][1] = 0
            assert not admission.is_failing(riverwood, "127.0.0.1") and riverwood.failing == {}

    asyncio.run(scenario())


def test_backoff_of_dialler_grows(monkeypatch):
    async def scenario():
        waits_s = []
        sleep = asyncio.sleep

        async def record_sleep(seconds):
            waits_s.append(seconds)
            await sleep(0)

        async with open_network("RIVERWOOD") as riverwood:
            monkeypatch.setattr(network_module.asyncio, "sleep", record_sleep)
            riverwood.dial("127.0.0.1", 1)
            while len(waits_s) < 12:
                await sleep(0.001)
            monkeypatch.undo()
        for n, wait_s in enumerate(waits_s[:12]):
            longest_s = min(5, 2**n)
            assert longest_s / 2 <= wait_s < longest_s
        assert len(set(waits_s)) > len(waits_s) // 2
        assert len(riverwood.find_texts(DIAL_FAILED)) == 1

    asyncio.run(scenario())


def test_monotonic_clock_grows_where_ticks_wrap(monkeypatch):
    ticks = [2**30 - 5]
    monkeypatch.setattr(connection_module, "ticks_ms", lambda: ticks[0])
    monkeypatch.setattr(
        connection_module, "ticks_diff", lambda later, earlier: ((later - earlier + 2**29) % 2**30) - 2**29
    )
    clock = connection_module.MonotonicClock()
    ticks[0] = 5
    assert clock.now_ms() == 10
    ticks[0] = 1000
    assert clock.now_ms() == 1005
