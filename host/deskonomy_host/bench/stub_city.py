"""A stub city: the least that a road needs at its end, so that only the road is measured.

Here: the stub, and the two processes of a road between hosts: `python -m deskonomy_host.bench.stub_city receive COUNT
ROUNDS` prints its port, then its rate and peak memory for each round, as lines of JSON; `... send PORT` sends without
end. Not here: starting these processes (road.py).
"""

import asyncio
import contextlib
import json
import sys
import time
from typing import TYPE_CHECKING, cast

from deskonomy.economy.merchant import Merchant
from deskonomy.wire.network import Network

if TYPE_CHECKING:
    from deskonomy.economy.city import City
    from deskonomy.roads.wire_road import WireRoad

CITIES = ("PORTSVILLE", "RIVERWOOD", "SEASIDE", "WINTERHOLD")
GOODS = ("bed", "chair", "thread", "wood")
PORT_MIN = 56_000  # ports from here on, away from the usual port of cities
UP_WITHIN_S = 60  # a deadline for a busy machine


class StubCity:
    """A stub city that listens on loopback, inside `async with`; its roads send() and take() merchants.

    Attributes:
        name: its name.
        roads: {peer: WireRoad}.
        port: the port on which it listens.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.roads: dict[str, WireRoad] = {}
        self.ledger = None  # the network sets it
        self._network = Network(cast("City", self), port=PORT_MIN, log=lambda event, text: None)

    async def __aenter__(self):
        await self._network.start()
        self.port = self._network.port
        return self

    async def __aexit__(self, *_):
        await self._network.close()

    def open_road(self, road: "WireRoad") -> None:
        """Add a road; the network calls this."""
        self.roads[road.name] = road

    def close_road(self, name: str) -> None:
        """Remove a road; the network calls this."""
        del self.roads[name]

    def dial(self, host: str, port: int) -> None:
        """Keep a road to this address."""
        self._network.dial(host, port)

    async def road_up(self) -> "WireRoad":
        """Wait for a road that is up, and return it. Raises TimeoutError."""
        async with asyncio.timeout(UP_WITHIN_S):
            while True:
                for road in self.roads.values():
                    if road.state == "up":
                        return road
                await asyncio.sleep(0.01)


def make_merchant() -> Merchant:
    """Return a merchant that knows four goods in four cities: a line of some 500 bytes."""
    return Merchant("chair", 1_211_480, 20, 3, {good: dict.fromkeys(CITIES, 20_342) for good in GOODS})


async def receive(count: int, rounds: int) -> None:
    """Receive `count` merchants, `rounds` times, and print the rate and the peak memory of each round."""
    async with StubCity("IN") as city:
        print(json.dumps(city.port), flush=True)
        road = await city.road_up()
        for _ in range(rounds):
            while road.take():
                pass  # an arrival between two rounds counts for neither
            start = time.perf_counter()
            arrived = 0
            while arrived < count:
                await asyncio.sleep(0)  # as an unpaced city does
                while road.take():
                    arrived += 1
            spent_s = time.perf_counter() - start
            print(json.dumps({"merchants_per_s": arrived / spent_s, "peak_kib": peak_kib()}), flush=True)


async def send(port: int) -> None:
    """Send merchants to this port as long as the road is up."""
    async with StubCity("OUT") as city:
        city.dial("127.0.0.1", port)
        road = await city.road_up()
        while road.state == "up":
            for _ in range(road.credit()):
                road.send(make_merchant())
            await asyncio.sleep(0)


def peak_kib() -> int:
    """Return the peak memory of this process, in KiB."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        # getrusage() includes the process that started this one.
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


if __name__ == "__main__":
    ends = {"receive": receive, "send": send}
    asyncio.run(ends[sys.argv[1]](*map(int, sys.argv[2:])))
