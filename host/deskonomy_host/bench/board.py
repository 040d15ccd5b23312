"""The simulated board with roads: merchants a second, and how much of its heap is in use.

Here: a board that runs the real firmware, deployed, and stub cities that dial it and return each merchant. The stub
cities' own merchants come straight back, because they are full and sell only at home. Not here: the board
(boards/simulator/board.py), a stub city (stub_city.py).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deskonomy.economy.merchant import Merchant

from deskonomy_host.addresses import parse_address
from deskonomy_host.aio import OnFailure, background
from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.stub_city import UP_WITHIN_S, StubCity
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.workbench import Workbench
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.errors import OperationError

CITY = "DESKTOWN"
PORT = 56_200
TICKS_PER_S = 1000  # at most one merchant a tick enters by a road
ROADS = (0, 1, 2, 4)
NUMERALS = {1: "one", 2: "two", 4: "four"}
SAVED_S = 0.2
SAVED_NOTE = "a checkpoint every 0.2 s releases four each way"
# Bytes that leave a fifth of a heap of 112k free; MicroPython keeps its books in 1 % of that.
USED_MAX = 90_624
MERCHANTS = 6  # of each stub city, travelling


def board(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure merchants a second there and back, paced and unpaced, and the heap in use meanwhile.

    The speed of a road is that of a board that saves nothing; a board that saves releases at most a road's capacity of
    merchants with each checkpoint.
    """
    if workbench.micropython is None:
        return [Figure("board", "merchants/s", note=workbench.missing_reason)]
    road_counts = ROADS[:: len(ROADS) - 1] if workbench.quick else ROADS
    bar.begin(((2 if workbench.quick else 4) + 2 * len(road_counts) - 1) * workbench.rounds)
    busy, busy_four, fast, saved = Samples(), Samples(), Samples(), Samples()
    asyncio.run(_watch(workbench, bar, TICKS_PER_S, 1, {MERCHANTS: busy}, checkpoint_s=0))
    asyncio.run(_watch(workbench, bar, "max", 1, {MERCHANTS: fast}, checkpoint_s=0))
    figures = [
        Figure("one road", "merchants/s", tuple(busy.rates), at_least=200, note=busy.note),
        Figure("one road, speed max", "merchants/s", tuple(fast.rates), at_least=200, note=fast.note),
        Figure("one road, speed max", "ticks/s", tuple(fast.ticks_per_s), note=fast.note),
    ]
    if not workbench.quick:
        asyncio.run(_watch(workbench, bar, TICKS_PER_S, ROADS[-1], {MERCHANTS: busy_four}, checkpoint_s=0))
        asyncio.run(_watch(workbench, bar, TICKS_PER_S, 1, {MERCHANTS: saved}, checkpoint_s=SAVED_S))
        figures.append(Figure("four roads", "merchants/s", tuple(busy_four.rates), note=busy_four.note))
        figures.append(Figure("one road, saved", "merchants/s", tuple(saved.rates), note=saved.note or SAVED_NOTE))
    return figures + _heap(workbench, bar, road_counts)


def _heap(workbench: Workbench, bar: ProgressBar, road_counts: Sequence[int]) -> list[Figure]:
    """Measure the heap in use by number of roads, in a larger heap than the target is for."""
    figures = []
    for roads in road_counts:
        quiet, busy = Samples(), Samples()
        asyncio.run(_watch(workbench, bar, TICKS_PER_S, roads, {0: quiet, MERCHANTS: busy} if roads else {0: quiet}))
        for name, samples in (("quiet", quiet), ("busy", busy)):
            if roads or samples is quiet:
                label = "%s %s road%s" % (NUMERALS[roads], name, "" if roads == 1 else "s") if roads else "no road"
                target = USED_MAX if roads == ROADS[-1] else None
                figures.append(
                    Figure("heap, " + label, "bytes", tuple(samples.used), at_most=target, note=samples.note)
                )
    return figures


async def _watch(
    workbench: Workbench,
    bar: ProgressBar,
    speed: int | str,
    roads: int,
    phases: "dict[int, Samples]",
    checkpoint_s: float | None = None,
) -> None:
    """Watch a board with this number of roads. phases: {travelling merchants of each road: Samples to fill}."""
    settings = {
        "port": PORT,
        "seed": 1,
        "speed": speed,
        "checkpoint_s": checkpoint_s,
        "micropython": workbench.micropython,
    }
    try:
        async with SimulatedBoard(CITY, **settings) as simulated, contextlib.AsyncExitStack() as stack:
            shuttles = [await stack.enter_async_context(_shuttle(number, simulated)) for number in range(roads)]
            await simulated.wait_for(lambda status: _roads_up(status) == roads, UP_WITHIN_S)
            for count, samples in phases.items():
                bar.describe(f"{roads} roads, {count} merchants each")
                for shuttle in shuttles:
                    shuttle.add(count)
                await samples.fill(simulated, shuttles, workbench.rounds, bar)
    except OperationError as error:
        for samples in phases.values():
            samples.note = str(error)


@dataclass
class Samples:
    """What a board did, second by second.

    Attributes:
        rates: merchants a second.
        used: bytes of heap in use, after a collection.
        ticks_per_s: ticks a second.
        note: why a road, or the board, ended; "" if none did.
    """

    rates: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)
    ticks_per_s: list[float] = field(default_factory=list)
    note: str = ""

    async def fill(
        self, simulated: SimulatedBoard, shuttles: "Sequence[Shuttle]", seconds: int, bar: ProgressBar
    ) -> None:
        """Take a sample a second. Raises OperationError if the board ends."""
        now = asyncio.get_running_loop().time
        closed_before = len(_closed(simulated))
        for _ in range(seconds):
            assert simulated.status is not None
            since, before, tick = now(), sum(shuttle.returned for shuttle in shuttles), simulated.status["tick"]
            await asyncio.sleep(1)
            self.rates.append((sum(shuttle.returned for shuttle in shuttles) - before) / (now() - since))
            status = await simulated.wait_for(lambda status, tick=tick: status["tick"] > tick)
            self.used.append(status["heap"]["used"] - simulated.machine.built_in_bytes)
            self.ticks_per_s.append(status["ticks_per_s"])
            bar.step()
        self.note = "".join(_closed(simulated)[closed_before:][-1:])


@contextlib.asynccontextmanager
async def _shuttle(number: int, simulated: SimulatedBoard) -> "AsyncIterator[Shuttle]":
    """A Shuttle between a stub city of its own and this board."""
    async with StubCity("PORT%d" % number) as city:
        city.dial(*parse_address(simulated.address, "the board"))
        shuttle = Shuttle(city)
        # If no road comes up, _watch() fails, because it waits for the board's roads.
        async with background(shuttle.travel, "a stub city of the bench", OnFailure.REPORT):
            yield shuttle


class Shuttle:
    """Returns each merchant that arrives at a stub city. returned: merchants that arrived so far."""

    def __init__(self, city: StubCity) -> None:
        self._city = city
        self._waiting: list[Merchant] = []
        self.returned = 0

    def add(self, count: int) -> None:
        """Add merchants that travel to and fro."""
        home = {"wood": {self._city.name: 900_000}}
        self._waiting += [Merchant("wood", capacity=1, owned=1, prices_mills=home) for _ in range(count)]

    async def travel(self) -> None:
        """Return merchants without end. Raises TimeoutError if no road comes up."""
        road = await self._city.road_up()
        while True:
            while merchant := road.take():
                self._waiting.append(merchant)
                self.returned += 1
            while self._waiting and road.state == "up" and road.credit():
                road.send(self._waiting.pop(0))
            await asyncio.sleep(0.001)


def _roads_up(status: Mapping[str, Any]) -> int:
    return sum(road["state"] == "up" for road in status["roads"].values())


def _closed(simulated: SimulatedBoard) -> list[str]:
    """The board's log lines about roads that closed."""
    return [line for line in simulated.lines if "is closed" in line]
