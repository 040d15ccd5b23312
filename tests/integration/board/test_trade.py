"""The simulated board trades: with the tutorial's Merchant School, and with a host, a hundred merchants each way."""

import asyncio
import contextlib

import pytest
from deskonomy.economy.city import City
from deskonomy.economy.clock import drive
from deskonomy.wire.network import Roads
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers import seed_school as school

HUNDRED = 100


def address(board):
    host, port = board.address.split(":")
    return host, int(port)


async def let_in(city, road):
    """Whoever comes by this road enters, though the city's time stands still."""
    while True:
        merchant = road.take()
        if merchant is not None:
            city.admit(merchant)
        await asyncio.sleep(0.002)


def test_the_merchant_school_walks_into_the_board(micropython):
    """All ten arrive once, with their money to the mill. What tax they pay, tests/core/test_city.py shows on the
    same interpreter; a status line alone cannot tell it from trade."""
    if school.script() is None:
        pytest.skip("the tutorial does not lie beside this project, in ../shared/seeds")

    async def story():
        async with SimulatedBoard(speed=50, micropython=micropython) as board:
            _, after, printed = await school.attend(*address(board), lambda: board.status)
            assert "Connected to city DESKTOWN\n" in printed
            assert after["roads"][school.NAME]["refused"] == 0

    asyncio.run(story())


@pytest.mark.parametrize("key", [None, bytes(range(32))], ids=["open", "keyed"])
def test_a_hundred_merchants_each_way(micropython, key):
    async def story():
        async with SimulatedBoard(speed=500, micropython=micropython, key=key) as board:
            city = City("SEASIDE", 2, 40)
            roads = Roads(city, port=56000, log=board.lines.append, key=key)
            await roads.start()
            # Started here, ended when enough have travelled.
            living = asyncio.create_task(drive([city], 500))
            try:
                roads.dial(*address(board))

                def enough(status):
                    end = status["roads"].get("SEASIDE")
                    return end and min(end["sent"] - end["waiting"], end["received"]) >= HUNDRED

                await board.wait_for(enough, 60)
                living.cancel()
                road = city.roads["DESKTOWN"]

                # Nobody leaves a city whose time stands still, so all that left it arrive at the board; and whoever
                # left the board has entered, or waits before the gate. Started here, ended with the test.
                living = asyncio.create_task(let_in(city, road))

                def came():
                    return road.received + len(road.inbound)

                def counted(status):
                    end = status["roads"]["SEASIDE"]
                    return end["received"] == road.sent and end["sent"] - end["waiting"] == came()

                status = await board.wait_for(counted, 60)
                assert status["roads"]["SEASIDE"]["lost"] == road.lost == 0
                assert road.sent >= HUNDRED and came() >= HUNDRED
            finally:
                living.cancel()
                await roads.close()

    asyncio.run(story())


def test_more_roads_than_its_memory_has_room_for(micropython):
    """Five cities dial; the board takes as many as it can feed, tells the others no, and goes on."""

    async def story():
        async with contextlib.AsyncExitStack() as stack:
            board = await stack.enter_async_context(SimulatedBoard(speed=200, micropython=micropython))
            cities = [City("CITY%d" % n, n) for n in range(5)]
            for city in cities:
                roads = Roads(city, port=56000, log=lambda line: None)
                await roads.start()
                stack.push_async_callback(roads.close)
                roads.dial(*address(board))
            # Started here, ended with the test.
            living = asyncio.create_task(drive(cities, 200))
            stack.callback(living.cancel)
            start = (await board.wait_for(lambda status: status["roads"]))["tick"]

            def lives(status):
                ups = [road for road in status["roads"].values() if road["state"] == "up"]
                return status["tick"] > start + 3000 and len(ups) >= 2 and all(road["received"] for road in ups)

            await board.wait_for(lives, 120)

    asyncio.run(story())
