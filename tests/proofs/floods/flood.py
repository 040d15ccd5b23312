"""A flood: hostile peers against a paced host or a simulated board, what it costs, and what must still work.

Here: the city under attack, an honest peer, and the measurements. Not here: the hostile peers (attackers.py), the
command (run.py).
"""

import asyncio
import contextlib
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

from deskonomy_host import Merchant, NoRoadError, Road
from deskonomy_host.boards.simulator.board import SimulatedBoard
from helpers.commands import RunningCommand
from helpers.ports import find_free_ports

TICKS_PER_S = 20
HOST, BOARD = "host", "board"
GAP_MAX_MS = {HOST: 100, BOARD: 300}
TICKS_MIN = 0.8  # of those of the pace
HONEST_MAX_S = 10.0  # in which an honest peer joins and trades
# Freed memory that an allocator keeps, by city; a board's varies with its merchants.
_MEMORY_MAX_BYTES = {HOST: 24 << 20, BOARD: 16 << 10}
_ATTACKERS = Path(__file__).parent / "attackers.py"


class Result(NamedTuple):
    """What a flood did.

    Attributes:
        target: HOST or BOARD.
        peers: the number of hostile peers.
        spread: whether each had an address of its own.
        ticks: the share of the ticks that ran.
        gap_ms: the longest time between two ticks.
        honest_s: until an honest peer had traded.
        grown_bytes: of memory in use after it.
        population: merchants in the city at its end.
    """

    target: str
    peers: int
    spread: bool
    ticks: float
    gap_ms: int
    honest_s: float
    grown_bytes: int
    population: int

    def list_failures(self) -> list[str]:
        """Return what is not as it must be."""
        failures: list[str] = []
        if self.ticks < TICKS_MIN:
            failures.append(f"only {self.ticks:.0%} of the ticks ran")
        if self.gap_ms >= GAP_MAX_MS[self.target]:
            failures.append(f"no tick ran for {self.gap_ms} ms")
        if self.honest_s > HONEST_MAX_S:
            failures.append(f"an honest peer needed {self.honest_s:.1f} s to trade")
        if self.grown_bytes > _MEMORY_MAX_BYTES[self.target]:
            failures.append(f"{self.grown_bytes} bytes more are in use")
        return failures

    def __str__(self) -> str:
        addresses = "many addresses" if self.spread else "one address"
        return (
            f"{self.target}, {self.peers} peers at {addresses}: {self.ticks:.0%} of the ticks, gap {self.gap_ms} ms, "
            f"honest peer after {self.honest_s:.1f} s, memory {self.grown_bytes / 1024:+.0f} KB, "
            f"{self.population} merchants"
        )


class City(NamedTuple):
    """A city under attack: its port, its latest status, and the bytes that it uses."""

    port: int
    read_status: Callable[[], dict[str, Any]]
    read_bytes: Callable[[], int]


async def run_flood(target: str, peers: int, seconds: float, spread: bool = False, quiet_s: float = 3) -> Result:
    """Attack a city for so long, and return what it did; an honest peer joins a second later.

    Args:
        target: HOST or BOARD.
        peers: how many hostile peers.
        seconds: how long they attack.
        spread: whether each has an address of its own.
        quiet_s: before and after it, when memory is measured.
    """
    async with (_run_host if target == HOST else _run_board)() as city:
        await asyncio.sleep(quiet_s)
        before_bytes = city.read_bytes()
        arguments = (str(_ATTACKERS), str(city.port), str(peers), str(seconds), "1" if spread else "0")
        attackers = await asyncio.create_subprocess_exec(sys.executable, *arguments)
        await asyncio.sleep(1)
        watching = asyncio.create_task(_watch(city, seconds - 1))  # awaited below
        honest_s = await _trade(city.port)
        ticks, gap_ms = await watching
        await attackers.wait()
        population = sum(city.read_status()["merchants"].values())
        await asyncio.sleep(quiet_s)
        grown_bytes = city.read_bytes() - before_bytes
    return Result(target, peers, spread, ticks, gap_ms, honest_s, grown_bytes, population)


async def _watch(city: City, seconds: float) -> tuple[float, int]:
    """Return the share of the ticks that ran in so many seconds, and the longest gap in ms."""
    status = first = city.read_status()
    first_s = last_s = time.monotonic()
    gap_ms = 0
    while last_s - first_s < seconds:
        await asyncio.sleep(0.05)
        if city.read_status() is not status:
            status = city.read_status()
            last_s = time.monotonic()
            gap_ms = max(gap_ms, status["gap_ms"])
    return (status["tick"] - first["tick"]) / TICKS_PER_S / (last_s - first_s), gap_ms


async def _trade(port: int) -> float:
    """Join the city as an honest peer, and let a merchant enter it; return the seconds that it took."""
    start_s = time.monotonic()
    with contextlib.suppress(NoRoadError):
        address, timeout_s = f"127.0.0.1:{port}", 2 * HONEST_MAX_S
        async with Road.dial(address, name="HONEST", timeout_s=timeout_s) as road:
            await road.send(Merchant(good="bed", money=1000, owned=5))
        return time.monotonic() - start_s  # the end of the block waits for the acknowledgement
    return math.inf


@contextlib.asynccontextmanager
async def _run_host() -> AsyncIterator[City]:
    """Yield a host that runs a city at its usual pace, in a process of its own."""
    (port,) = find_free_ports(1)
    line = f"run RIVERWOOD --port {port} --json --no-dashboard --speed {TICKS_PER_S}"
    command = RunningCommand(line, os.environ)
    statuses = [await asyncio.to_thread(command.next)]
    reading = asyncio.create_task(_keep_reading(command, statuses))  # ends with the command
    try:
        yield City(port, lambda: statuses[-1], lambda: _read_resident_bytes(command.process.pid))
    finally:
        command.process.terminate()
        await reading
        command.end()


async def _keep_reading(command: RunningCommand, statuses: list[dict[str, Any]]) -> None:
    with contextlib.suppress(AssertionError):
        while True:
            statuses[:] = [await asyncio.to_thread(command.next)]


def _read_resident_bytes(pid: int) -> int:
    """Return the memory of a process (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.asynccontextmanager
async def _run_board() -> AsyncIterator[City]:
    """Yield a simulated board."""
    async with SimulatedBoard(name="DESKTOWN", port=find_free_ports(1)[0], speed=TICKS_PER_S) as board:
        status = await board.wait_for(lambda status: status["address"])
        port = int(status["address"].rpartition(":")[2])
        yield City(port, lambda: board.status or status, lambda: board.status["heap"]["used"] if board.status else 0)
