"""The far end of a road: as little of a city as a road needs, so that only the road is measured.

Here: the stand-in, and the two processes of a host-host road: `python -m deskonomy_host.bench.harbour receive COUNT
ROUNDS` prints its port, then its rate and peak memory for each round, as lines of JSON; `... send PORT` sends for ever.
Not here: who starts them (road.py).
"""

import asyncio
import contextlib
import json
import sys
import time

from deskonomy.economy.merchant import Merchant
from deskonomy.wire.network import Roads

CITIES = ("PORTSVILLE", "RIVERWOOD", "SEASIDE", "WINTERHOLD")
GOODS = ("bed", "chair", "thread", "wood")
SEARCHED_FROM = 56_000  # ports, away from where cities usually listen
UP_WITHIN_S = 60  # a deadline, not a wait, on a machine that does much else


class Harbour:
    """`async with Harbour(name) as harbour`: listens on loopback. Merchants go out by .send() and come in by .take().

    roads: {name: Road}, as of a city. port: where it listens.
    """

    def __init__(self, name):
        self.name = name
        self.roads = {}
        self.ledger = None  # set by Roads
        self._network = Roads(self, port=SEARCHED_FROM, log=lambda line: None)

    async def __aenter__(self):
        await self._network.start()
        self.port = self._network.port
        return self

    async def __aexit__(self, *_):
        await self._network.close()

    def open_road(self, road):
        """What Roads asks of a city."""
        self.roads[road.name] = road

    def close_road(self, name):
        """What Roads asks of a city."""
        del self.roads[name]

    def dial(self, host, port):
        """Keep a road to this address."""
        self._network.dial(host, port)

    async def road_up(self):
        """The first road that is up. Raises TimeoutError."""
        async with asyncio.timeout(UP_WITHIN_S):
            while True:
                for road in self.roads.values():
                    if road.state == "up":
                        return road
                await asyncio.sleep(0.01)


def merchant():
    """One that knows four goods in four cities: a line of some 500 bytes."""
    return Merchant("chair", 1_211_480, 20, 3, {good: dict.fromkeys(CITIES, 20_342) for good in GOODS})


async def receive(count, rounds):
    """Let so many merchants in, so often."""
    async with Harbour("IN") as harbour:
        print(json.dumps(harbour.port), flush=True)
        road = await harbour.road_up()
        for _ in range(rounds):
            while road.take():
                pass  # who came in between counts for no round
            start = time.perf_counter()
            arrived = 0
            while arrived < count:
                await asyncio.sleep(0)  # as a city does that ticks as fast as it can
                while road.take():
                    arrived += 1
            spent_s = time.perf_counter() - start
            print(json.dumps({"merchants_per_s": arrived / spent_s, "peak_kib": peak_kib()}), flush=True)


async def send(port):
    """Send merchants to this port for as long as the road is up."""
    async with Harbour("OUT") as harbour:
        harbour.dial("127.0.0.1", port)
        road = await harbour.road_up()
        while road.state == "up":
            for _ in range(road.space()):
                road.send(merchant())
            await asyncio.sleep(0)


def peak_kib():
    """The most memory that this process has had so far, in KiB."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        # What getrusage() says includes whoever started this process.
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


if __name__ == "__main__":
    ends = {"receive": receive, "send": send}
    asyncio.run(ends[sys.argv[1]](*map(int, sys.argv[2:])))
