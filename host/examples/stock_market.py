"""A city whose prices follow a recorded series: the exchange rises and falls, and carpenters notice it.

    deskonomy run RIVERWOOD SEASIDE
    python host/examples/stock_market.py 127.0.0.1:55555 127.0.0.1:55556

EXCHANGE buys and sells any number of beds at the price of the day, from stock_market.csv (made up, as the file says).
--series takes any file with a header and the columns day and price. Merchants carry boom and crash home.
"""

import argparse
import asyncio
import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path

from deskonomy_host import Road
from trading_post import trade

NAME, GOOD = "EXCHANGE", "bed"
SERIES = Path(__file__).with_name("stock_market.csv")
STOCK = 1000  # units that a merchant can buy at most: more than it can carry


def read_series(path: str | Path) -> list[float]:
    """Return the prices of a series in coins, the first day first."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        return [float(price) for _, price in rows]


class Exchange:
    """The exchange. price: of today, in coins. holds: units that it has bought. visitors: merchants that have come."""

    def __init__(self, price: float) -> None:
        self.price = price
        self.holds = 0
        self.visitors = 0

    async def serve_merchants(self, road: Road) -> None:
        """Trade with every merchant that arrives by this road, and send it home."""
        async for merchant in road:
            self.holds -= trade(merchant, NAME, GOOD, self.price, STOCK)
            self.visitors += 1
            await road.send(merchant)


async def main(addresses: Sequence[str], series: Sequence[float], days_per_s: float) -> None:
    """Serve the cities at these addresses for as many days as the series has prices."""
    exchange = Exchange(series[0])
    async with contextlib.AsyncExitStack() as roads, asyncio.TaskGroup() as tasks:
        serving: list[asyncio.Task[None]] = []
        for address in addresses:
            road = await roads.enter_async_context(Road.dial(address, name=NAME))
            serving.append(tasks.create_task(exchange.serve_merchants(road)))
        for day, price in enumerate(series):
            exchange.price = price
            if day % 10 == 0:
                print(f"day {day}: {price:.2f} coins, {exchange.visitors} visitors, holds {exchange.holds}", flush=True)
            await asyncio.sleep(1 / days_per_s)
        for task in serving:
            task.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("addresses", metavar="HOST:PORT", nargs="+")
    parser.add_argument("--series", default=SERIES, metavar="FILE.csv")
    parser.add_argument("--days-per-s", type=float, default=2.0)
    options = parser.parse_args()
    asyncio.run(main(options.addresses, read_series(options.series), options.days_per_s))
