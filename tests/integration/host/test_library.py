"""Road and Merchant, as a program uses them: against cities of ours, against each other, against what is none."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from decimal import Decimal

import deskonomy_host
import pytest
from deskonomy.economy.city import City
from deskonomy.wire.network import Roads
from deskonomy_host import Harbour, Merchant, NoRoadError, Road
from deskonomy_host.roads import client as library
from deskonomy_host.roads import keyring as keys
from helpers.commands import PATIENCE_S


def within_patience(story):
    async def limited():
        async with asyncio.timeout(PATIENCE_S):
            await story()

    asyncio.run(limited())


@contextlib.asynccontextmanager
async def living(name, locals_=20, merchants=0, port=56300):
    """A city of ours that lives and listens, as its Roads."""
    city = City(name, 1, locals_, merchants)
    roads = Roads(city, port=port, log=lambda line: None)

    async def live():
        while True:
            city.run(1)
            await asyncio.sleep(0.001)

    await roads.start()
    # Started here, ended with the block.
    task = asyncio.create_task(live())
    try:
        yield roads
    finally:
        task.cancel()
        await roads.close()


def at(roads):
    return f"127.0.0.1:{roads.port}"


def test_merchants_walk_into_a_city_of_ours_and_others_come_out():
    async def story():
        async with living("RIVERWOOD", merchants=20) as roads, Road.dial(at(roads), name="JAVAVILLE") as road:
            assert (road.peer, road.is_up) == ("RIVERWOOD", True)
            for _ in range(10):
                await road.send(Merchant("chair", 0.001))
            await road.arrived()
            assert (road.waiting, road.kind) == (0, "ours")
            assert roads.city.roads["JAVAVILLE"].received >= 1
            async for merchant in road:
                assert merchant.prices["chair"]["RIVERWOOD"] > 0
                break

    within_patience(story)


def test_every_amount_is_exact_to_the_mill():
    amounts = [0, 0.001, 0.1, 1211.48, 999_999.999, 1_000_000, Decimal("0.3")]

    async def story():
        async with Road.listen("127.0.0.1:56400", name="A") as harbour, Road.dial(harbour.address, name="B") as road:
            for amount in amounts:
                await road.send(Merchant("fur", amount, 7, 3, {"fur": {"A": amount}}))
            came = []
            async for by, merchant in harbour.arrivals():
                assert by.peer == "B"
                came.append(merchant)
                if len(came) == len(amounts):
                    break
            assert [merchant.money_mills for merchant in came] == [round(amount * 1000) for amount in amounts]
            assert came[3] == Merchant("fur", 1211.48, 7, 3, {"fur": {"A": 1211.48}})
            assert came[6].prices == {"fur": {"A": 0.3}}

    within_patience(story)


def test_an_arrival_is_acknowledged_when_it_is_taken():
    async def story():
        async with Road.listen("127.0.0.1:56400", name="A") as harbour, Road.dial(harbour.address, name="B") as road:
            back = await anext(harbour)
            await road.send(Merchant("bed"))
            await road.send(Merchant("bed"))
            await library._until(lambda: back._wire.inbound)
            assert road.waiting == 2
            await back.receive()
            await library._until(lambda: road.waiting == 1)
            await back.receive()
            await road.arrived()
            assert harbour.roads["B"] is back

    within_patience(story)


def test_a_harbour_gives_each_road_once_and_closes_all():
    async def story():
        async with Road.listen("127.0.0.1:56400", name="A") as harbour:
            async with Road.dial(harbour.address, name="B"), Road.dial(harbour.address, name="C") as to_a:
                names = {(await anext(harbour)).peer, (await anext(harbour)).peer}
                assert names == {"B", "C"} == set(harbour.roads)
            with pytest.raises(NoRoadError, match="the road to A is closed"):
                await to_a.send(Merchant("bed"))
            with pytest.raises(NoRoadError):
                await to_a.receive()
            assert [merchant async for merchant in to_a] == []
        assert [road async for road in harbour] == []

    within_patience(story)


def test_a_city_that_comes_back_is_dialled_again():
    async def story():
        async with contextlib.AsyncExitStack() as first:
            roads = await first.enter_async_context(living("RIVERWOOD"))
            address, port = at(roads), roads.port
            async with Road.dial(address, name="JAVAVILLE") as road:
                await first.aclose()
                await library._until(lambda: not road.is_up)
                async with living("RIVERWOOD", port=port) as again:
                    await road.send(Merchant("chair"))
                    await road.arrived()
                    assert again.city.roads["JAVAVILLE"].received == 1

    within_patience(story)


def test_leaving_the_block_waits_for_who_was_sent():
    async def story():
        async with living("RIVERWOOD") as roads:
            async with Road.dial(at(roads), name="JAVAVILLE") as road:
                for _ in range(5):
                    await road.send(Merchant("chair"))
            assert roads.city.roads["JAVAVILLE"].received == 5

    within_patience(story)


def test_a_key_opens_what_is_shut_to_others(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DESKONOMY_KEY", raising=False)
    file, other = str(tmp_path / "town.key"), str(tmp_path / "other.key")
    keys.create(file, keys.new())
    keys.create(other, keys.new())

    async def story():
        async with Road.listen("127.0.0.1:56400", name="A", key_file=file) as harbour:
            async with Road.dial(harbour.address, name="B", key_file=file) as road:
                await road.send(Merchant("bed", 7))
                assert await (await anext(harbour)).receive() == Merchant("bed", 7)
            for wrong in (None, other):
                with pytest.raises(NoRoadError, match=r"no road to 127\.0\.0\.1:"):
                    async with Road.dial(harbour.address, name="C", key_file=wrong, timeout_s=2.5):
                        pass
        with pytest.raises(NoRoadError, match="cannot read the key in"):
            Road.listen("127.0.0.1:56400", name="A", key_file=str(tmp_path / "nowhere"))

    within_patience(story)


def test_nobody_there():
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(NoRoadError, match=f"no road to 127.0.0.1:{port}: .*[Rr]efused|Connect call failed"):
            async with Road.dial(f"127.0.0.1:{port}", name="JAVAVILLE", timeout_s=3):
                pass

    within_patience(story)


def test_who_says_no_name_is_no_city():
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with pytest.raises(NoRoadError, match=f"no road to 127.0.0.1:{port}"):
                async with Road.dial(f"127.0.0.1:{port}", name="JAVAVILLE", timeout_s=0.5):
                    pass

    within_patience(story)


@pytest.mark.parametrize("address", ["nowhere", "host:0", "host:99999", ":1"])
def test_an_address_that_makes_no_sense(address):
    async def story():
        with pytest.raises(ValueError, match="takes HOST:PORT"):
            async with Road.dial(address, name="JAVAVILLE"):
                pass
        with pytest.raises(ValueError, match="takes HOST:PORT"):
            Road.listen(address, name="JAVAVILLE")

    within_patience(story)


def test_a_name_that_no_city_could_read():
    async def story():
        with pytest.raises(ValueError, match="a city's name has 1 to 64 bytes"):
            async with Road.dial("127.0.0.1:1", name="{"):
                pass

    within_patience(story)


def test_an_address_where_nobody_can_listen():
    async def story():
        with pytest.raises(NoRoadError, match=r"cannot listen on 192\.0\.2\.1:56400"):
            async with Road.listen("192.0.2.1:56400", name="A"):
                pass

    within_patience(story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"good": ""},
        {"good": "chair", "money": -0.001},
        {"good": "chair", "money": 1_000_000.001},
        {"good": "chair", "money": float("nan")},
        {"good": "chair", "money": "much"},
        {"good": "chair", "capacity": 0},
        {"good": "chair", "owned": 1.5},
        {"good": "chair", "prices": {"bed": 3}},
        {"good": "chair", "prices": {"bed": {"A": float("inf")}}},
    ],
)
def test_a_merchant_that_no_city_lets_in(wrong):
    with pytest.raises(ValueError, match="no city lets in such a merchant: "):
        Merchant(**wrong)


def test_every_public_name_is_described():
    for name in deskonomy_host.__all__:
        thing = getattr(deskonomy_host, name)
        assert thing.__doc__, name
        for member in [key for key in vars(thing) if not key.startswith("_")]:
            value = getattr(thing, member)
            if callable(value) or isinstance(vars(thing)[member], property):
                assert vars(thing)[member].__doc__ or value.__doc__, f"{name}.{member}"
    with pytest.raises(AttributeError, match="deskonomy_host has no Rode, only"):
        _ = deskonomy_host.Rode
    assert Harbour is library.Harbour


def test_the_command_does_not_load_the_library():
    script = "import sys, deskonomy_host.cli.app; sys.exit('deskonomy_host.roads.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
