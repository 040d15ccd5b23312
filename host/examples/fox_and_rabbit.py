"""A forest in which foxes eat rabbits and merchants buy furs: a population that depends on an economy, and vice versa.

    deskonomy run host/examples/fox_and_rabbit.toml
    python host/examples/fox_and_rabbit.py 127.0.0.1:55555

Where rabbits are few, their fur is dear, and merchants buy it only while a city pays more. Each fur that is sold is a
rabbit less, so the market hunts, too, and the foxes have less to eat.
"""

import argparse
import asyncio

from deskonomy_host import Merchant, Road
from trading_post import trade

NAME, GOOD = "FOREST", "fur"
DAYS_PER_S = 10
# The equations of Lotka and Volterra, per day; the forest has room for RABBITS_MAX rabbits.
BIRTHS, EATEN, FED, DEATHS, RABBITS_MAX = 0.08, 0.001, 0.0002, 0.05, 1500


class Forest:
    """A number of rabbits and of foxes. sold: the furs that merchants have bought."""

    def __init__(self, rabbits: float = 400.0, foxes: float = 40.0) -> None:
        self.rabbits = rabbits
        self.foxes = foxes
        self.sold = 0

    def live_one_day(self) -> None:
        """Let rabbits and foxes be born and die."""
        meetings = self.rabbits * self.foxes
        growth = BIRTHS * self.rabbits * (1 - self.rabbits / RABBITS_MAX)
        self.rabbits = max(2, self.rabbits + growth - EATEN * meetings)
        self.foxes = max(2, self.foxes + FED * meetings - DEATHS * self.foxes)

    @property
    def price(self) -> float:
        """Coins for a fur: 5 with 400 rabbits, twice as much with half as many."""
        return round(min(100.0, 2000 / self.rabbits), 3)

    def sell(self, merchant: Merchant) -> None:
        """Let a merchant buy furs, or only learn the price."""
        furs = trade(merchant, NAME, GOOD, self.price, stock=self.rabbits / 10)
        self.rabbits -= furs
        self.sold += furs

    def __str__(self) -> str:
        living = f"{self.rabbits:.0f} rabbits, {self.foxes:.0f} foxes"
        return f"{living}, {self.sold} furs sold, a fur is {self.price:.2f} coins"


async def serve_merchants(forest: Forest, road: Road) -> None:
    """Trade with every merchant that arrives, and send it home."""
    async for merchant in road:
        forest.sell(merchant)
        await road.send(merchant)


async def main(address: str, days: int) -> None:
    """Run the forest beside the city at this address for a number of days."""
    forest = Forest()
    async with Road.dial(address, name=NAME) as road, asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(serve_merchants(forest, road))
        for day in range(days):
            forest.live_one_day()
            if day % 50 == 0:
                print(f"day {day}: {forest}", flush=True)
            await asyncio.sleep(1 / DAYS_PER_S)
        serving.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("--days", type=int, default=3650)
    options = parser.parse_args()
    asyncio.run(main(options.address, options.days))
