"""A board's city outlives resets in the middle of trade: nobody is lost or doubled."""

import asyncio
import random

from core import scenarios
from deskonomy.economy.city import City
from deskonomy.economy.clock import drive
from deskonomy.wire.network import Roads
from deskonomy_host.boards.simulator.board import SimulatedBoard
from proofs.chaos.town import free_ports

RESETS = 4


def test_resets_in_the_middle_of_trade(micropython):
    """The board is on a heap with room to spare: what fits into a real one is not the question here."""

    async def story():
        chance = random.Random(5)
        board = SimulatedBoard(speed=200, port=free_ports(1)[0], micropython=micropython, heap="240k")
        async with board:
            city = City("SEASIDE", 2)
            money = scenarios.money_mills([city]) + 30_000_000  # 20 locals and 10 merchants with 1000 coins each
            roads = Roads(city, port=56000, log=board.lines.append)
            await roads.start()
            # Started here, ended when the last reset is over.
            living = asyncio.create_task(drive([city], 200))
            try:
                host, port = board.address.split(":")
                roads.dial(host, int(port))
                for _ in range(RESETS):
                    before = (await up(board, city)).received
                    await board.wait_for(lambda _: city.roads["DESKTOWN"].received > before + 3, 60)  # noqa: B023
                    await asyncio.sleep(chance.random())  # any moment
                    board.lines.clear()
                    await board.machine.hard_reset()
                    await board.wait_for(lambda _: goes_on(board) and goes_on(board)[0] > 0, 60)
                await up(board, city)
                living.cancel()

                def settled(status):
                    """Its status and this moment agree: all who have left either city have come to the other."""
                    end, road = status["roads"]["SEASIDE"], city.roads["DESKTOWN"]
                    while road.inbound:
                        city.admit(road.take())
                    return end["waiting"] == 0 and end["sent"] == road.received and end["received"] == road.sent

                status = await board.wait_for(settled, 60)
                total = round(status["money"]["total"] * 1000) + scenarios.money_mills([city])
                assert total == money
            finally:
                living.cancel()
                await roads.close()

    asyncio.run(story())


async def up(board, city):
    """The host's road to the board, once it is up."""
    await board.wait_for(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up", 60)
    return city.roads["DESKTOWN"]


def goes_on(board):
    """The ticks from which it said that it goes on."""
    said = "DESKTOWN goes on from tick "
    return [int(line[len(said) :]) for line in board.lines if line.startswith(said)]
