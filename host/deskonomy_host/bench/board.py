"""The simulated board with roads: how many merchants it handles, and how much of its heap stays free.

Here: a board that runs the real firmware, deployed, and harbours that dial it and send back whoever comes. A harbour's
own crew comes straight back, too: they are full, and sell only at home. Not here: the board (simulator.py), a harbour
(harbour.py).
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

from deskonomy.economy.merchant import Merchant

from deskonomy_host import validation as words
from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.harbour import UP_WITHIN_S, Harbour
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.errors import OperationError

CITY = "DESKTOWN"
PORT = 56_200
TICKS_PER_S = 1000  # at most one merchant a tick enters by a road
ROADS = (0, 1, 2, 4)
WORDS = {1: "one", 2: "two", 4: "four"}
SAVED_S = 0.2
SAVED = "a checkpoint every 0.2 s lets four go each way"
# Bytes that leave a fifth of a heap of 112k free; MicroPython keeps its books in 1 % of that.
USED_MAX = 90_624
CREW = 6  # merchants that a harbour has at sea


def board(stage, bar):
    """Merchants a second there and back, at a pace and as fast as it goes, and the heap that is in use meanwhile.

    How fast a road is, a board tells that saves nothing; one that saves lets go at most a road's room of merchants with
    each checkpoint.
    """
    if stage.micropython is None:
        return [Figure("board", "merchants/s", note=stage.why_none)]
    roads_seen = ROADS[:: len(ROADS) - 1] if stage.quick else ROADS
    bar.begin(((2 if stage.quick else 4) + 2 * len(roads_seen) - 1) * stage.rounds)
    busy, busy_four, fast, saved = Seen(), Seen(), Seen(), Seen()
    asyncio.run(_watch(stage, bar, TICKS_PER_S, 1, {CREW: busy}, checkpoint_s=0))
    asyncio.run(_watch(stage, bar, "max", 1, {CREW: fast}, checkpoint_s=0))
    figures = [
        Figure("one road", "merchants/s", tuple(busy.rates), at_least=200, note=busy.note),
        Figure("one road, speed max", "merchants/s", tuple(fast.rates), at_least=200, note=fast.note),
        Figure("one road, speed max", "ticks/s", tuple(fast.ticks_per_s), note=fast.note),
    ]
    if not stage.quick:
        asyncio.run(_watch(stage, bar, TICKS_PER_S, ROADS[-1], {CREW: busy_four}, checkpoint_s=0))
        asyncio.run(_watch(stage, bar, TICKS_PER_S, 1, {CREW: saved}, checkpoint_s=SAVED_S))
        figures.append(Figure("four roads", "merchants/s", tuple(busy_four.rates), note=busy_four.note))
        figures.append(Figure("one road, saved", "merchants/s", tuple(saved.rates), note=saved.note or SAVED))
    return figures + _heap(stage, bar, roads_seen)


def _heap(stage, bar, roads_seen):
    """How much of its heap a board uses with so many roads. Seen in a larger one than the target is for."""
    figures = []
    for roads in roads_seen:
        quiet, busy = Seen(), Seen()
        asyncio.run(_watch(stage, bar, TICKS_PER_S, roads, {0: quiet, CREW: busy} if roads else {0: quiet}))
        for name, seen in (("quiet", quiet), ("busy", busy)):
            if roads or seen is quiet:
                what = "%s %s road%s" % (WORDS[roads], name, "" if roads == 1 else "s") if roads else "no road"
                target = USED_MAX if roads == ROADS[-1] else None
                figures.append(Figure("heap, " + what, "bytes", tuple(seen.used), at_most=target, note=seen.note))
    return figures


async def _watch(stage, bar, speed, roads, crews, checkpoint_s=None):
    """Watch one board with so many roads. crews: {merchants at sea by each road: the Seen to fill}, in turn."""
    words = {"port": PORT, "seed": 1, "speed": speed, "checkpoint_s": checkpoint_s, "micropython": stage.micropython}
    try:
        async with SimulatedBoard(CITY, **words) as simulated, contextlib.AsyncExitStack() as stack:
            shuttles = [await stack.enter_async_context(_shuttle(number, simulated)) for number in range(roads)]
            await simulated.wait_for(lambda status: _roads_up(status) == roads, UP_WITHIN_S)
            for crew, seen in crews.items():
                bar.doing(f"{roads} roads, {crew} at sea")
                for shuttle in shuttles:
                    shuttle.hire(crew)
                await seen.fill(simulated, shuttles, stage.rounds, bar)
    except OperationError as error:
        for seen in crews.values():
            seen.note = str(error)


@dataclass
class Seen:
    """What a board did, second by second. used: bytes of heap, after a collection. note: why a road, or all, ended."""

    rates: list = field(default_factory=list)
    used: list = field(default_factory=list)
    ticks_per_s: list = field(default_factory=list)
    note: str = ""

    async def fill(self, simulated, shuttles, seconds, bar):
        """Look at it once a second. Raises OperationError if the board gives up."""
        clock = asyncio.get_running_loop().time
        closed_before = len(_closed(simulated))
        for _ in range(seconds):
            since, before, tick = clock(), sum(shuttle.returned for shuttle in shuttles), simulated.status["tick"]
            await asyncio.sleep(1)
            self.rates.append((sum(shuttle.returned for shuttle in shuttles) - before) / (clock() - since))
            status = await simulated.wait_for(lambda status, tick=tick: status["tick"] > tick)
            self.used.append(status["heap"]["used"] - simulated.machine.built_in_bytes)
            self.ticks_per_s.append(status["ticks_per_s"])
            bar.step()
        self.note = "".join(_closed(simulated)[closed_before:][-1:])


@contextlib.asynccontextmanager
async def _shuttle(number, simulated):
    """A Shuttle between a harbour of its own and this board."""
    async with Harbour("PORT%d" % number) as harbour:
        harbour.dial(*words.address("the board")(simulated.address))
        async with Shuttle(harbour) as shuttle:
            yield shuttle


class Shuttle:
    """`async with Shuttle(harbour) as shuttle`: sends back whoever comes. returned: how many came so far."""

    def __init__(self, harbour):
        self._harbour = harbour
        self._ashore = []
        self.returned = 0

    async def __aenter__(self):
        # Started here, ended by __aexit__.
        self._task = asyncio.create_task(self._sail())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        # That no road came up is told by whoever waits for the board to say so.
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            await self._task

    def hire(self, count):
        """So many more who go to and fro."""
        home = {"wood": {self._harbour.name: 900_000}}
        self._ashore += [Merchant("wood", capacity=1, owned=1, prices_mills=home) for _ in range(count)]

    async def _sail(self):
        road = await self._harbour.road_up()
        while True:
            while merchant := road.take():
                self._ashore.append(merchant)
                self.returned += 1
            while self._ashore and road.state == "up" and road.space():
                road.send(self._ashore.pop(0))
            await asyncio.sleep(0.001)


def _roads_up(status):
    return sum(road["state"] == "up" for road in status["roads"].values())


def _closed(simulated):
    """What its console said of roads that closed."""
    return [line for line in simulated.lines if "is closed" in line]
