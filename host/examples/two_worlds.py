"""Two worlds on two machines, joined by a ferry that runs on either, or on a third.

    on one machine      deskonomy run RIVERWOOD SEASIDE --listen 0.0.0.0
    on another          deskonomy run PORTSVILLE WINTERHOLD --listen 0.0.0.0
    on any              python two_worlds.py RIVERWOOD 192.168.1.5:55555 PORTSVILLE 192.168.1.6:55555

Where the two can reach each other no ferry is needed: --connect does it. Here is what a road is, all the same: the
ferry calls itself PORTSVILLE in RIVERWOOD, RIVERWOOD in PORTSVILLE, and carries whoever comes to the other side.
"""

import argparse
import asyncio

from deskonomy_host import Road


async def carry(there, back, carried):
    """Take everybody who comes by one road to the other."""
    async for merchant in there:
        await back.send(merchant)
        carried[back.peer] += 1
        print(f"{merchant.good} merchant with {merchant.money:,.2f} coins: {there.peer} to {back.peer}", flush=True)


async def ferry(one, one_address, other, other_address, seconds=None):
    """Join two cities for so long, or for ever; returns {city: merchants brought there}."""
    carried = {one: 0, other: 0}
    async with Road.dial(one_address, name=other) as west, Road.dial(other_address, name=one) as east:
        for road, name in ((west, one), (east, other)):
            if road.peer != name:
                raise SystemExit(f"the city there is called {road.peer}, not {name}")
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(carry(west, east, carried), carry(east, west, carried))
        except TimeoutError:
            pass
    return carried


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    for name, metavar in (("one", "CITY"), ("its_address", "HOST:PORT"), ("other", "CITY"), ("its", "HOST:PORT")):
        words.add_argument(name, metavar=metavar)
    words.add_argument("--seconds", type=float, help="for so long; for ever unless said")
    typed = words.parse_args()
    asyncio.run(ferry(typed.one, typed.its_address, typed.other, typed.its, typed.seconds))
