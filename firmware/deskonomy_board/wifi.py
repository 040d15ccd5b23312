"""The board's Wi-Fi: one task that owns the station and keeps it on a network.

Here: joining, waiting, and the radio off and on when it has gone deaf. Not here: when the radio is first switched on
(start.py), who talks over it (deskonomy/tcp.py).

isconnected() may stay True on a link that is dead, so traffic is the judge: while anybody is heard on a road, it lives.
When nobody is, the gateway is asked for a connection, and any answer will do, a refusal too. After two questions
without one the radio goes off and on; then less and less often, for there are gateways that answer nobody.
"""

import asyncio
import os

import network
from deskonomy.compat import discard, listens
from micropython import const

_LOOK_MS = const(200)
_TRY = const(75)  # looks that a network gets before the next one is tried
_WAIT = const(5)  # looks before all are tried again; doubles,
_WAIT_MAX = const(300)  # to a minute
_QUIET_MS = const(15_000)  # longer than peers of ours ever are
_ASK = const(75)  # looks without traffic before the gateway is asked; doubles with each restart in vain,
_ASK_MAX = const(3000)  # to ten minutes
_AGAIN = const(5)  # looks to the second question
_PAUSE = const(25)  # looks before listening is tried again
_DNS = const(53)  # where most gateways listen
_ANSWER_S = const(5)


class Wifi:
    """The station. networks: [[name, password]], tried in turn. looks: grows for as long as keep() lives."""

    def __init__(self, networks, log=print):
        self._networks = networks
        self._log = log
        self._station = network.WLAN(network.STA_IF)
        self._host = None
        self._ask = _ASK
        self.looks = 0

    async def keep(self, travel, *others):
        """Join a network and stay on it, for ever.

        When the board has another address than before, or the server of one of them no longer listens, await
        move(address) of travel, which also knows when anybody was heard, and of the others.
        """
        wait = _WAIT
        while True:
            try:
                joined = await self._join()
                if joined:
                    await self._stay(travel, others)
                if self._networks:
                    self._station.active(False)
                    self._station.active(True)
            except (OSError, RuntimeError) as error:  # such as "WiFi Out of Memory", or a number of the driver's own
                self._log("the radio says: %s" % error)
                joined = False
            if joined:
                wait = _WAIT
            else:
                # From half the wait to all of it, so that boards do not try in step after a power cut.
                await self._nap(wait - wait * os.urandom(1)[0] // 512)
                wait = min(2 * wait, _WAIT_MAX)

    async def _nap(self, looks):
        for _ in range(looks):
            self.looks += 1
            await asyncio.sleep_ms(_LOOK_MS)

    async def _join(self):
        """Try each network. Returns whether the station is on one."""
        station = self._station
        for name, password in self._networks:
            before = status = station.status()  # an old reason stays until there is another one
            if not station.isconnected():  # as it may be from before a soft reset
                try:
                    station.connect(name, password)
                except (OSError, RuntimeError) as error:  # as "Wifi Internal Error", which the radio off and on cures
                    self._log("Wi-Fi %s: %s" % (name, error))
                    continue
            for _ in range(_TRY):
                if station.isconnected():
                    self._log("on Wi-Fi %s as %s" % (station.config("ssid"), station.ipconfig("addr4")[0]))
                    return True
                status = station.status()
                if status < network.STAT_IDLE and status != before:  # the reason why not
                    break
                await self._nap(1)
            station.disconnect()
            if status == network.STAT_NO_AP_FOUND:
                self._log("no Wi-Fi %s in reach" % name)
            else:
                self._log("no answer from Wi-Fi %s (%d): is the password right?" % (name, status))
        return False

    async def _stay(self, travel, others):
        """Returns when the network is lost, or deaf."""
        station = self._station
        servers = (travel,) + others
        left, unanswered = self._ask, False
        while True:
            host = station.ipconfig("addr4")[0]
            if not station.isconnected():
                self._log("the Wi-Fi is gone")
                return
            for one in servers:
                if not listens(one.server):
                    self._host = None
            if host != self._host:
                try:
                    for one in servers:
                        await one.move(host)
                    self._host = host
                except (OSError, MemoryError) as error:  # such as no socket left
                    self._log("cannot listen at %s: %s" % (host, error))
                    await self._nap(_PAUSE)
                    continue
            await self._nap(1)
            left -= 1
            if travel.quiet_ms() < _QUIET_MS or (left <= 0 and await _answers(station.ipconfig("gw4"))):
                self._ask = left = _ASK
                unanswered = False
            elif left <= 0 and unanswered:
                self._log("nothing comes through the Wi-Fi: off and on")
                self._ask = min(2 * self._ask, _ASK_MAX)
                return
            elif left <= 0:
                left, unanswered = _AGAIN, True

    def rssi(self):
        """The signal's strength in dBm, None while it is on no network."""
        try:
            return self._station.status("rssi") if self._station.isconnected() else None
        except OSError:  # it has just gone
            return None


async def _answers(gateway):
    """Whether the gateway answers at all, if only to say no."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(gateway, _DNS), _ANSWER_S)
        await discard(writer)
        return True
    except (OSError, asyncio.TimeoutError):
        return False
