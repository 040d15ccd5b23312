"""The board's Wi-Fi: one task that owns the station and keeps it on a network.

Here: joining a network, waiting, and the restart of a radio that receives nothing. Not here: when the radio is first
switched on (boot_guard.py), the servers and roads on the network (http.py, roads.py).

isconnected() may stay True on a dead link, so traffic decides: the link is alive while any peer is heard on a road. If
no peer is heard, the board opens a connection to the gateway, and any answer counts, a refusal too. After two attempts
without an answer the radio is switched off and on; then less and less often, because some gateways never answer.
"""

import asyncio
import os

import network
from deskonomy.compat import TYPE_CHECKING, abort_stream, is_listening
from deskonomy.events import LISTEN_FAILED, WIFI_FAILED, WIFI_LOST, WIFI_UP
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deskonomy_board.http import HttpServer
    from deskonomy_board.roads import BoardRoads

_LOOK_MS = const(200)
# In looks, each 200 ms after the one before:
_JOIN_LOOKS = const(75)  # for a network to answer, before the next one is tried
_RETRY_LOOKS = const(5)  # before all networks are tried again; doubles each time,
_RETRY_LOOKS_MAX = const(300)  # to a minute
_ASK_LOOKS = const(75)  # without traffic, before the gateway is asked; doubles with each restart without effect,
_ASK_LOOKS_MAX = const(3000)  # to ten minutes
_ASK_AGAIN_LOOKS = const(5)  # to the second question
_LISTEN_LOOKS = const(25)  # before listening is tried again
_SILENCE_MS_MAX = const(15_000)  # longer than an acknowledging peer is ever silent
_DNS_PORT = const(53)  # where most gateways listen
_ANSWER_S = const(5)


class Wifi:
    """The station.

    Attributes:
        looks: How often the task has looked at the station; it grows for as long as the task runs.
    """

    def __init__(self, networks: list, log: "Callable[[str, str], None]") -> None:
        """Take the networks, [[name, password]], which are tried in their order."""
        self._networks = networks
        self._log = log
        self._station = network.WLAN(network.STA_IF)
        self._host = None
        self._ask_looks = _ASK_LOOKS
        self.looks = 0

    async def keep_connected(self, roads: "BoardRoads", servers: "Sequence[BoardRoads | HttpServer]") -> None:
        """Join a network and stay on it, for ever.

        When the board's address changes, or one of the servers stops listening, all of them listen again.

        Args:
            roads: The roads, which know when a peer was last heard.
            servers: All that listens: the roads, and the page if there is one.
        """
        wait = _RETRY_LOOKS
        while True:
            try:
                is_joined = await self._join()
                if is_joined:
                    await self._stay(roads, servers)
                if self._networks:
                    self._station.active(False)
                    self._station.active(True)
            except (OSError, RuntimeError) as error:  # such as "WiFi Out of Memory", or a number of the driver's own
                self._log(WIFI_FAILED, "the radio failed: %s" % error)
                is_joined = False
            if is_joined:
                wait = _RETRY_LOOKS
            else:
                # Half the wait to all of it at random, so that boards do not try in step after a power cut.
                await self._sleep(wait - wait * os.urandom(1)[0] // 512)
                wait = min(2 * wait, _RETRY_LOOKS_MAX)

    async def _sleep(self, looks):
        for _ in range(looks):
            self.looks += 1
            await asyncio.sleep_ms(_LOOK_MS)

    async def _join(self):
        """Try each network. Return whether the station is on one of them."""
        station = self._station
        for name, password in self._networks:
            before = status = station.status()  # the reason of an earlier failure stays until there is another one
            if not station.isconnected():  # it may be connected since before a soft reset
                try:
                    station.connect(name, password)
                except (OSError, RuntimeError) as error:  # "Wifi Internal Error", which a restart of the radio cures
                    self._log(WIFI_FAILED, "Wi-Fi %s: %s" % (name, error))
                    continue
            for _ in range(_JOIN_LOOKS):
                if station.isconnected():
                    self._log(WIFI_UP, "on Wi-Fi %s as %s" % (station.config("ssid"), station.ipconfig("addr4")[0]))
                    return True
                status = station.status()
                if status < network.STAT_IDLE and status != before:  # it is the reason of this failure
                    break
                await self._sleep(1)
            station.disconnect()
            if status == network.STAT_NO_AP_FOUND:
                self._log(WIFI_FAILED, "no Wi-Fi %s in reach" % name)
            else:
                self._log(WIFI_FAILED, "no answer from Wi-Fi %s (%d): is the password right?" % (name, status))
        return False

    async def _stay(self, roads, servers):
        """Return when the network is lost, or when nothing is received."""
        station = self._station
        left, is_unanswered = self._ask_looks, False
        while True:
            host = station.ipconfig("addr4")[0]
            if not station.isconnected():
                self._log(WIFI_LOST, "the Wi-Fi is lost")
                return
            for server in servers:
                if not is_listening(server.server):
                    self._host = None
            if host != self._host:
                try:
                    for server in servers:
                        await server.listen_at(host)
                    self._host = host
                except (OSError, MemoryError) as error:  # such as no socket left
                    self._log(LISTEN_FAILED, "cannot listen at %s: %s" % (host, error))
                    await self._sleep(_LISTEN_LOOKS)
                    continue
            await self._sleep(1)
            left -= 1
            if roads.silence_ms() < _SILENCE_MS_MAX or (left <= 0 and await _is_answering(station.ipconfig("gw4"))):
                self._ask_looks = left = _ASK_LOOKS
                is_unanswered = False
            elif left <= 0 and is_unanswered:
                self._log(WIFI_LOST, "no traffic through the Wi-Fi: the radio restarts")
                self._ask_looks = min(2 * self._ask_looks, _ASK_LOOKS_MAX)
                return
            elif left <= 0:
                left, is_unanswered = _ASK_AGAIN_LOOKS, True

    def rssi(self) -> "int | None":
        """Return the signal strength in dBm; None while the station is on no network."""
        try:
            return self._station.status("rssi") if self._station.isconnected() else None
        except OSError:  # the network was lost in between
            return None


async def _is_answering(gateway):
    """Return whether the gateway accepts or refuses a connection."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(gateway, _DNS_PORT), _ANSWER_S)
        await abort_stream(writer)
        return True
    except (OSError, asyncio.TimeoutError):
        return False
