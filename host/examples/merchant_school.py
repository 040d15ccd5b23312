"""The Merchant School: ten trained merchants walk into a city; those that come back are counted.

deskonomy run RIVERWOOD SEASIDE
python host/examples/merchant_school.py 127.0.0.1:55555
"""

import argparse
import asyncio

from deskonomy_host import Merchant, Road

# What the school has heard of the world: {good: {city: price in coins}}.
PRICES = {
    "bed": {"PORTSVILLE": 31.9, "RIVERWOOD": 16.95, "SEASIDE": 30.23, "WINTERHOLD": 32.66},
    "chair": {"PORTSVILLE": 11.05, "RIVERWOOD": 20.34, "SEASIDE": 10.71, "WINTERHOLD": 11.76},
}


async def teach(address, count, wait_s):
    """Send so many merchants to the city at this address, and wait a while for some to come back; returns how many."""
    async with Road.dial(address, name="PythonCity") as road:
        print(f"Connected to {road.peer}")
        for _ in range(count):
            await road.send(Merchant("chair", money=1211.48, owned=3, prices=PRICES))
        await road.arrived()
        print(f"{count} merchants have arrived in {road.peer}")
        returned = 0
        try:
            async with asyncio.timeout(wait_s):
                async for merchant in road:
                    returned += 1
                    print(f"One came back, {merchant.money - 1211.48:+.2f} coins, now in {merchant.good}s")
        except TimeoutError:
            pass
        return returned


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    words.add_argument("address", metavar="HOST:PORT")
    words.add_argument("--count", type=int, default=10)
    words.add_argument("--wait", type=float, default=10, metavar="SECONDS")
    typed = words.parse_args()
    print(f"{asyncio.run(teach(typed.address, typed.count, typed.wait))} came back")
