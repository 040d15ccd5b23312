"""Roads between two cities of ours: opening, counting, closing, opening again."""

import asyncio
import contextlib

from deskonomy.wire import connection as link
from deskonomy.wire import network as tcp
from helpers.cities import is_up, send, shown, take, town
from helpers.peers import Dialect8, Idle, Silent, cut_power, merchant, reset, until
from proofs.chaos.town import free_ports


def test_the_next_free_port():
    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            assert one.port < other.port < one.port + 100

    asyncio.run(story())


def test_a_hundred_merchants_each_way():
    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            one.dial("127.0.0.1", other.port)
            await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
            send(one, "SEASIDE", range(100))
            send(other, "RIVERWOOD", range(1000, 1100))
            assert one.city.roads["SEASIDE"].space() == 0

            there, back = one.city.roads["SEASIDE"], other.city.roads["RIVERWOOD"]

            def all_in():
                one.city.run(1)
                other.city.run(1)
                return there.received >= 100 and back.received >= 100

            await until(all_in)
            # Some have left again by now, and are in the ledger until they have entered.
            moneys = [0]

            def all_at_rest():
                moneys[0] += sum(take(one, "SEASIDE")) + sum(take(other, "RIVERWOOD"))
                return not (there.outbound or back.outbound)

            await until(all_at_rest)
            money = sum(round(shown(roads)["money"]["total"] * 1000) for roads in (one, other)) + moneys[0]
            assert money == sum(range(100)) + sum(range(1000, 1100))
            assert there.sent == back.received and back.sent == there.received
            assert (there.lost, there.refused, back.lost, back.refused) == (0, 0, 0, 0)
            assert there.kind == back.kind == "ours"

    asyncio.run(story())


def test_both_dial_at_once_and_one_road_stays():
    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            one.dial("127.0.0.1", other.port)
            other.dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
            send(one, "SEASIDE", range(50))
            send(other, "RIVERWOOD", range(50))
            there, back = one.city.roads["SEASIDE"], other.city.roads["RIVERWOOD"]
            await until(lambda: len(there.inbound) == len(back.inbound) == 50)
            assert there.link.dialled and not back.link.dialled
            assert len(one._links) == len(other._links) == 1

    asyncio.run(story())


def test_a_peer_that_comes_back_gets_what_waited_for_it():
    async def story():
        [port] = free_ports(1)  # that no other test's city takes when this one leaves it
        async with town("RIVERWOOD") as one:
            async with town("SEASIDE", port=port) as other:
                one.dial("127.0.0.1", port)
                await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
                send(one, "SEASIDE", [1, 2])
                await until(lambda: len(other.city.roads["RIVERWOOD"].inbound) == 2)
                assert take(other, "RIVERWOOD") == [1, 2]
                await until(lambda: not one.city.roads["SEASIDE"].outbound)
            road = one.city.roads["SEASIDE"]
            await until(lambda: road.state == "down")
            send(one, "SEASIDE", [3, 4])
            async with town("SEASIDE", port=port) as other:
                assert other.port == port
                await until(lambda: is_up(one, "SEASIDE"))
                assert one.city.roads["SEASIDE"] is road
                await until(lambda: is_up(other, "RIVERWOOD") and len(other.city.roads["RIVERWOOD"].inbound) == 2)
                assert take(other, "RIVERWOOD") == [3, 4]
                await until(lambda: not road.outbound)
                assert (road.sent, road.lost, road.outbound) == (4, 0, [])

    asyncio.run(story())


def test_hanging_up_lets_those_who_wait_come_home():
    async def story():
        async with town("RIVERWOOD") as one:
            async with town("SEASIDE") as other:
                one.dial("127.0.0.1", other.port)
                await until(lambda: is_up(one, "SEASIDE"))
                port = other.port
            await until(lambda: not is_up(one, "SEASIDE"))
            send(one, "SEASIDE", [5])
            await one.hang_up("127.0.0.1", port)
            assert take(one, "SEASIDE") == [5]
            assert one._dialled == {} and one._links == []

    asyncio.run(story())


def test_hanging_up_while_a_connection_is_being_closed(monkeypatch):
    async def story():
        async with town("RIVERWOOD") as one:
            closing = asyncio.Event()

            async def slow(writer):
                writer.transport.abort()
                closing.set()
                await asyncio.Event().wait()

            async with town("SEASIDE") as other:
                one.dial("127.0.0.1", other.port)
                await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
                monkeypatch.setattr(link, "discard", slow)
                next(iter(one._links)).end("enough")
                await closing.wait()
                monkeypatch.undo()
                await asyncio.wait_for(one.hang_up("127.0.0.1", other.port), 10)
            assert not one._links
            await asyncio.wait_for(one.close(), 10)

    asyncio.run(story())


def test_hanging_up_where_another_connection_has_the_road(monkeypatch):
    """While the own one ends, which swallows being cancelled."""
    monkeypatch.setattr(tcp, "_LATELY_MS", 60_000)  # the first is never taken for silent

    async def story():
        async with town("RIVERWOOD") as one, town("SEASIDE") as other:
            other.dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE") and is_up(other, "RIVERWOOD"))
            stopping = asyncio.Event()
            stop = link.Link.stop

            async def slow(self):
                if self in one._links:
                    stopping.set()
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.Event().wait()
                await stop(self)

            with monkeypatch.context() as patch:
                patch.setattr(link.Link, "stop", slow)
                one.dial("127.0.0.1", other.port)
                await stopping.wait()
            hanging_up = asyncio.create_task(one.hang_up("127.0.0.1", other.port))
            assert (await asyncio.wait([hanging_up], timeout=10))[0], "it waits for the other connection's end"
            assert is_up(one, "SEASIDE")

    asyncio.run(story())


def test_a_road_to_oneself_is_refused():
    async def story():
        async with town("RIVERWOOD") as one:
            one.dial("127.0.0.1", one.port)
            await until(lambda: any("itself" in line for line in one.log_lines))
            assert one.city.roads == {}

    asyncio.run(story())


def test_a_second_peer_of_the_same_name_is_refused(monkeypatch):
    monkeypatch.setattr(tcp, "_LATELY_MS", 60_000)  # the first is never taken for silent

    async def story():
        async with town("RIVERWOOD") as one:
            first = await Dialect8("SEASIDE").dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE"))
            road = one.city.roads["SEASIDE"]
            holder = road.link
            first.send(merchant(1.0))
            await until(lambda: road.inbound)
            second = await Dialect8("SEASIDE").dial("127.0.0.1", one.port)
            await until(second.closed.is_set)
            assert road.link is holder and road.state == "up"
            first.send(merchant(2.0))
            await until(lambda: len(road.inbound) == 2)
            await first.leave()
            await second.leave()

    asyncio.run(story())


def test_a_second_peer_from_elsewhere_is_refused_even_if_the_first_is_silent(monkeypatch):
    monkeypatch.setattr(tcp, "_LATELY_MS", 0)

    async def story():
        async with town("RIVERWOOD") as one:
            first = await Silent("SEASIDE").dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE"))
            holder = one.city.roads["SEASIDE"].link
            holder.host = "192.0.2.1"  # all of this test's peers are on one machine
            second = await Dialect8("SEASIDE").dial("127.0.0.1", one.port)
            await until(second.closed.is_set)
            assert one.city.roads["SEASIDE"].link is holder
            await first.leave()
            await second.leave()

    asyncio.run(story())


def test_a_silent_peer_that_comes_back_has_its_road_soon():
    async def story():
        async with town("RIVERWOOD") as one:
            first = await Silent("SEASIDE").dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE"))
            road = one.city.roads["SEASIDE"]
            dead = road.link
            # As our own would, it dials until it is let in.
            async with town("SEASIDE") as second, asyncio.timeout(30):
                second.dial("127.0.0.1", one.port)
                await until(lambda: road.link is not dead and is_up(one, "SEASIDE") and is_up(second, "RIVERWOOD"))
                send(one, "SEASIDE", [7])
                await until(lambda: second.city.roads["RIVERWOOD"].inbound)
                assert road.lost == 0 and len(one._links) == 1
            await first.leave()

    asyncio.run(story())


def test_a_peer_that_lost_power_has_its_road_at_once():
    async def story():
        async with town("RIVERWOOD") as one:
            first = await Dialect8("SEASIDE").dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE"))
            road = one.city.roads["SEASIDE"]
            # Heard just now, but its machine answers the blank line with a reset. (Where a test may not cut power so
            # that nobody is told, the reset comes at once.)
            first.send(merchant(1.0))
            await until(lambda: road.inbound)
            if not cut_power(first):
                reset(first)
            second = await Dialect8("SEASIDE").dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE") and second.remote == "RIVERWOOD")
            second.send(merchant(2.0))
            await until(lambda: len(road.inbound) == 2)
            await second.leave()

    asyncio.run(story())


def test_roads_that_are_down_and_empty_make_room():
    async def story():
        async with town("RIVERWOOD", connections_max=3) as one:
            for n in range(5):
                peer = await Idle("TOWN %d" % n).dial("127.0.0.1", one.port)
                await until(lambda n=n: "TOWN %d" % n in one.city.roads)
                await peer.leave()
                await until(lambda: not one._links)
            assert sorted(one.city.roads) == ["TOWN 2", "TOWN 3", "TOWN 4"]

    asyncio.run(story())


def test_there_are_only_so_many_connections():
    async def story():
        async with town("RIVERWOOD", connections_max=40) as one:
            mute = [await asyncio.open_connection("127.0.0.1", one.port) for _ in range(tcp._NAMING_MAX)]
            await until(lambda: len(one._links) == tcp._NAMING_MAX)
            late = await Idle("SEASIDE").dial("127.0.0.1", one.port)
            await until(late.closed.is_set)
            assert "SEASIDE" not in one.city.roads
            for _, writer in mute:
                writer.close()
            await until(lambda: not one._links)
            peers = []
            for n in range(40):
                peers.append(await Idle("TOWN %d" % n).dial("127.0.0.1", one.port))
                await until(lambda n=n: "TOWN %d" % n in one.city.roads)
            one_more = await Idle("SEASIDE").dial("127.0.0.1", one.port)
            await until(one_more.closed.is_set)
            assert len([line for line in one.log_lines if "as many as it takes" in line]) == 1
            for peer in [late, one_more] + peers:
                await peer.leave()

    asyncio.run(story())


def test_a_machine_that_fails_again_and_again_is_not_listened_to():
    async def story():
        async with town("RIVERWOOD") as one:
            for _ in range(tcp._FAILURES_MAX):
                reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
                writer.write(b"\x00\n")
                assert await reader.read() == b"RIVERWOOD"
                writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            assert await reader.read() == b""
            writer.close()
            # That passes.
            one._failing["127.0.0.1"][1] = 0
            peer = await Dialect8("SEASIDE").dial("127.0.0.1", one.port)
            await until(lambda: is_up(one, "SEASIDE"))
            assert one._failing == {}
            await peer.leave()

    asyncio.run(story())


def test_waits_between_dialling_grow(monkeypatch):
    async def story():
        waits = []
        sleep = asyncio.sleep

        async def noted(seconds):
            waits.append(seconds)
            await sleep(0)

        async with town("RIVERWOOD") as one:
            monkeypatch.setattr(tcp.asyncio, "sleep", noted)
            one.dial("127.0.0.1", 1)
            while len(waits) < 12:
                await sleep(0.001)
            monkeypatch.undo()
        for n, wait in enumerate(waits[:12]):
            most = min(5, 2**n)
            assert most / 2 <= wait < most
        assert len(set(waits)) > len(waits) // 2
        assert len([line for line in one.log_lines if "no road to 127.0.0.1:1" in line]) == 1

    asyncio.run(story())


def test_the_clock_grows_where_ticks_wrap(monkeypatch):
    ticks = [2**30 - 5]
    monkeypatch.setattr(link, "ticks_ms", lambda: ticks[0])
    monkeypatch.setattr(link, "ticks_diff", lambda later, earlier: ((later - earlier + 2**29) % 2**30) - 2**29)
    clock = link.Clock()
    ticks[0] = 5
    assert clock.now_ms() == 10
    ticks[0] = 1000
    assert clock.now_ms() == 1005
