"""The city of a board survives resets in the middle of trade: no merchant is lost or sent twice."""

import asyncio
import random

from core import scenarios
from deskonomy.economy.city import City
from deskonomy.economy.clock import run_cities
from deskonomy.wire.network import Network
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers.ports import find_free_ports

RESETS = 4


def test_money_is_conserved_by_resets_in_the_middle_of_trade(micropython):
    """The heap is larger than necessary, because this test is not about memory."""

    async def story():
        chance = random.Random(5)
        board = SimulatedBoard(speed=200, port=find_free_ports(1)[0], micropython=micropython, heap="240k")
        async with board:
            city = City("SEASIDE", 2)
            money = scenarios.sum_money_mills([city]) + 30_000_000  # 20 locals and 10 merchants with 1000 coins each
            network = Network(city, port=56000, log=lambda event, text: board.lines.append(text))
            await network.start()
            # Started here, cancelled after the last reset.
            running = asyncio.create_task(run_cities([city], 200))
            try:
                host, port = board.address.split(":")
                network.dial(host, int(port))
                for _ in range(RESETS):
                    before = (await wait_for_road(board, city)).received
                    await board.wait_for(lambda _: city.roads["DESKTOWN"].received > before + 3, 60)  # noqa: B023
                    await asyncio.sleep(chance.random())  # an arbitrary moment
                    board.lines.clear()
                    await board.machine.hard_reset()
                    await board.wait_for(lambda _: any(tick > 0 for tick in read_restored_ticks(board)), 60)
                await wait_for_road(board, city)
                running.cancel()

                def is_complete(status):
                    """Return whether every merchant that has left a city has arrived in the other, by this status."""
                    end, road = status["roads"]["SEASIDE"], city.roads["DESKTOWN"]
                    while road.inbound:
                        city.admit(road.take())
                    return end["waiting"] == 0 and end["sent"] == road.received and end["received"] == road.sent

                status = await board.wait_for(is_complete, 60)
                total = round(status["money"]["total"] * 1000) + scenarios.sum_money_mills([city])
                assert total == money
            finally:
                running.cancel()
                await network.close()

    asyncio.run(story())


async def wait_for_road(board, city):
    """Return the host's road to the board when the board's end is up."""
    await board.wait_for(lambda status: status["roads"].get("SEASIDE", {}).get("state") == "up", 60)
    return city.roads["DESKTOWN"]


def read_restored_ticks(board):
    """Return the ticks from which the board has restored its city, by its log."""
    prefix = "DESKTOWN goes on from tick "
    return [int(line.removeprefix(prefix)) for line in board.lines if line.startswith(prefix)]
