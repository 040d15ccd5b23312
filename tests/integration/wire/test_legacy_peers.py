"""Both cities of the tutorial trade with a city of this project, whichever side dials."""

import asyncio
import json

import pytest
from deskonomy.wire import codec, session
from helpers.cities import is_road_up, open_network, read_status
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
            rounded = dict(sent, Money=1211.48, ExpectedPrices={"bed": {"PORTSVILLE": 31.897, "ÅRHUS": 0.0}})
            assert peer.merchants == [dict(rounded, Mills=1_211_480, Id=[network.ledger.incarnation, 1])]
            assert codec.decode_merchant(json.dumps(peer.merchants[0]).encode()).money_mills == 1_211_480
            await peer.leave()

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
