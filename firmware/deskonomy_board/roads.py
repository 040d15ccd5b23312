"""The board's way to other cities: its roads, from the moment that there is Wi-Fi.

Here: what a board's few sockets and its small memory leave for roads. Not here: Wi-Fi itself (wifi.py), which says
where the board is; the roads (deskonomy/tcp.py).
"""

import gc
from binascii import unhexlify

from deskonomy.wire.network import Roads
from micropython import const

_LINE_MAX = const(8192)  # bytes of a line that is read
_ROOM = const(4)  # merchants that a road holds each way
_CONNECTIONS_MAX = const(6)  # of the 10 sockets that an ESP32 has in all
_RESERVE = const(10_000)  # bytes of heap that nobody who comes may use: what has to go on in any case needs them


class Travel:
    """Opens this city's roads. port: to listen on, or the next free one. peers: ["HOST:PORT"] to dial. key: in hex."""

    def __init__(self, city, port, peers, key=None, log=print):
        self._city = city
        self._port = port
        self._peers = peers
        self._key = key and unhexlify(key)
        self._log = log
        self._roads = None
        self.server = None
        self.address = None  # "HOST:PORT" where others reach this city, once there is one

    async def move(self, host):
        """The board has this address now: listen there, and dial everybody."""
        roads = self._roads
        if roads is None:
            roads = Roads(
                self._city,
                port=self._port,
                line_max=_LINE_MAX,
                room=_ROOM,
                connections_max=_CONNECTIONS_MAX,
                log=self._log,
                has_memory=self._has_memory,
                key=self._key,
            )
        await roads.listen_at(host)
        self._roads = roads
        self.server = roads.server
        self.address = "%s:%d" % (host, roads.port)
        while self._peers:
            self.dial(self._peers.pop(0))

    def quiet_ms(self):
        """Milliseconds since anybody was heard on a road; hours if there is none."""
        return self._roads.quiet_ms()

    def dial(self, address):
        """Keep a road to "HOST:PORT", at once or from when there is Wi-Fi. Raises ValueError."""
        host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
        if not (host and port.isdigit() and 1 <= int(port) <= 65535):
            raise ValueError('connect takes "HOST:PORT"')
        if self._roads is None:
            self._peers.append(address)
        else:
            self._roads.dial(host, int(port))

    def _has_memory(self, bytes_):
        """Whether so many bytes of heap may be used."""
        if gc.mem_free() < _RESERVE + bytes_:
            gc.collect()  # it takes a board some milliseconds, and is seldom needed
        return gc.mem_free() >= _RESERVE + bytes_
