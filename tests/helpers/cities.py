"""Cities with roads over TCP in the test's own process.

Here: opening a city's network, moving merchants by hand, and reading a status. Not here: peers that do not run this
project's code (peers.py).
"""

import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from core.event_log import EventLog
from deskonomy import status
from deskonomy.economy.city import City
from deskonomy.economy.merchant import Merchant
from deskonomy.wire.network import Network

FIRST_PORT = 56000  # a city takes the next free one above

# Prices that make a merchant's line some 6 KiB long.
MANY_PRICES = {
    good: {"CITY NUMBER %05d" % n: 123_456 for n in range(60)} for good in ("wood", "chair", "thread", "bed")
}


class LoggingNetwork(Network):
    """A network that keeps what it logs. log_lines: the texts, in order."""

    def __init__(self, city: City, **options: Any) -> None:
        self.event_log = EventLog()
        self.log_lines: list[str] = self.event_log.texts
        super().__init__(city, log=self.event_log, **options)

    def find_texts(self, event: str) -> list[str]:
        """Return the texts that were logged with this type of event."""
        return [text for known, text in zip(self.event_log.events, self.log_lines, strict=True) if known == event]


@contextlib.asynccontextmanager
async def open_network(
    name: str, locals_: int = 0, merchants: int = 0, port: int = FIRST_PORT, **options: Any
) -> AsyncIterator[LoggingNetwork]:
    """Yield the network of a new city that listens; close it at the end of the block.

    Args:
        name: the city's name.
        locals_: how many locals it has.
        merchants: how many merchants it has.
        port: the port that it tries first.
        options: further arguments of Network.

    Raises:
        AssertionError: a background task of the network has failed.
    """
    network = LoggingNetwork(City(name, 1, locals_, merchants), port=port, **options)
    await network.start()
    try:
        yield network
    finally:
        await network.close()
    network.event_log.check()


def is_road_up(network: Network, name: str) -> bool:
    """Return whether merchants can be sent to the city of this name."""
    road = network.city.roads.get(name)
    return road is not None and road.state == "up"


def send_merchants(network: Network, name: str, amounts_mills: Iterable[int], prices_mills: Any = None) -> None:
    """Send a merchant with each amount of money to the city of this name."""
    for money_mills in amounts_mills:
        network.city.roads[name].send(Merchant("chair", money_mills, prices_mills=prices_mills))


def take_moneys(network: Network, name: str) -> list[int]:
    """Take every merchant that has arrived from the city of this name; return the money of each in mills."""
    road = network.city.roads[name]
    moneys = []
    while road.inbound:
        moneys.append(road.take().money_mills)
    return moneys


def read_status(network: Network) -> dict[str, Any]:
    """Return the city's status line as a dict."""
    return json.loads(status.format_status(network.city))
