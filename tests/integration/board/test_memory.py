"""A board that is short of memory: known prices are dropped or merchants wait, and the city survives, also a reset."""

import asyncio
import contextlib

from deskonomy.economy.merchant import Merchant
from deskonomy_host.bench.stub_city import StubCity
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers.peers import LineNamePeer, make_legacy_merchant, wait_until

HEAP = "150k"  # space for two or three merchants with such prices
LEGACY_MERCHANTS = 20
WINDOW = 8  # of a board's road


def make_prices(number):
    """Return prices in 80 cities that no other merchant knows: a line of 2 KB, which takes 7 KB of this heap."""
    goods = ("wood", "chair", "thread", "bed")
    return {good: {"CITY %s %d %d" % (good, number, n): 1000 + n for n in range(20)} for good in goods}


@contextlib.asynccontextmanager
async def run_board(micropython, folder):
    """Run a board; check that its city is born once, is restored after a reset at the end, and never crashes."""
    async with SimulatedBoard(speed=200, heap=HEAP, dir=folder, micropython=micropython) as board:
        yield board
        await board.reset()
        await board.wait_for(lambda status: status["address"])
        log = "\n".join(line for line in board.lines if not line.startswith("{"))
        assert "Traceback" not in log and log.count("is born") == log.count("goes on from tick") == 1, log


def read_received(board, name):
    """Return how many merchants the board has received from this city."""
    return board.status["roads"][name]["received"]


def test_prices_of_acknowledging_peer_are_dropped_and_trade_goes_on(micropython, tmp_path):
    async def story():
        async with run_board(micropython, tmp_path) as board, StubCity("PORT") as port:
            port.dial(*board.address.split(":"))
            road = await port.road_up()
            for number in range(WINDOW):
                road.send(Merchant("wood", 1_000_001 + number, 1, 1, make_prices(number)))
            await wait_until(lambda: not road.outbound)
            assert any("no memory for all prices that merchants from PORT know" in line for line in board.lines)
            road.send(Merchant("wood", 1_000_000, 1, 1))
            await board.wait_for(lambda status: read_received(board, "PORT") == WINDOW + 1)
            assert (road.list_returning(), board.status["roads"]["PORT"]["refused"]) == ([], 0)

    asyncio.run(story())


def test_merchants_of_legacy_peer_wait_and_none_is_lost(micropython, tmp_path):
    async def story():
        async with run_board(micropython, tmp_path) as board:
            host, port = board.address.split(":")
            peer = await LineNamePeer("OLDTOWN").dial(host, int(port))
            await peer.named.wait()
            await wait_until(lambda: "OLDTOWN" in board.status["roads"])
            for number in range(LEGACY_MERCHANTS):
                peer.send(make_legacy_merchant(owned=1, **make_prices(number)))
            await board.wait_for(lambda status: read_received(board, "OLDTOWN") >= 5, 60)
            assert board.status["roads"]["OLDTOWN"]["refused"] == 0
            await wait_until(lambda: (tmp_path / "city.state").exists())  # else the city is born again after the reset
            await peer.leave()

    asyncio.run(story())
