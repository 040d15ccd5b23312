"""The board's way to other cities: its roads, from the moment that there is Wi-Fi.

Here: what a board's few sockets and its small memory leave for roads. Not here: Wi-Fi itself (wifi.py), the roads
(deskonomy/tcp.py).
"""

import gc

from deskonomy.tcp import Roads
from micropython import const

_LINE_MAX = const(8192)  # bytes of a line that is read
_ROOM = const(4)  # merchants that a road holds each way
_CONNECTIONS_MAX = const(6)  # of the 10 sockets that an ESP32 has in all
_FREE_MIN = const(12_000)  # bytes of heap that one more busy road may come to need, at its worst


class Travel:
    """Opens this city's roads. port: to listen on, or the next free one. peers: ["HOST:PORT"] to dial."""

    def __init__(self, city, wifi, port, peers, log=print):
        self._city = city
        self._wifi = wifi
        self._port = port
        self._peers = peers
        self._log = log
        self._roads = None
        self.address = None  # "HOST:PORT" where others reach this city, once there is one

    async def start(self):
        """Join the Wi-Fi, however long it takes, then listen, and dial everybody."""
        host = await self._wifi.join()
        self._roads = Roads(
            self._city,
            listen=host,
            port=self._port,
            line_max=_LINE_MAX,
            room=_ROOM,
            connections_max=_CONNECTIONS_MAX,
            log=self._log,
            has_memory=_has_memory,
        )
        await self._roads.start()
        self.address = "%s:%d" % (host, self._roads.port)
        for peer in self._peers:
            self.dial(peer)

    def dial(self, address):
        """Keep a road to "HOST:PORT", at once or from when there is Wi-Fi. Raises ValueError."""
        host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
        if not (host and port.isdigit() and 1 <= int(port) <= 65535):
            raise ValueError('connect takes "HOST:PORT"')
        if self._roads is None:
            self._peers.append(address)
        else:
            self._roads.dial(host, int(port))


def _has_memory():
    gc.collect()
    return gc.mem_free() >= _FREE_MIN
