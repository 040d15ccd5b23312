"""A board whose memory is short: who knows too much waits or forgets, and the city lives on, also after a reset."""

import asyncio
import contextlib
import json
import re

from deskonomy.economy.merchant import Merchant
from deskonomy_host.bench.harbour import Harbour
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.spec import catalog as boards
from helpers.cities import is_up, town
from helpers.peers import Dialect8, merchant, until

HEAP = "150k"  # room for two or three of these
MANY = 20
OURS = 8  # for whom a board's city has room


def knowledge(number):
    """Prices in 80 cities that nobody else has heard of: a line of 2 KB, which takes 7 KB of this heap."""
    goods = ("wood", "chair", "thread", "bed")
    return {good: {"CITY %s %d %d" % (good, number, n): 1000 + n for n in range(20)} for good in goods}


@contextlib.asynccontextmanager
async def living_board(micropython, folder):
    """A board that is born once, goes on after a reset at the end, and never crashes."""
    async with SimulatedBoard(speed=200, heap=HEAP, dir=folder, micropython=micropython) as board:
        yield board
        await board.reset()
        await board.wait_for(lambda status: status["address"])
        said = "\n".join(line for line in board.lines if not line.startswith("{"))
        assert "Traceback" not in said and said.count("is born") == said.count("goes on from tick") == 1, said


def received(board, name):
    return board.status["roads"][name]["received"]


def test_ours_forget_and_trade_goes_on(micropython, tmp_path):
    async def story():
        async with living_board(micropython, tmp_path) as board, Harbour("PORT") as harbour:
            harbour.dial(*board.address.split(":"))
            road = await harbour.road_up()
            for number in range(OURS):
                road.send(Merchant("wood", 1_000_001 + number, 1, 1, knowledge(number)))
            await until(lambda: not road.outbound)
            assert any("no memory for all that merchants from PORT know" in line for line in board.lines)
            road.send(Merchant("wood", 1_000_000, 1, 1))
            await board.wait_for(lambda status: received(board, "PORT") == OURS + 1)
            assert (road.home(), board.status["roads"]["PORT"]["refused"]) == ([], 0)

    asyncio.run(story())


def test_strangers_wait_and_nobody_is_lost(micropython, tmp_path):
    async def story():
        async with living_board(micropython, tmp_path) as board:
            host, port = board.address.split(":")
            peer = await Dialect8("OLDTOWN").dial(host, int(port))
            await peer.named.wait()
            await until(lambda: "OLDTOWN" in board.status["roads"])
            for number in range(MANY):
                peer.send(merchant(owned=1, **knowledge(number)))
            await board.wait_for(lambda status: received(board, "OLDTOWN") >= 5, 60)
            assert board.status["roads"]["OLDTOWN"]["refused"] == 0
            await until(lambda: (tmp_path / "city.state").exists())  # else it is born once more after its reset
            await peer.leave()

    asyncio.run(story())


COUNT = """
import asyncio, micropython
async def count():
    await asyncio.sleep(6)
    micropython.qstr_info()
micropython.qstr_info()
asyncio.create_task(count())
"""
SENSORS = (
    {"name": "light", "kind": "adc", "pin": 34, "good": "wood"},
    {"name": "air", "kind": "bme280", "scl": 22, "sda": 21, "reads": "pressure", "good": "bed"},
    {"name": "warmth", "kind": "ds18b20", "pin": 4, "good": "chair"},
)


def test_a_simulated_board_as_it_begins_has_no_more_than_620_names(micropython, tmp_path):
    """Those that it has built in count as well, since they lie in its own memory; boot.py below brings two more."""
    (tmp_path / "boot.py").write_text(COUNT)
    said = []

    async def story():
        async with SimulatedBoard(dir=tmp_path, micropython=micropython, on_line=said.append):
            await until(lambda: len(counted(said)) == 2)

    asyncio.run(story())
    assert counted(said)[1] <= 620 + 2


def counted(lines):
    return [int(found[1]) for line in lines if (found := re.search(r"n_qstr=(\d+)", line))]


def test_a_board_with_everything_on_has_fewer_than_620_names(micropython, tmp_path):
    """The next one would take 7 KB. What is there before the firmware a board has built in."""
    config = {**boards.load("SIMULATED").config, "watchdog": True, "page": 8080, "key": "5e" * 32}
    config["sensors"] = [{**sensor, "low": 0, "high": 1000, "yield": [0, 2]} for sensor in SENSORS]
    config["indicator"] = {"kind": "neopixel", "pin": 8}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "boot.py").write_text(COUNT)

    async def story():
        key = bytes.fromhex(config["key"])
        async with SimulatedBoard(dir=tmp_path, micropython=micropython) as board, town("PORT", key=key) as roads:
            roads.dial(*board.address.split(":"))
            await until(lambda: is_up(roads, "DESKTOWN") and len(counted(board.lines)) == 2)
            built_in, all_names = counted(board.lines)
            assert all_names - built_in < 620

    asyncio.run(story())
