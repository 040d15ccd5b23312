"""Trade of a simulated board: with the tutorial's Merchant School, with a host, and with more cities than fit."""

import asyncio
import contextlib

import pytest
from deskonomy.economy.city import City
from deskonomy.economy.clock import run_cities
from deskonomy.wire.network import Network
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers import seed_school

MERCHANTS = 100  # each way


def split_address(board):
    host, port = board.address.split(":")
    return host, int(port)


async def admit_merchants(city, road):
    """Admit the merchants that arrive by this road, while the city's time stands still."""
    while True:
        merchant = road.take()
        if merchant is not None:
            city.admit(merchant)
        await asyncio.sleep(0.002)


def test_merchant_school_enters_board(micropython):
    """All ten merchants arrive once, with their exact money.

    Their tax is tested in tests/core/test_city.py, because a status line does not show it apart from trade.
    """
    if seed_school.read_program() is None:
        pytest.skip("the tutorial is not in ../shared/seeds")

    async def story():
        async with SimulatedBoard(speed=50, micropython=micropython) as board:
            _, after, printed = await seed_school.run_program(*split_address(board), lambda: board.status)
            assert "Connected to city DESKTOWN\n" in printed
            assert after["roads"][seed_school.NAME]["refused"] == 0

    asyncio.run(story())


@pytest.mark.parametrize("key", [None, bytes(range(32))], ids=["open", "keyed"])
def test_hundred_merchants_travel_each_way(micropython, key):
    async def story():
        async with SimulatedBoard(speed=500, micropython=micropython, key=key) as board:
            city = City("SEASIDE", 2, 40)
            network = Network(city, port=56000, log=lambda event, text: board.lines.append(text), key=key)
            await network.start()
            # Started here, cancelled when enough merchants have travelled.
            running = asyncio.create_task(run_cities([city], 500))
            try:
                network.dial(*split_address(board))

                def is_enough(status):
                    end = status["roads"].get("SEASIDE")
                    return end and min(end["sent"] - end["waiting"], end["received"]) >= MERCHANTS

                await board.wait_for(is_enough, 60)
                running.cancel()
                road = city.roads["DESKTOWN"]

                # No merchant leaves a city whose time stands still, so all that left it arrive at the board; and each
                # merchant that left the board has been admitted, or waits. Started here, cancelled with the test.
                running = asyncio.create_task(admit_merchants(city, road))

                def count_arrived():
                    return road.received + len(road.inbound)

                def is_complete(status):
                    end = status["roads"]["SEASIDE"]
                    return end["received"] == road.sent and end["sent"] - end["waiting"] == count_arrived()

                status = await board.wait_for(is_complete, 60)
                assert status["roads"]["SEASIDE"]["lost"] == road.lost == 0
                assert road.sent >= MERCHANTS and count_arrived() >= MERCHANTS
            finally:
                running.cancel()
                await network.close()

    asyncio.run(story())


def test_board_rejects_roads_that_need_too_much_memory(micropython):
    """Five cities dial; the board accepts as many as its memory allows, rejects the others, and goes on."""

    async def story():
        async with contextlib.AsyncExitStack() as stack:
            board = await stack.enter_async_context(SimulatedBoard(speed=200, micropython=micropython))
            cities = [City("CITY%d" % n, n) for n in range(5)]
            for city in cities:
                network = Network(city, port=56000, log=lambda event, text: None)
                await network.start()
                stack.push_async_callback(network.close)
                network.dial(*split_address(board))
            # Started here, cancelled with the test.
            running = asyncio.create_task(run_cities(cities, 200))
            stack.callback(running.cancel)
            start = (await board.wait_for(lambda status: status["roads"]))["tick"]

            def has_trade(status):
                ups = [road for road in status["roads"].values() if road["state"] == "up"]
                return status["tick"] > start + 3000 and len(ups) >= 2 and all(road["received"] for road in ups)

            await board.wait_for(has_trade, 120)

    asyncio.run(story())
