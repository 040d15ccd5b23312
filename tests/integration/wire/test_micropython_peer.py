"""The same roads on MicroPython, with as little heap as a board has, and on CPython, trading with each other."""

import asyncio
import contextlib
import json
import os
import pathlib
import subprocess

import pytest
from deskonomy_host.boards.deploy import deploy
from helpers.cities import PORT, is_up, send, shown, take, town
from helpers.peers import Dialect7, Dialect8, merchant, until

HERE = pathlib.Path(__file__).parent
CORE = HERE.parents[2] / "firmware" / "deskonomy"


@pytest.fixture(scope="module")
def flash(micropython, tmp_path_factory):
    """A folder with the core as a board has it: compiled, since compiling takes more than a board's heap."""
    said = subprocess.run(
        [micropython, "-c", "import sys; print(sys.implementation._mpy)"], capture_output=True, check=True
    )
    sources = {"deskonomy/" + path.name: path for path in CORE.glob("*.py")}
    folder = tmp_path_factory.mktemp("flash")
    (folder / "deskonomy").mkdir()
    for path, data in deploy.compiled(sources, deploy.architecture(int(said.stdout))).items():
        (folder / path).write_bytes(data)
    return folder


class Desk:
    """What a city in a MicroPython process says. port: where it listens. status: its last status line, read. log: its
    lines."""

    def __init__(self):
        self.port = None
        self.log = []
        self.status = {"roads": {}}

    def road(self, name):
        """That road's part of the status, {} as long as there is none."""
        return self.status["roads"].get(name, {})

    async def listen(self, stream):
        while line := (await stream.readline()).decode():
            print(line, end="")
            if line.startswith("{"):
                self.status = json.loads(line)
            elif line.startswith("#"):
                self.log.append(line[2:].strip())
            elif line.strip().isdigit():
                self.port = int(line)


@contextlib.asynccontextmanager
async def desktown(micropython, flash, *words):
    """DESKTOWN runs, as a Desk; words: more for micropython_city.py."""
    process = await asyncio.create_subprocess_exec(
        *(micropython, "-X", "heapsize=112k", str(HERE / "programs" / "micropython_city.py"), str(PORT), *words),
        env=dict(os.environ, MICROPYPATH="%s:.frozen" % flash),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    desk = Desk()
    # Started here; ends with the process.
    listening = asyncio.create_task(desk.listen(process.stdout))
    try:
        await until(lambda: desk.port)
        yield desk
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await listening
        await process.wait()


def test_a_board_and_a_host_trade(micropython, flash):
    async def story():
        async with town("RIVERWOOD") as roads:
            async with desktown(micropython, flash) as desk:
                roads.dial("127.0.0.1", desk.port)
                await until(lambda: is_up(roads, "DESKTOWN"))
                road = roads.city.roads["DESKTOWN"]
                send(roads, "DESKTOWN", range(1000, 1040))
                await until(lambda: desk.road("RIVERWOOD").get("received") == 40)
                await until(lambda: 3 <= desk.road("RIVERWOOD")["sent"] == len(road.inbound))
                taken = sum(take(roads, "DESKTOWN"))
                await until(lambda: desk.road("RIVERWOOD")["waiting"] == 0)
                there, here = desk.road("RIVERWOOD"), shown(roads)["roads"]["DESKTOWN"]
                assert (there["lost"], there["refused"], here["lost"], here["refused"]) == (0, 0, 0, 0)
                assert here["sent"] == 40
                total = round(desk.status["money"]["total"] * 1000) + taken
                assert total == (10 + 5) * 1_000_000 + sum(range(1000, 1040))
            await until(lambda: not is_up(roads, "DESKTOWN"))

    asyncio.run(story())


def test_a_board_and_a_host_trade_with_a_key(micropython, flash):
    async def story():
        key = bytes(range(32))
        async with town("RIVERWOOD", key=key) as roads, desktown(micropython, flash, key.hex()) as desk:
            roads.dial("127.0.0.1", desk.port)
            await until(lambda: is_up(roads, "DESKTOWN"))
            road = roads.city.roads["DESKTOWN"]
            send(roads, "DESKTOWN", range(1000, 1040))
            await until(lambda: desk.road("RIVERWOOD").get("received") == 40)
            await until(lambda: 3 <= desk.road("RIVERWOOD")["sent"] == len(road.inbound))
            take(roads, "DESKTOWN")
            await until(lambda: desk.road("RIVERWOOD")["waiting"] == 0 and not road.outbound)
            assert (desk.road("RIVERWOOD")["kind"], road.kind, road.lost, road.refused) == ("ours", "ours", 0, 0)
            assert not [line for line in desk.log + roads.log_lines if "closed" in line or "turned" in line]

    asyncio.run(story())


def test_a_board_and_a_host_with_another_key(micropython, flash):
    async def story():
        async with town("RIVERWOOD", key=bytes(32)) as roads, desktown(micropython, flash, "01" * 32) as desk:
            roads.dial("127.0.0.1", desk.port)
            unproven = "has not proven that it has our key: the keys differ, or it has none"
            await until(lambda: [line for line in roads.log_lines if "DESKTOWN " + unproven in line])
            await until(lambda: [line for line in desk.log if "RIVERWOOD " + unproven in line])
            assert len(roads.log_lines) == len(desk.log) == 2  # the other line says where it listens
            assert not roads.city.roads

    asyncio.run(story())


@pytest.mark.parametrize("dialect", [Dialect7, Dialect8])
def test_a_board_and_the_tutorials_cities_trade(micropython, flash, dialect):
    async def story():
        async with desktown(micropython, flash) as desk:
            peer = await dialect("PORTSVILLE").dial("127.0.0.1", desk.port)
            await peer.named.wait()
            peer.send(*[merchant(n + 0.0004) for n in range(30)])
            await until(lambda: desk.road("PORTSVILLE").get("received") == 30)
            await until(lambda: 3 <= desk.road("PORTSVILLE")["sent"] == len(peer.merchants))
            assert peer.remote == "DESKTOWN" and peer.ghosts == [] and not getattr(peer, "lost", b"")
            assert desk.road("PORTSVILLE")["refused"] == 0
            await until(lambda: desk.road("PORTSVILLE")["waiting"] == 0)
            total = desk.status["money"]["total"] + sum(one["Money"] for one in peer.merchants)
            assert round(total * 1000) == (10 + 5) * 1_000_000 + 1000 * sum(range(30))
            await peer.leave()

    asyncio.run(story())
