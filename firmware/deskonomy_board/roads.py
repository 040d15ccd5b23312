"""The board's roads to other cities, from the moment that the board has an address.

Here: the limits that an ESP32's few sockets and small memory set. Not here: the Wi-Fi, which finds the address
(wifi.py), the roads themselves (deskonomy/wire/network.py).
"""

import gc
from binascii import unhexlify

from deskonomy.compat import TYPE_CHECKING
from deskonomy.wire.network import Network
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Callable

    from deskonomy.economy.city import City

_LINE_BYTES_MAX = const(8192)
_CAPACITY = const(4)  # merchants that a road holds each way
_CONNECTIONS_MAX = const(6)  # of the 10 sockets that an ESP32 has in all
_RESERVE_BYTES = const(10_000)  # of heap that no connection and no merchant may use: the city itself needs them


class BoardRoads:
    """The roads of a board's city.

    Attributes:
        network: The network of the city; None before there is an address.
        server: The asyncio server that listens for peers; None before there is an address.
        address: "HOST:PORT" where peers reach this city; None before there is an address.
    """

    def __init__(
        self,
        city: "City",
        port: int,
        addresses: list[str],
        key: "str | None",
        log: "Callable[[str, str], None]",
    ) -> None:
        """Keep the settings for listen_at().

        Args:
            city: The city that the roads lead to.
            port: The port to listen on; if it is taken, the next free port.
            addresses: Addresses to dial, "HOST:PORT".
            key: The key that every peer needs, in hex; None for no key.
            log: Called with an event and a line of text.
        """
        self._city = city
        self._port = port
        self._addresses = addresses
        self._key = unhexlify(key) if key else None
        self._log = log
        self.network = None
        self.server = None
        self.address = None

    async def listen_at(self, host: str) -> None:
        """Listen at the board's new address, and dial every peer. Raises OSError and MemoryError."""
        network = self.network
        if network is None:
            network = Network(
                self._city,
                port=self._port,
                line_max=_LINE_BYTES_MAX,
                capacity=_CAPACITY,
                connections_max=_CONNECTIONS_MAX,
                log=self._log,
                has_memory=self._has_memory,
                key=self._key,
            )
        await network.listen_at(host)
        self.network = network
        self.server = network.server
        self.address = "%s:%d" % (host, network.port)
        while self._addresses:
            self.dial(self._addresses.pop(0))

    def silence_ms(self) -> int:
        """Return the milliseconds since any peer was heard; an hour if there is no connection.

        Call this at least once in six days: the clock of the roads has to see each wrap of the ticks.
        """
        return self.network.silence_ms() if self.network else 3_600_000

    def dial(self, address: object) -> None:
        """Keep a road to "HOST:PORT", from the moment that the board has an address. Raises ValueError."""
        text = address if isinstance(address, str) else ""
        host, _, port = text.rpartition(":")
        if not (host and port.isdigit() and 1 <= int(port) <= 65535):
            raise ValueError('connect takes "HOST:PORT"')
        if self.network is None:
            self._addresses.append(text)
        else:
            self.network.dial(host, int(port))

    def _has_memory(self, size_bytes):
        """Return whether a connection or a merchant may use so many bytes of heap."""
        if gc.mem_free() < _RESERVE_BYTES + size_bytes:
            gc.collect()  # takes a board some milliseconds, and is seldom needed
        return gc.mem_free() >= _RESERVE_BYTES + size_bytes
