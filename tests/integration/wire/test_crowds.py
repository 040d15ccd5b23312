"""Crowds of strangers at a host: limits of each address, and places for the others."""

import asyncio
import contextlib

import pytest
from core.event_log import EventLog
from deskonomy.economy import kernel as k
from deskonomy.economy.city import City
from deskonomy_host.roads import crowds
from helpers.peers import IdlePeer, LineNamePeer, make_legacy_merchant, wait_until


@contextlib.asynccontextmanager
async def open_host(name="RIVERWOOD", **options):
    network = crowds.CrowdNetwork(City(name, 1, 0, 0), port=57300, log=EventLog(), **options)
    await network.start()
    try:
        yield network
    finally:
        await network.close()


def list_peers(network):
    return sorted(connection.peer for connection in network.list_connections() if connection.road)


def test_address_takes_a_limited_number_of_roads_and_idle_ones_leave_first(monkeypatch):
    monkeypatch.setattr(crowds, "ADDRESS_ROADS_MAX", 2)

    async def scenario():
        async with open_host() as network:
            peers = [await IdlePeer(name).dial("127.0.0.1", network.port) for name in ("A", "B")]
            await wait_until(lambda: list_peers(network) == ["A", "B"])
            peers.append(await IdlePeer("C").dial("127.0.0.1", network.port))
            await wait_until(peers[-1].closed.is_set)  # the others are not idle for long enough
            assert list_peers(network) == ["A", "B"]
            monkeypatch.setattr(crowds, "IDLE_S", 0)
            peers.append(await IdlePeer("D").dial("127.0.0.1", network.port))
            await wait_until(lambda: list_peers(network) == ["B", "D"])
            for peer in peers:
                await peer.leave()

    asyncio.run(scenario())


def test_keyed_peer_has_a_place_beside_any_number_of_strangers(monkeypatch):
    monkeypatch.setattr(crowds, "STRANGERS_MAX", 1)
    key = bytes(32)

    async def scenario():
        key_of = {"SEASIDE": key, "RIVERWOOD": key}.get
        async with open_host(key_of=key_of) as network, open_host("SEASIDE", key_of=key_of) as seaside:
            stranger = await IdlePeer("A").dial("127.0.0.1", network.port)
            await wait_until(lambda: list_peers(network) == ["A"])
            seaside.dial("127.0.0.1", network.port)
            await wait_until(lambda: list_peers(network) == ["A", "SEASIDE"])
            await stranger.leave()

    asyncio.run(scenario())


def test_merchants_of_one_address_wait_when_too_many_have_entered(monkeypatch):
    monkeypatch.setattr(crowds, "ROAD_VISITORS_MIN", 2)

    async def scenario():
        async with open_host(visitors_max=5) as network:
            first = await LineNamePeer("A").dial("127.0.0.1", network.port)
            second = await LineNamePeer("B").dial("127.0.0.1", network.port)
            await wait_until(lambda: list_peers(network) == ["A", "B"])
            roads = network.city.roads
            first.send(*[make_legacy_merchant(1.0)] * 9)
            await wait_until(lambda: len(roads["A"].inbound) == 9)
            network.city.run(20)
            assert network.city.state[k.MERCHANTS] == 5 and len(roads["A"].inbound) == 4
            second.send(*[make_legacy_merchant(1.0)] * 9)
            await wait_until(lambda: len(roads["B"].inbound) == 9)
            network.city.run(20)
            assert (roads["A"].received, roads["B"].received) == (5, 2)
            for peer in (first, second):
                await peer.leave()

    asyncio.run(scenario())


def test_connection_waits_for_its_place_while_others_of_its_address_are_silent():
    async def scenario():
        async with open_host() as network:
            silent = [await asyncio.open_connection("127.0.0.1", network.port) for _ in range(40)]
            peer = await IdlePeer("SEASIDE").dial("127.0.0.1", network.port)
            await wait_until(lambda: list_peers(network) == ["SEASIDE"], 10)
            for _, writer in silent:
                writer.close()
            await peer.leave()

    asyncio.run(scenario())


def test_connections_act_in_turns_and_other_tasks_go_on():
    async def scenario():
        turns = crowds.Turns()
        acted, loops = [0] * 20, 0

        async def act(number):
            while True:
                await turns.take_turn()
                end_s = asyncio.get_running_loop().time() + 0.001
                while asyncio.get_running_loop().time() < end_s:
                    pass
                acted[number] += 1
                await asyncio.sleep(0)

        # Started here, cancelled below.
        tasks = [asyncio.create_task(act(number)) for number in range(len(acted))]
        while min(acted) < 3:
            before = sum(acted)
            await asyncio.sleep(0)
            loops += 1
            assert sum(acted) - before <= 3 + crowds._WOKEN_MAX
        assert max(acted) - min(acted) <= 3
        for task in tasks:
            task.cancel()

    asyncio.run(scenario())


def test_one_of_the_last_descriptors_is_not_given_to_a_peer(monkeypatch):
    monkeypatch.setattr(crowds, "_RESERVE_DESCRIPTORS", 1 << 30)

    async def scenario():
        async with open_host() as network:
            reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            assert network.list_connections() == []
            writer.close()

    pytest.importorskip("resource")
    asyncio.run(scenario())
