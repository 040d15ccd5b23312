"""Both cities of the tutorial trade with a city of this project, whichever side dials."""

import asyncio
import json

import pytest
from deskonomy.economy import kernel
from deskonomy.economy.merchant import Merchant
from deskonomy.roads.wire_road import LEGACY
from deskonomy.wire import codec, session
from helpers.cities import is_road_up, open_network, read_status, send_merchants, take_moneys
from helpers.peers import BareNamePeer, LineNamePeer, make_legacy_merchant, wait_until


@pytest.mark.parametrize("city_dials", [False, True])
@pytest.mark.parametrize("peer_class", [BareNamePeer, LineNamePeer])
def test_legacy_peer_trades_both_ways(peer_class, city_dials, monkeypatch):
    monkeypatch.setattr(session, "_PROBE_MS", 100)

    async def scenario():
        async with open_network("RIVERWOOD", locals_=20, merchants=10) as network:
            city = network.city
            money = read_status(network)["money"]["total"]
            peer = peer_class("PORTSVILLE")
            if city_dials:
                network.dial("127.0.0.1", await peer.listen())
            else:
                await peer.dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "PORTSVILLE"))
            assert peer.city_name == "RIVERWOOD"

            # The city ticks until three of its merchants have left.
            def have_three_left():
                if city.roads["PORTSVILLE"].sent < 3:
                    city.run(10)
                return len(peer.merchants) >= 3

            await wait_until(have_three_left)
            sent = city.roads["PORTSVILLE"].sent
            await wait_until(lambda: len(peer.merchants) == sent)
            assert peer.moneyless == []
            assert [line.strip() for line in peer.unread_lines if line.strip()] == []
            assert getattr(peer, "discarded", b"") == b""
            # A merchant that returns has what it took along, and its gain there.
            returning = [dict(merchant, Money=merchant["Money"] + 0.25) for merchant in peer.merchants]
            peer.send(*returning)

            def have_all_returned():
                if city.roads["PORTSVILLE"].received < sent:
                    city.run(1)
                return city.roads["PORTSVILLE"].received == sent

            await wait_until(have_all_returned)
            status = read_status(network)
            await wait_until(lambda: len(peer.merchants) == status["roads"]["PORTSVILLE"]["sent"])
            gone = peer.merchants[sent:]
            assert status["roads"]["PORTSVILLE"]["refused"] == 0
            assert sum(status["merchants"].values()) == 10 - len(gone)
            there = sum(merchant["Money"] for merchant in gone)
            assert round(status["money"]["total"] + there - money - 0.25 * sent, 3) == 0
            await peer.leave()

    asyncio.run(scenario())


@pytest.mark.parametrize("peer_class", [BareNamePeer, LineNamePeer])
def test_merchant_arrives_at_legacy_peer_as_it_was_sent(peer_class):
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            peer = await peer_class("PORTSVILLE").dial("127.0.0.1", network.port)
            sent = make_legacy_merchant(
                1211.4803370633176, "chair", 3, bed={"PORTSVILLE": 31.896729121741835, "ÅRHUS": 1e-9}
            )
            await peer.named.wait()
            peer.send(sent)
            road = await wait_until(lambda: network.city.roads.get("PORTSVILLE"))
            await wait_until(lambda: road.inbound)
            await wait_until(lambda: road.state == "up")
            road.send(road.take())
            await wait_until(lambda: peer.merchants)
            # Every good that the peer has named has its key.
            prices = {"bed": {"PORTSVILLE": 31.897, "ÅRHUS": 0.0}, "chair": {}}
            rounded = dict(sent, Money=1211.48, ExpectedPrices=prices)
            assert peer.merchants == [dict(rounded, Mills=1_211_480, Id=[network.ledger.incarnation, 1])]
            assert codec.decode_merchant(json.dumps(peer.merchants[0]).encode()).money_mills == 1_211_480
            await peer.leave()

    asyncio.run(scenario())


def test_merchant_without_prices_has_keys_that_legacy_peer_learns():
    """Without a key the peer never learns the price of that good."""

    async def scenario():
        async with open_network("RIVERWOOD") as network:
            peer = await LineNamePeer("PORTSVILLE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "PORTSVILLE"))
            send_merchants(network, "PORTSVILLE", [7])
            await wait_until(lambda: peer.merchants)
            assert peer.merchants[0]["ExpectedPrices"] == {"bed": {}, "chair": {}, "wood": {}}
            await peer.leave()

    asyncio.run(scenario())


def test_merchant_of_unknown_good_stays_in_city(monkeypatch):
    """It leaves by the road once the peer has named its good."""
    monkeypatch.setattr(session, "_PROBE_MS", 100)

    async def scenario():
        async with open_network("RIVERWOOD", locals_=20) as network:
            city = network.city
            peer = await BareNamePeer("PORTSVILLE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "PORTSVILLE"))
            # It owns some of its good, so that it does not choose another.
            city.admit(Merchant("spice", 7, owned=1))
            road = city.roads["PORTSVILLE"]

            def is_legacy():
                city.run(100)
                return road.peer_state == LEGACY

            await wait_until(is_legacy)
            city.run(5_000)  # it decides to leave some five times
            assert (road.sent, sum(city.merchants_column(kernel.MONEY)), peer.death) == (0, 7, None)
            assert [line.strip() for line in peer.unread_lines if line.strip()] == [b'["ping",1]']
            peer.send(make_legacy_merchant(1.0, "spice"))
            await wait_until(lambda: road.peer_goods)
            assert road.accepts("spice")
            await peer.leave()

    asyncio.run(scenario())


def test_end_of_file_is_noticed_while_road_is_full():
    async def scenario():
        async with open_network("RIVERWOOD", capacity=2) as network:
            peer = await LineNamePeer("PORTSVILLE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "PORTSVILLE"))
            road = network.city.roads["PORTSVILLE"]
            peer.send(*[make_legacy_merchant(float(n)) for n in range(5)])
            await wait_until(lambda: len(road.inbound) == 2)
            await peer.leave()
            async with asyncio.timeout(1):
                await wait_until(lambda: road.state == "down")
            moneys = []

            def have_all_entered():
                moneys.extend(take_moneys(network, "PORTSVILLE"))
                return road.connection is None

            await wait_until(have_all_entered)
            assert (moneys, road.lost) == ([0, 1000, 2000, 3000, 4000], 0)

    asyncio.run(scenario())


def test_single_merchant_leaves_for_peer_that_hung_up_behind_unread_merchants():
    """And only if the road is full both ways."""

    async def scenario():
        async with open_network("RIVERWOOD", capacity=2, line_max=1024) as network:
            peer = await LineNamePeer("PORTSVILLE").dial("127.0.0.1", network.port)
            await wait_until(lambda: is_road_up(network, "PORTSVILLE"))
            road = network.city.roads["PORTSVILLE"]
            peer.send(*[make_legacy_merchant(5.0)] * 20)
            await wait_until(lambda: road.inbound and not road.connection._session.wants_bytes())
            await peer.leave()
            send_merchants(network, "PORTSVILLE", [1])
            assert (road.sent_sequence, len(road.outbound)) == (0, 1)
            send_merchants(network, "PORTSVILLE", [2])  # the road is full
            await wait_until(lambda: road.sent_sequence)
            assert (road.sent_sequence, len(road.outbound)) == (1, 1)

            def has_ended():
                take_moneys(network, "PORTSVILLE")
                return road.connection is None

            await wait_until(has_ended)

    asyncio.run(scenario())


def test_name_and_merchants_arrive_in_same_segment():
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            _, writer = await asyncio.open_connection("127.0.0.1", network.port)
            lines = [json.dumps(make_legacy_merchant(float(n))) for n in range(5)]
            writer.write(("PORTSVILLE" + "\n".join(lines) + '\n{"Money": 7').encode())
            road = await wait_until(lambda: network.city.roads.get("PORTSVILLE"))
            await wait_until(lambda: len(road.inbound) == 5)
            writer.close()
            await wait_until(lambda: road.connection is None)
            assert [merchant.money_mills for merchant in road.inbound] == [0, 1000, 2000, 3000, 4000]
            assert road.rejected == 0

    asyncio.run(scenario())
