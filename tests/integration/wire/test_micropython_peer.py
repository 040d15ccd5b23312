"""A city on MicroPython, with as little heap as a board has, trades with cities on CPython and with legacy peers."""

import asyncio
import contextlib
import json
import os
import pathlib
import subprocess

import pytest
from deskonomy_host.boards.deploy.compile import compile_firmware
from deskonomy_host.boards.deploy.inventory import decode_architecture
from helpers.cities import FIRST_PORT, is_road_up, open_network, read_status, send_merchants, take_moneys
from helpers.peers import BareNamePeer, LineNamePeer, make_legacy_merchant, wait_until

HERE = pathlib.Path(__file__).parent
FIRMWARE = HERE.parents[2] / "firmware"
MONEY_MILLS = (10 + 5) * 1_000_000  # of DESKTOWN's ten locals and five merchants


@pytest.fixture(scope="module")
def flash(micropython, tmp_path_factory):
    """A folder with the program and the core as a board has them: compiled, because compiling takes more heap."""
    done = subprocess.run(
        [micropython, "-c", "import sys; print(sys.implementation._mpy)"], capture_output=True, check=True
    )
    sources = {path.relative_to(FIRMWARE).as_posix(): path for path in (FIRMWARE / "deskonomy").rglob("*.py")}
    sources["main.py"] = HERE / "programs" / "city.py"
    folder = tmp_path_factory.mktemp("flash")
    for path, data in compile_firmware(sources, decode_architecture(int(done.stdout))).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


class Desktown:
    """DESKTOWN, a city in a MicroPython process.

    Attributes:
        port: where it listens.
        status: its latest status.
        log_lines: the texts that it has logged.
    """

    def __init__(self):
        self.port = None
        self.log_lines = []
        self.status = {"roads": {}}

    def road(self, name):
        """Return that road's part of the status, {} while there is none."""
        return self.status["roads"].get(name, {})

    async def read(self, stream):
        """Read the output of the process to its end."""
        while line := (await stream.readline()).decode():
            print(line, end="")
            if line.startswith("{"):
                self.status = json.loads(line)
            elif line.startswith("#"):
                self.log_lines.append(line[2:].strip())
            elif line.strip().isdigit():
                self.port = int(line)


@contextlib.asynccontextmanager
async def run_desktown(micropython, flash, *arguments):
    """Run DESKTOWN until the end of the block; arguments: further ones for programs/city.py."""
    process = await asyncio.create_subprocess_exec(
        *(micropython, "-X", "heapsize=112k", "-m", "main", str(FIRST_PORT), *arguments),
        env=dict(os.environ, MICROPYPATH="%s:.frozen" % flash),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    desktown = Desktown()
    # Started here; ends with the process.
    reading = asyncio.create_task(desktown.read(process.stdout))
    try:
        await wait_until(lambda: desktown.port)
        yield desktown
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await reading
        await process.wait()


def test_micropython_city_trades_with_host(micropython, flash):
    async def scenario():
        async with open_network("RIVERWOOD") as network:
            async with run_desktown(micropython, flash) as desktown:
                network.dial("127.0.0.1", desktown.port)
                await wait_until(lambda: is_road_up(network, "DESKTOWN"))
                road = network.city.roads["DESKTOWN"]
                send_merchants(network, "DESKTOWN", range(1000, 1040))
                await wait_until(lambda: desktown.road("RIVERWOOD").get("received") == 40)
                await wait_until(lambda: 3 <= desktown.road("RIVERWOOD")["sent"] == len(road.inbound))
                taken_mills = sum(take_moneys(network, "DESKTOWN"))
                await wait_until(lambda: desktown.road("RIVERWOOD")["waiting"] == 0)
                there, here = desktown.road("RIVERWOOD"), read_status(network)["roads"]["DESKTOWN"]
                assert (there["lost"], there["refused"], here["lost"], here["refused"]) == (0, 0, 0, 0)
                assert here["sent"] == 40
                total_mills = round(desktown.status["money"]["total"] * 1000) + taken_mills
                assert total_mills == MONEY_MILLS + sum(range(1000, 1040))
            await wait_until(lambda: not is_road_up(network, "DESKTOWN"))

    asyncio.run(scenario())


def test_micropython_city_trades_with_host_of_same_key(micropython, flash):
    async def scenario():
        key = bytes(range(32))
        async with (
            open_network("RIVERWOOD", key=key) as network,
            run_desktown(micropython, flash, key.hex()) as desktown,
        ):
            network.dial("127.0.0.1", desktown.port)
            await wait_until(lambda: is_road_up(network, "DESKTOWN"))
            road = network.city.roads["DESKTOWN"]
            send_merchants(network, "DESKTOWN", range(1000, 1040))
            await wait_until(lambda: desktown.road("RIVERWOOD").get("received") == 40)
            await wait_until(lambda: 3 <= desktown.road("RIVERWOOD")["sent"] == len(road.inbound))
            take_moneys(network, "DESKTOWN")
            await wait_until(lambda: desktown.road("RIVERWOOD")["waiting"] == 0 and not road.outbound)
            assert (desktown.road("RIVERWOOD")["kind"], road.type, road.lost, road.rejected) == ("ours", "ours", 0, 0)
            assert not [
                line for line in desktown.log_lines + network.log_lines if "closed" in line or "rejected" in line
            ]

    asyncio.run(scenario())


def test_micropython_city_and_host_with_other_key_log_it_once(micropython, flash):
    async def scenario():
        async with (
            open_network("RIVERWOOD", key=bytes(32)) as network,
            run_desktown(micropython, flash, "01" * 32) as desktown,
        ):
            network.dial("127.0.0.1", desktown.port)
            unproven = "has not proven that it has our key: the keys differ, or it has none"
            await wait_until(lambda: [line for line in network.log_lines if "DESKTOWN " + unproven in line])
            await wait_until(lambda: [line for line in desktown.log_lines if "RIVERWOOD " + unproven in line])
            assert len(network.log_lines) == len(desktown.log_lines) == 2  # the other line says where it listens
            assert not network.city.roads

    asyncio.run(scenario())


@pytest.mark.parametrize("peer_class", [BareNamePeer, LineNamePeer])
def test_micropython_city_trades_with_legacy_peer(micropython, flash, peer_class):
    async def scenario():
        async with run_desktown(micropython, flash) as desktown:
            peer = await peer_class("PORTSVILLE").dial("127.0.0.1", desktown.port)
            await peer.named.wait()
            # The peer names all of its goods, so that no merchant of the city has to return.
            goods = {key: {} for key in peer.goods}
            peer.send(*[make_legacy_merchant(n + 0.0004, **goods) for n in range(30)])
            await wait_until(lambda: desktown.road("PORTSVILLE").get("received") == 30)
            await wait_until(lambda: 3 <= desktown.road("PORTSVILLE")["sent"] == len(peer.merchants))
            assert peer.city_name == "DESKTOWN" and peer.moneyless == [] and not getattr(peer, "discarded", b"")
            assert desktown.road("PORTSVILLE")["refused"] == 0
            await wait_until(lambda: desktown.road("PORTSVILLE")["waiting"] == 0)
            total = desktown.status["money"]["total"] + sum(merchant["Money"] for merchant in peer.merchants)
            assert round(total * 1000) == MONEY_MILLS + 1000 * sum(range(30))
            await peer.leave()

    asyncio.run(scenario())
