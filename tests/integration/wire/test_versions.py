"""Cities of release 0.1.0 and of this version trade: both ways, open and keyed, and no merchant is lost.

The core of 0.1.0 is in tests/data/0.1.0/core.tar.xz, as it was released.
"""

import asyncio
import contextlib
import json
import sys
import tarfile
from pathlib import Path

import pytest
from deskonomy.version import SOFTWARE
from helpers.cities import FIRST_PORT, is_road_up, open_network, send_merchants, take_moneys
from helpers.peers import wait_until
from helpers.repository import REPO

CORE = REPO / "tests" / "data" / "0.1.0" / "core.tar.xz"
PROGRAM = Path(__file__).parent / "programs" / "old_city.py"
MONEY_MILLS = (10 + 5) * 1_000_000  # of OLDTOWN's ten locals and five merchants
KEY = bytes(range(32))


class OldTown:
    """OLDTOWN, a city of 0.1.0 in a process of its own.

    Attributes:
        port: where it listens.
        road: the road to RIVERWOOD, by its latest status.
        money_mills: all its money, by its latest status.
        log_lines: the texts that it has logged.
    """

    def __init__(self):
        self.port = None
        self.road = {}
        self.money_mills = None
        self.log_lines = []

    async def read(self, stream):
        """Read the output of the process to its end."""
        while line := (await stream.readline()).decode():
            if line.startswith("{"):
                status = json.loads(line)
                self.road = status["roads"].get("RIVERWOOD", {})
                self.money_mills = round(status["money"]["total"] * 1000)
            elif line.strip().isdigit():
                self.port = int(line)
            else:
                self.log_lines.append(line.strip("# \n"))


@contextlib.asynccontextmanager
async def run_old_town(interpreter, folder, *key):
    """Run OLDTOWN until the end of the block."""
    with tarfile.open(CORE) as archive:
        archive.extractall(folder, filter="data")
    process = await asyncio.create_subprocess_exec(
        *(interpreter, PROGRAM, folder, str(FIRST_PORT), *[part.hex() for part in key]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    old_town = OldTown()
    # Started here; ends with the process.
    reading = asyncio.create_task(old_town.read(process.stdout))
    try:
        await wait_until(lambda: old_town.port or reading.done())
        assert old_town.port, old_town.log_lines
        yield old_town
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await reading
        await process.wait()


@pytest.mark.parametrize("key", [(), (KEY,)], ids=["open", "keyed"])
@pytest.mark.parametrize("runs_on", ["cpython", "micropython"])
def test_old_and_present_version_trade_both_ways_across_a_cut(request, tmp_path, runs_on, key):
    interpreter = sys.executable if runs_on == "cpython" else request.getfixturevalue("micropython")

    async def scenario():
        async with (
            open_network("RIVERWOOD", key=key[0] if key else None) as network,
            run_old_town(interpreter, tmp_path, *key) as old_town,
        ):
            network.dial("127.0.0.1", old_town.port)
            await wait_until(lambda: is_road_up(network, "OLDTOWN"))
            road = network.city.roads["OLDTOWN"]
            send_merchants(network, "OLDTOWN", range(1000, 1020))
            await wait_until(lambda: road.connection and old_town.road.get("received", 0) > 5)
            road.connection.end("cut by the test")  # with merchants in flight
            send_merchants(network, "OLDTOWN", range(1020, 1040))
            await wait_until(lambda: old_town.road["received"] == 40)
            await wait_until(lambda: 3 <= old_town.road["sent"] == len(road.inbound) and not road.outbound)
            taken_mills = take_moneys(network, "OLDTOWN")
            await wait_until(lambda: old_town.road["waiting"] == 0)
            here, there = road.status(), old_town.road
            assert (here["kind"], here["sent"], here["lost"], here["refused"]) == ("ours", 40, 0, 0)
            assert (there["kind"], there["sent"], there["lost"], there["refused"]) == ("ours", len(taken_mills), 0, 0)
            assert old_town.money_mills + sum(taken_mills) == MONEY_MILLS + sum(range(1000, 1040))
            assert road.connection.peer_software is None  # 0.1.0 states no version

    asyncio.run(scenario())


@pytest.mark.parametrize("key", [None, KEY], ids=["open", "keyed"])
def test_present_versions_state_themselves_to_each_other(key):
    async def scenario():
        async with open_network("RIVERWOOD", key=key) as here, open_network("SEASIDE", key=key) as there:
            here.dial("127.0.0.1", there.port)
            await wait_until(lambda: is_road_up(here, "SEASIDE") and is_road_up(there, "RIVERWOOD"))
            if key is None:  # the first sign that the peer understands messages
                send_merchants(here, "SEASIDE", [1000])
            ends = here.city.roads["SEASIDE"], there.city.roads["RIVERWOOD"]
            await wait_until(lambda: all(road.connection.peer_software == SOFTWARE for road in ends))

    asyncio.run(scenario())
