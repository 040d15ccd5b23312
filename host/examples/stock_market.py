"""A city whose prices follow a recorded series: what happens on the exchange happens to the carpenters.

    deskonomy run RIVERWOOD SEASIDE
    python host/examples/stock_market.py 127.0.0.1:55555 127.0.0.1:55556

EXCHANGE buys and sells beds at the price of the day, any amount, as in stock_market.csv (made up, and it says so; any
file with a header and two columns, day and price, will do: --series). Merchants take the boom and the crash home.
"""

import argparse
import asyncio
import contextlib
import csv
from pathlib import Path

from deskonomy_host import Road
from trading_post import trade

NAME, GOOD = "EXCHANGE", "bed"
SERIES = Path(__file__).with_name("stock_market.csv")


def read(path):
    """The prices of a series in coins, the first day first."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        return [float(price) for _, price in rows]


class Exchange:
    """What is asked and bid today, and how many units it has bought in all."""

    def __init__(self, price):
        self.price = price
        self.holds = 0
        self.visitors = 0

    async def deal(self, road):
        """Trade with whoever comes by this road, and send them home."""
        async for merchant in road:
            self.holds -= trade(merchant, NAME, GOOD, self.price, stock=1000)
            self.visitors += 1
            await road.send(merchant)


async def main(addresses, series, days_per_s):
    """Stand open to the cities at these addresses, a price a day; returns the Exchange at the end of the series."""
    exchange, dealing = Exchange(series[0]), []
    async with contextlib.AsyncExitStack() as roads:
        for address in addresses:
            road = await roads.enter_async_context(Road.dial(address, name=NAME))
            # Started here, ended with the series.
            dealing.append(asyncio.create_task(exchange.deal(road)))
        for day, price in enumerate(series):
            exchange.price = price
            if day % 10 == 0:
                print(f"day {day}: {price:.2f} coins, {exchange.visitors} visitors, holds {exchange.holds}", flush=True)
            await asyncio.sleep(1 / days_per_s)
        for task in dealing:
            task.cancel()
    return exchange


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    words.add_argument("addresses", metavar="HOST:PORT", nargs="+")
    words.add_argument("--series", default=SERIES, metavar="FILE.csv")
    words.add_argument("--days-per-s", type=float, default=2.0)
    typed = words.parse_args()
    asyncio.run(main(typed.addresses, read(typed.series), typed.days_per_s))
