"""How soon a dead link is noticed, and how soon trade resumes once it is back: python tests/chaos/links.py --links 20

Here: two cities of ours in this process, a road over TCP through a proxy that falls silent. Not here: processes that
die (town.py). Dead: nothing gets through, and neither end is told. Exits 1 if it takes longer than is promised.
"""

import argparse
import asyncio
import pathlib
import sys
import time
from statistics import median

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.wire.network import Roads
from helpers.peers import until
from proofs.chaos.proxy import Proxy

NOTICED_S = 15.5  # the promise, and what a busy machine adds
RESUMED_S = 5  # in the median
KEY = bytes(range(32))


async def measure(count, say=print):
    """Let a link die and come back so often: (seconds until noticed, seconds until somebody arrives), two lists."""
    noticed, resumed = [], []
    one, other = [Roads(City(name, 1, 0, 0), port=58000, key=KEY, log=lambda line: None) for name in ("ONE", "OTHER")]
    await one.start()
    await other.start()
    async with Proxy(one.port) as link:
        other.dial("127.0.0.1", link.port)
        await until(lambda: is_up(one) and is_up(other))
        for number in range(count):
            await arrives(one, other)
            start = time.monotonic()
            link.change("dead")
            await until(lambda: not is_up(one) and not is_up(other))
            noticed.append(time.monotonic() - start)
            await asyncio.sleep(number % 5)
            link.reset()
            start = time.monotonic()
            link.change("plain")
            await arrives(one, other)
            resumed.append(time.monotonic() - start)
            say("noticed after %.1f s, trade again after %.1f s" % (noticed[-1], resumed[-1]))
    await one.close()
    await other.close()
    return noticed, resumed


def is_up(roads):
    return any(road.state == "up" for road in roads.city.roads.values())


async def arrives(one, other):
    """Send somebody as soon as there is a road, and wait until they enter."""
    await until(lambda: is_up(one))
    one.city.roads["OTHER"].send(Merchant("bed"))
    await until(lambda: other.city.roads["ONE"].take())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--links", type=int, default=20, help="how often the link dies")
    noticed, resumed = asyncio.run(measure(parser.parse_args().links))
    print("noticed after %.1f s at most, trade again after %.1f s in the median" % (max(noticed), median(resumed)))
    sys.exit(max(noticed) > NOTICED_S or median(resumed) > RESUMED_S)


if __name__ == "__main__":
    main()
