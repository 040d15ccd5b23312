"""A forest in which foxes eat rabbits, and merchants buy furs: a population in an economy, and the other way round.

    deskonomy run host/examples/fox_and_rabbit.toml
    python host/examples/fox_and_rabbit.py 127.0.0.1:55555

Where rabbits are few, their fur is dear, and merchants take it home only while somebody there pays more. Each fur that
is sold is a rabbit less; so the market hunts, too, and the foxes feel it.
"""

import argparse
import asyncio

from deskonomy_host import Road
from trading_post import trade

NAME, GOOD = "FOREST", "fur"
DAYS_PER_S = 10
# Lotka and Volterra's equations, per day, with room for ROOM rabbits.
BIRTHS, EATEN, FED, DEATHS, ROOM = 0.08, 0.001, 0.0002, 0.05, 1500


class Forest:
    """So many rabbits and foxes. sold: furs that merchants took."""

    def __init__(self, rabbits=400.0, foxes=40.0):
        self.rabbits = rabbits
        self.foxes = foxes
        self.sold = 0

    def live(self):
        """One day."""
        meetings = self.rabbits * self.foxes
        self.rabbits = max(2, self.rabbits + BIRTHS * self.rabbits * (1 - self.rabbits / ROOM) - EATEN * meetings)
        self.foxes = max(2, self.foxes + FED * meetings - DEATHS * self.foxes)

    @property
    def price(self):
        """Coins for a fur: 5 where there are 400 rabbits, twice that where there are half as many."""
        return round(min(100.0, 2000 / self.rabbits), 3)

    def sell(self, merchant):
        """A merchant is here: it buys furs, or only hears the price."""
        furs = trade(merchant, NAME, GOOD, self.price, stock=self.rabbits / 10)
        self.rabbits -= furs
        self.sold += furs

    def __str__(self):
        living = f"{self.rabbits:.0f} rabbits, {self.foxes:.0f} foxes"
        return f"{living}, {self.sold} furs sold, a fur is {self.price:.2f} coins"


async def trappers(forest, road):
    """Trade with whoever comes, and send them home."""
    async for merchant in road:
        forest.sell(merchant)
        await road.send(merchant)


async def main(address, days):
    """The forest beside the city at this address, for so many days; returns it as it is then."""
    forest = Forest()
    async with Road.dial(address, name=NAME) as road:
        # Started here, ended with the last day.
        trading = asyncio.create_task(trappers(forest, road))
        for day in range(days):
            forest.live()
            if day % 50 == 0:
                print(f"day {day}: {forest}", flush=True)
            await asyncio.sleep(1 / DAYS_PER_S)
        trading.cancel()
    return forest


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    words.add_argument("address", metavar="HOST:PORT")
    words.add_argument("--days", type=int, default=3650)
    typed = words.parse_args()
    asyncio.run(main(typed.address, typed.days))
