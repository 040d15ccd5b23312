"""Two worlds on two machines, joined by a ferry that runs on either of them, or on a third.

    on one machine      deskonomy run RIVERWOOD SEASIDE --listen 0.0.0.0
    on another          deskonomy run PORTSVILLE WINTERHOLD --listen 0.0.0.0
    on any              python two_worlds.py RIVERWOOD 192.168.1.5:55555 PORTSVILLE 192.168.1.6:55555

Machines that can reach each other need no ferry: --connect joins them. But a ferry shows what a road is: it calls
itself PORTSVILLE in RIVERWOOD and RIVERWOOD in PORTSVILLE, and carries every merchant to the other side.
"""

import argparse
import asyncio
import contextlib

from deskonomy_host import Road


async def carry(source: Road, target: Road, carried: dict[str, int]) -> None:
    """Send every merchant that arrives by one road on by the other, and count it."""
    async for merchant in source:
        await target.send(merchant)
        carried[target.peer] += 1
        route = f"{source.peer} to {target.peer}"
        print(f"{merchant.good} merchant with {merchant.money:,.2f} coins: {route}", flush=True)


async def run_ferry(
    west_city: str, west_address: str, east_city: str, east_address: str, seconds: float | None = None
) -> dict[str, int]:
    """Join two cities for some seconds, or without end; return {city: merchants carried there}."""
    carried = {west_city: 0, east_city: 0}
    async with Road.dial(west_address, name=east_city) as west, Road.dial(east_address, name=west_city) as east:
        for road, name in ((west, west_city), (east, east_city)):
            if road.peer != name:
                raise SystemExit(f"the city there is called {road.peer}, not {name}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(carry(west, east, carried), carry(east, west, carried))
    return carried


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    for side in ("west", "east"):
        parser.add_argument(f"{side}_city", metavar="CITY")
        parser.add_argument(f"{side}_address", metavar="HOST:PORT")
    parser.add_argument("--seconds", type=float, help="how long; without end by default")
    options = parser.parse_args()
    ends = (options.west_city, options.west_address, options.east_city, options.east_address)
    asyncio.run(run_ferry(*ends, options.seconds))
