"""The library as a program uses it: with running cities, with another program, and with what is not a city."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from decimal import Decimal

import deskonomy_host
import pytest
from core.event_log import EventLog
from deskonomy.economy.city import City
from deskonomy.wire.network import Network
from deskonomy_host import Harbour, Merchant, NoRoadError, Road
from deskonomy_host.roads import client
from deskonomy_host.roads import keyring as keys
from helpers.commands import PATIENCE_S


def run_limited(scenario):
    """Run a coroutine function; fail if it takes too long."""

    async def limited():
        async with asyncio.timeout(PATIENCE_S):
            await scenario()

    asyncio.run(limited())


@contextlib.asynccontextmanager
async def run_city(name, locals_=20, merchants=0, port=56300):
    """Yield the network of a city that ticks and listens."""
    city, log = City(name, 1, locals_, merchants), EventLog()
    network = Network(city, port=port, log=log)

    async def tick():
        while True:
            city.run(1)
            await asyncio.sleep(0.001)

    await network.start()
    # Started here, ended with the block.
    task = asyncio.create_task(tick())
    try:
        yield network
    finally:
        task.cancel()
        await network.close()
    log.check()


def get_address(network):
    return f"127.0.0.1:{network.port}"


def test_road_sends_and_receives_merchants():
    async def scenario():
        async with (
            run_city("RIVERWOOD", merchants=20) as network,
            Road.dial(get_address(network), name="JAVAVILLE") as road,
        ):
            assert (road.peer, road.is_up) == ("RIVERWOOD", True)
            for _ in range(10):
                await road.send(Merchant("chair", 0.001))
            await road.arrived()
            assert (road.waiting, road.kind) == (0, "ours")
            assert network.city.roads["JAVAVILLE"].received >= 1
            async for merchant in road:
                assert merchant.prices["chair"]["RIVERWOOD"] > 0
                break

    run_limited(scenario)


def test_amount_is_exact_to_the_mill():
    amounts = [0, 0.001, 0.1, 1211.48, 999_999.999, 1_000_000, Decimal("0.3")]

    async def scenario():
        async with Road.listen("127.0.0.1:56400", name="A") as harbour, Road.dial(harbour.address, name="B") as road:
            for amount in amounts:
                await road.send(Merchant("fur", amount, 7, 3, {"fur": {"A": amount}}))
            arrived = []
            async for by, merchant in harbour.arrivals():
                assert by.peer == "B"
                arrived.append(merchant)
                if len(arrived) == len(amounts):
                    break
            assert [merchant.money_mills for merchant in arrived] == [round(amount * 1000) for amount in amounts]
            assert arrived[3] == Merchant("fur", 1211.48, 7, 3, {"fur": {"A": 1211.48}})
            assert arrived[6].prices == {"fur": {"A": 0.3}}

    run_limited(scenario)


def test_arrival_is_acknowledged_when_merchant_is_taken():
    async def scenario():
        async with Road.listen("127.0.0.1:56400", name="A") as harbour, Road.dial(harbour.address, name="B") as road:
            back = await anext(harbour)
            await road.send(Merchant("bed"))
            await road.send(Merchant("bed"))
            await client._wait_until(lambda: back._wire_road.inbound)
            assert road.waiting == 2
            await back.receive()
            await client._wait_until(lambda: road.waiting == 1)
            await back.receive()
            await road.arrived()
            assert harbour.roads["B"] is back

    run_limited(scenario)


def test_harbour_yields_each_road_once_and_closes_all():
    async def scenario():
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

    run_limited(scenario)


def test_road_is_dialled_again_after_city_restarts():
    async def scenario():
        async with contextlib.AsyncExitStack() as first:
            network = await first.enter_async_context(run_city("RIVERWOOD"))
            address, port = get_address(network), network.port
            async with Road.dial(address, name="JAVAVILLE") as road:
                await first.aclose()
                await client._wait_until(lambda: not road.is_up)
                async with run_city("RIVERWOOD", port=port) as again:
                    await road.send(Merchant("chair"))
                    await road.arrived()
                    assert again.city.roads["JAVAVILLE"].received == 1

    run_limited(scenario)


def test_end_of_block_waits_for_sent_merchants():
    async def scenario():
        async with run_city("RIVERWOOD") as network:
            async with Road.dial(get_address(network), name="JAVAVILLE") as road:
                for _ in range(5):
                    await road.send(Merchant("chair"))
            assert network.city.roads["JAVAVILLE"].received == 5

    run_limited(scenario)


def test_road_with_key_rejects_programs_without_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("DESKONOMY_KEY", raising=False)
    file, other = str(tmp_path / "town.key"), str(tmp_path / "other.key")
    keys.write_key_file(file, keys.create_key())
    keys.write_key_file(other, keys.create_key())

    async def scenario():
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

    run_limited(scenario)


def test_dial_to_closed_port_raises_no_road_error():
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        texts = []
        with pytest.raises(NoRoadError, match=rf"^no road to 127\.0\.0\.1:{port}: connection refused$") as raised:
            async with Road.dial(f"127.0.0.1:{port}", name="JAVAVILLE", timeout_s=3, log=texts.append):
                pass
        assert "dialling" not in str(raised.value)
        assert len([text for text in texts if f"no road to 127.0.0.1:{port}" in text]) == 1

    run_limited(scenario)


def test_dial_to_peer_without_name_raises_no_road_error():
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with pytest.raises(NoRoadError, match=f"no road to 127.0.0.1:{port}"):
                async with Road.dial(f"127.0.0.1:{port}", name="JAVAVILLE", timeout_s=0.5):
                    pass

    run_limited(scenario)


@pytest.mark.parametrize("address", ["nowhere", "host:0", "host:99999", ":1"])
def test_invalid_address_raises_value_error(address):
    async def scenario():
        with pytest.raises(ValueError, match="takes HOST:PORT"):
            async with Road.dial(address, name="JAVAVILLE"):
                pass
        with pytest.raises(ValueError, match="takes HOST:PORT"):
            Road.listen(address, name="JAVAVILLE")

    run_limited(scenario)


def test_invalid_name_raises_value_error():
    async def scenario():
        with pytest.raises(ValueError, match="a city's name has 1 to 64 bytes"):
            async with Road.dial("127.0.0.1:1", name="{"):
                pass

    run_limited(scenario)


def test_listen_at_foreign_address_raises_no_road_error():
    async def scenario():
        with pytest.raises(NoRoadError, match=r"cannot listen on 192\.0\.2\.1:56400"):
            async with Road.listen("192.0.2.1:56400", name="A"):
                pass

    run_limited(scenario)


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
def test_invalid_merchant_raises_value_error(wrong):
    with pytest.raises(ValueError, match="no city accepts such a merchant: "):
        Merchant(**wrong)


def test_every_public_name_has_docstring():
    for name in deskonomy_host.__all__:
        item = getattr(deskonomy_host, name)
        assert item.__doc__, name
        for member in [key for key in vars(item) if not key.startswith("_")]:
            value = getattr(item, member)
            if callable(value) or isinstance(vars(item)[member], property):
                assert vars(item)[member].__doc__ or value.__doc__, f"{name}.{member}"
    with pytest.raises(AttributeError, match="deskonomy_host has no Rode, only"):
        _ = deskonomy_host.Rode
    assert Harbour is client.Harbour


def test_command_line_does_not_load_library():
    script = "import sys, deskonomy_host.cli.app; sys.exit('deskonomy_host.roads.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
