"""Both tutorial cities trade with ours, whoever dials."""

import asyncio
import json

import pytest
from deskonomy.wire import codec, session
from helpers.cities import is_up, shown, town
from helpers.peers import Dialect7, Dialect8, merchant, until


@pytest.mark.parametrize("we_dial", [False, True])
@pytest.mark.parametrize("dialect", [Dialect7, Dialect8])
def test_trade_both_ways(dialect, we_dial, monkeypatch):
    monkeypatch.setattr(session, "_PROBE_MS", 100)

    async def story():
        async with town("RIVERWOOD", locals_=20, merchants=10) as roads:
            city = roads.city
            money = shown(roads)["money"]["total"]
            peer = dialect("PORTSVILLE")
            if we_dial:
                roads.dial("127.0.0.1", await peer.listen())
            else:
                await peer.dial("127.0.0.1", roads.port)
            await until(lambda: is_up(roads, "PORTSVILLE"))
            assert peer.remote == "RIVERWOOD"

            # The city lives on until three of its merchants have left.
            def three_left():
                if city.roads["PORTSVILLE"].sent < 3:
                    city.run(10)
                return len(peer.merchants) >= 3

            await until(three_left)
            sent = city.roads["PORTSVILLE"].sent
            await until(lambda: len(peer.merchants) == sent)
            assert peer.ghosts == []
            assert [line.strip() for line in peer.log if line.strip()] == []
            assert getattr(peer, "lost", b"") == b""
            # Whoever comes home has what it took along, and what it sold there.
            home = [dict(one, Money=one["Money"] + 0.25) for one in peer.merchants]
            peer.send(*home)

            def all_home():
                if city.roads["PORTSVILLE"].received < sent:
                    city.run(1)
                return city.roads["PORTSVILLE"].received == sent

            await until(all_home)
            now = shown(roads)
            await until(lambda: len(peer.merchants) == now["roads"]["PORTSVILLE"]["sent"])
            gone = peer.merchants[sent:]
            assert now["roads"]["PORTSVILLE"]["refused"] == 0
            assert sum(now["merchants"].values()) == 10 - len(gone)
            there = sum(one["Money"] for one in gone)
            assert round(now["money"]["total"] + there - money - 0.25 * sent, 3) == 0
            await peer.leave()

    asyncio.run(story())


@pytest.mark.parametrize("dialect", [Dialect7, Dialect8])
def test_what_leaves_is_what_arrives(dialect):
    async def story():
        async with town("RIVERWOOD") as roads:
            peer = await dialect("PORTSVILLE").dial("127.0.0.1", roads.port)
            sent = merchant(1211.4803370633176, "chair", 3, bed={"PORTSVILLE": 31.896729121741835, "ÅRHUS": 1e-9})
            await peer.named.wait()
            peer.send(sent)
            road = await until(lambda: roads.city.roads.get("PORTSVILLE"))
            await until(lambda: road.inbound)
            await until(lambda: road.state == "up")
            road.send(road.take())
            await until(lambda: peer.merchants)
            rounded = dict(sent, Money=1211.48, ExpectedPrices={"bed": {"PORTSVILLE": 31.897, "ÅRHUS": 0.0}})
            assert peer.merchants == [dict(rounded, Mills=1_211_480, Id=[roads.ledger.incarnation, 1])]
            assert codec.decode(json.dumps(peer.merchants[0]).encode()).money_mills == 1_211_480
            await peer.leave()

    asyncio.run(story())


def test_name_and_merchants_in_one_segment():
    async def story():
        async with town("RIVERWOOD") as roads:
            _, writer = await asyncio.open_connection("127.0.0.1", roads.port)
            lines = [json.dumps(merchant(float(n))) for n in range(5)]
            writer.write(("PORTSVILLE" + "\n".join(lines) + '\n{"Money": 7').encode())
            road = await until(lambda: roads.city.roads.get("PORTSVILLE"))
            await until(lambda: len(road.inbound) == 5)
            writer.close()
            await until(lambda: road.link is None)
            assert [one.money_mills for one in road.inbound] == [0, 1000, 2000, 3000, 4000]
            assert road.refused == 0

    asyncio.run(story())
