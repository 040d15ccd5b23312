"""The board's Wi-Fi: joining a network, and what is known of the link.

Here: one station. Not here: who talks over it (deskonomy/tcp.py).
"""

import asyncio

import network
from micropython import const

_LOOK_MS = const(200)
_TRY_MS = const(15_000)  # what a network gets before the next one is tried


class Wifi:
    """The station. networks: [[name, password]], the first that answers is taken. hostname: NAME of NAME.local."""

    def __init__(self, networks, hostname, log=print):
        self._networks = networks
        self._log = log
        network.hostname("".join([c if c.isalpha() or c.isdigit() else "-" for c in hostname.lower()])[:32])
        self._station = network.WLAN(network.STA_IF)

    async def join(self):
        """Join one of the networks, however long it takes. Returns the board's address, such as "192.168.1.20"."""
        if not self._networks:
            self._log("no Wi-Fi: config.json names no network, so this city stays alone")
        self._station.active(True)
        while True:
            for name, password in self._networks:
                if await self._try(name, password):
                    address = self.address()
                    self._log("on Wi-Fi %s as %s" % (name, address))
                    return address
                self._log("no answer from Wi-Fi %s: is it in reach, is the password right?" % name)
            await asyncio.sleep_ms(_LOOK_MS)

    async def _try(self, name, password):
        # After a soft reset the station is often still on its network, and may not be told to join it again.
        if self._station.isconnected() and self._station.config("ssid") == name:
            return True
        try:
            self._station.disconnect()
            self._station.connect(name, password)
        except OSError as error:
            self._log("Wi-Fi: %s" % error)
        for _ in range(_TRY_MS // _LOOK_MS):
            if self._station.isconnected():
                return True
            await asyncio.sleep_ms(_LOOK_MS)
        return False

    def address(self):
        """The board's address, None while it is on no network."""
        return self._station.ipconfig("addr4")[0] if self._station.isconnected() else None

    def rssi(self):
        """The signal's strength in dBm, None while it is on no network."""
        return self._station.status("rssi") if self._station.isconnected() else None
