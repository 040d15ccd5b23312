"""A soak run: weeks of a simulated board's life in an hour, with every option of the firmware and every fault.

Here: how the parts of a run are put together, the end of the run, and its report. Not here: the board (board.py), its
peers (peers.py), the faults (faults.py), the checks (status_monitor.py, conservation.py), the command (run.py).

The board's clock is fast, and its city runs more ticks in each second of that clock than usual.
"""

import asyncio
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from deskonomy.storage.decode import decode_city
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers.ports import find_free_ports
from proofs.soak import board, peers
from proofs.soak.conservation import check_conservation
from proofs.soak.fast_loop import FastLoop
from proofs.soak.faults import FaultInjector
from proofs.soak.page_clients import PageClients
from proofs.soak.peers import PeerGroup
from proofs.soak.stall_detector import StallDetector
from proofs.soak.status_monitor import StatusMonitor

# By which the heap in use may grow: it varies as merchants arrive and leave; and modules that a board loads when it
# first needs them (commands, admission, vacancy, remedies, web_client) come once.
_GROWTH_MAX_BYTES = 4096 + 8192


async def run_soak(
    minutes: float,
    seed: int = 1,
    heap: str = "224k",
    stop_ms: float = 100,
    report_line: Callable[[str], object] = print,
) -> str:
    """Run a board under faults, and check it meanwhile and at the end.

    Args:
        minutes: How long faults happen, in real time.
        seed: Of the random faults.
        heap: Size of the board's heap as -X heapsize takes it.
        stop_ms: The longest time between two ticks that is allowed, in real time.
        report_line: Called with a line of progress each minute.

    Returns:
        The report, several lines.

    Raises:
        AssertionError: A check failed.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, StallDetector() as stall_detector, FastLoop(board.SPEED) as loop:
        page_port, port, *peer_ports = find_free_ports(2 + len(peers.NAMES))
        group = PeerGroup(port, peer_ports)
        dialled_ports = await loop.run_coroutine(group.open_links())
        try:
            simulated = board.make_board(Path(folder), heap, port, page_port, dialled_ports, stop_ms)
            async with simulated:
                monitor = StatusMonitor(board.SPEED, simulated.machine._process.pid, stop_ms, stall_detector)
                faults = FaultInjector(simulated, group, loop, chance, monitor)
                run = SoakRun(simulated, faults, PageClients(page_port, chance, monitor), monitor, report_line)
                await run.run(minutes)
            await loop.run_coroutine(group.close())  # all cities end at the same moment, as in a crash
            report = run.format_report()
            assert monitor.measure_growth_bytes() <= _GROWTH_MAX_BYTES, "the heap grows:\n" + report
            saved = [decode_city((Path(folder) / "city.state").read_bytes())]
            saved += [peer.load_saved_city() for peer in group.peers if peer.saved_bytes]
        finally:
            await loop.run_coroutine(group.close())
    peer_count = len(saved) - 1
    locals_ = board.LOCALS + peer_count * peers.LOCALS
    check_conservation(saved, locals_, board.MERCHANTS + peer_count * peers.MERCHANTS)
    return report + "\nmoney and merchants are conserved: each merchant is in one city or in one ledger"


class SoakRun:
    """A started board, what disturbs it, and what checks it."""

    def __init__(
        self,
        simulated: SimulatedBoard,
        faults: FaultInjector,
        clients: PageClients,
        monitor: StatusMonitor,
        report_line: Callable[[str], object],
    ) -> None:
        self._board = simulated
        self._faults = faults
        self._clients = clients
        self._monitor = monitor
        self._report_line = report_line

    async def run(self, minutes: float) -> None:
        """Disturb the board for so many minutes of real time, then wait until it has recovered.

        Raises:
            AssertionError: A check failed.
        """
        with board.drain_serial_port(self._board.serial):
            self._board.on_line = self._monitor.check_line
            await self._disturb_board(minutes)
            await self._faults.recover()
        self._check_failures()

    def format_report(self) -> str:
        """Return what happened, several lines."""
        monitor, status, clients = self._monitor, self._monitor.last_status, self._clients
        stand_in_bytes = self._board.machine.built_in_bytes
        return "\n".join(
            (
                "%.1f hours of the board's clock, %.1f weeks at 20 ticks a second, %d merchants arrived"
                % (
                    status["uptime_s"] / 3600,
                    status["tick"] / 20 / 3600 / 24 / 7,
                    sum(road["received"] for road in status["roads"].values()),
                ),
                "faults: " + ", ".join("%s %d" % pair for pair in self._faults.counts.items()),
                "status lines with a level and with an error: "
                + ", ".join(
                    "%s %d %d" % (name, counts["level"], counts["error"])
                    for name, counts in monitor.sensor_counts.items()
                ),
                "the page answered %d of %d requests, up to five at a time" % (clients.answers, clients.requests),
                "heap in use: %d to %d bytes, %+d at the end; for lack of memory merchants lost prices on %d "
                "connections, and %d times no connection was dialled"
                % (
                    *(min(monitor.heap_bytes) - stand_in_bytes, max(monitor.heap_bytes) - stand_in_bytes),
                    *(monitor.measure_growth_bytes(), monitor.prices_dropped, monitor.dials_skipped),
                ),
                "at most %d merchants in the ledger" % monitor.ledger_max,
                "the longest time between two ticks: %.1f ms; the whole machine stood still for %.1f s in all"
                % (max(monitor.gaps_ms), monitor.stalled_s),
            )
        )

    async def _disturb_board(self, minutes: float) -> None:
        await self._faults.start_peers()
        # Both are started here, and end when the time is over.
        work = (self._faults.inject_faults(), self._clients.send_requests())
        tasks = [asyncio.create_task(coroutine) for coroutine in work]
        try:
            for minute in range(max(1, round(minutes))):
                done, _ = await asyncio.wait(tasks, timeout=60 * min(1, minutes))
                for task in done:
                    task.result()
                self._check_failures()
                self._report_line("%d minutes: %s" % (minute + 1, self.format_report().splitlines()[0]))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _check_failures(self) -> None:
        assert not self._monitor.failures, "\n".join(self._monitor.failures)
