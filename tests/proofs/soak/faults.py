"""The faults of a soak run: Wi-Fi, links, peers and sensors fail at random and recover.

Here: each fault, and the recovery from all of them at the end. Not here: the requests for the board's page
(page_clients.py), the peers and their links (peers.py), the checks of the board's output (status_monitor.py).
"""

import random
from collections.abc import Callable
from typing import Any

from deskonomy_host.boards.simulator.board import SimulatedBoard
from proofs.soak.board import DHT_PIN, SPEED, encode_dht22, sleep_board_time
from proofs.soak.fast_loop import FastLoop
from proofs.soak.peers import NAMES, PeerGroup
from proofs.soak.status_monitor import StatusMonitor

_RADIO_RESTARTS = "no traffic through the Wi-Fi: the radio restarts"  # as deskonomy_board/wifi.py logs it
# In seconds of the board's clock:
_JOIN_MAX_S = 180  # until the board has joined a Wi-Fi in reach
_SILENCE_MAX_S = 120  # until the board notices that nothing comes through its Wi-Fi
# In this time so many merchants set out for a city that cannot be reached that its road is full and the ledger holds
# them.
_STRAND_S = 10
_RECOVERY_MAX_S = 600  # until all roads are up and carry merchants again; half a minute of real time


class FaultInjector:
    """Disturbs a board; all times are in seconds of the board's clock.

    Attributes:
        counts: {fault: how often it happened}.
    """

    def __init__(
        self, board: SimulatedBoard, peers: PeerGroup, loop: FastLoop, chance: random.Random, monitor: StatusMonitor
    ) -> None:
        """Create the injector.

        Args:
            board: The board.
            peers: The cities that it trades with.
            loop: The loop that the peers run in.
            chance: Decides what happens next.
            monitor: Knows the board's latest status and its log lines.
        """
        self._board = board
        self._peers = peers
        self._loop = loop
        self._chance = chance
        self._monitor = monitor
        # The number of the peer that does not run. Merchants that are bound for it fill the ledger.
        self._absent = len(NAMES) - 1
        faults = ("Wi-Fi lost", "Wi-Fi silent", "links disturbed", "peers replaced", "sensors changed", "yields set")
        self.counts = dict.fromkeys(faults, 0)

    async def start_peers(self) -> None:
        """Start all peers except the absent one."""
        for number in self._list_running():
            await self._loop.run_coroutine(self._peers.start_peer(number))

    async def inject_faults(self) -> None:
        """Cause one fault after the other, for ever."""
        faults = (self._lose_wifi, self._silence_wifi, self._disturb_link, self._replace_peer, self._change_sensors)
        while True:
            await sleep_board_time(self._chance.uniform(1, 60))
            await self._chance.choice(faults)()

    async def recover(self) -> None:
        """End all faults, and wait until each road to a running peer is up and has brought a merchant.

        Raises:
            OperationError: That takes too long.
        """
        self._set_air(networks=None, deaf=False, join_ms=0)
        await self._loop.run_coroutine(self._peers.restore_links())
        running = self._list_running()
        for number in running:
            await self._loop.run_coroutine(self._peers.kill_peer(number))
            await self._loop.run_coroutine(self._peers.start_peer(number))
        before = self._monitor.last_status["roads"]

        def all_roads_trade(status: dict[str, Any]) -> bool:
            names = [NAMES[number] for number in running]
            roads = {name: status["roads"].get(name, {"state": "down"}) for name in names}
            return all(
                road["state"] == "up" and road["received"] > before.get(name, {"received": 0})["received"]
                for name, road in roads.items()
            )

        await self._board.wait_for(all_roads_trade, _RECOVERY_MAX_S / SPEED)

    def _list_running(self) -> list[int]:
        """Return the numbers of the peers that run."""
        return [number for number in range(len(NAMES)) if number != self._absent]

    async def _wait_until(self, condition: Callable[[], bool], timeout_s: int) -> None:
        for _ in range(100 * timeout_s):
            if condition():
                return
            await sleep_board_time(0.01)
        raise AssertionError("it took more than %d s; the board's last lines: %s" % (timeout_s, self._last_lines()))

    def _last_lines(self) -> list[str]:
        return list(self._board.lines)[-5:]

    def _set_air(self, **changes: Any) -> None:
        self._board.machine.air |= changes
        self._board.machine.set_signals()

    async def _lose_wifi(self) -> None:
        """Switch the Wi-Fi network off for a while."""
        self.counts["Wi-Fi lost"] += 1
        self._set_air(networks={}, join_ms=self._chance.choice((0, 2000, 8000)))
        await self._loop.run_coroutine(self._peers.cut_links())
        await sleep_board_time(self._chance.choice((1, 5, 30)))
        self._set_air(networks=None)
        await self._loop.run_coroutine(self._peers.restore_links())

    async def _silence_wifi(self) -> None:
        """Let nothing come through the Wi-Fi, though the station reports that it is connected."""
        self.counts["Wi-Fi silent"] += 1
        await self._wait_until(lambda: self._monitor.last_status["rssi"] is not None, _JOIN_MAX_S)
        restarts = self._monitor.log_lines[_RADIO_RESTARTS]
        self._set_air(deaf=True)
        await self._loop.run_coroutine(self._peers.cut_links())
        await self._wait_until(lambda: self._monitor.log_lines[_RADIO_RESTARTS] > restarts, _SILENCE_MAX_S)
        self._set_air(deaf=False)
        await self._loop.run_coroutine(self._peers.restore_links())

    async def _disturb_link(self) -> None:
        """Disturb one link for a while."""
        self.counts["links disturbed"] += 1
        number = self._chance.choice(self._list_running())
        mode = self._chance.choice(("slices", "stall", "dead"))
        await self._loop.run_coroutine(self._peers.set_link_mode(number, mode))
        await sleep_board_time(self._chance.choice((1, 10, 40)))
        await self._loop.run_coroutine(self._peers.restore_links())

    async def _replace_peer(self) -> None:
        """Kill a peer, and start the one that was absent."""
        self.counts["peers replaced"] += 1
        number = self._chance.choice(self._list_running())
        await self._loop.run_coroutine(self._peers.set_link_mode(number, "dead"))
        await sleep_board_time(self._chance.choice((0, _STRAND_S)))
        await self._loop.run_coroutine(self._peers.kill_peer(number))
        await self._loop.run_coroutine(self._peers.restore_links())
        await sleep_board_time(self._chance.choice((0, 5, 60)))
        await self._loop.run_coroutine(self._peers.start_peer(self._absent))
        self._absent = number

    async def _change_sensors(self) -> None:
        """Change the light and the strength of the Wi-Fi; let the thermometer fail or work; sometimes set a yield."""
        self.counts["sensors changed"] += 1
        self._board.sense("light", round(self._chance.random(), 2))
        self._board.sense("air", round(self._chance.random(), 2))
        # No thermometer, a wrong checksum, a temperature.
        readings = (None, "0102030400", encode_dht22(self._chance.randrange(400)))
        self._board.machine.pins[DHT_PIN] = self._chance.choice(readings)
        self._board.machine.set_signals()
        if self._chance.random() < 0.2:
            self.counts["yields set"] += 1
            self._board.send_command({"influence": ["chair", self._chance.choice((None, 0.5, 2))]})
