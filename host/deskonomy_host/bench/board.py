"""The simulated board with roads: how many merchants it handles, and how much of its heap stays free.

Here: a board that runs the real firmware, deployed, and harbours that dial it and send back whoever comes. A harbour's
own crew comes straight back, too: they are full, and sell only at home. Not here: the board (simulator.py), a harbour
(harbour.py).
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

from deskonomy.merchant import Merchant

from .. import words
from ..errors import Failed
from ..simulator import SimulatedBoard
from .figure import Figure
from .harbour import Harbour

CITY = "DESKTOWN"
PORT = 56_200
TICKS_PER_S = 1000  # at most one merchant a tick enters by a road
ROADS = 4
CREW = 6  # merchants that a harbour has at sea
_UP_WITHIN_S = 20


def board(stage, bar):
    """Merchants a second there and back, at a pace and as fast as it goes, and the heap that is free meanwhile."""
    if stage.micropython is None:
        return [Figure("board", "merchants/s", note=stage.why_none)]
    bar.begin(4 * stage.rounds)
    busy, fast = Seen(), Seen()
    quiet_four, busy_four = Seen(), Seen()
    alone = asyncio.run(_watch(stage, bar, TICKS_PER_S, 1, {CREW: busy}))
    asyncio.run(_watch(stage, bar, TICKS_PER_S, ROADS, {0: quiet_four, CREW: busy_four}))
    asyncio.run(_watch(stage, bar, "max", 1, {CREW: fast}))
    return [
        Figure("one road", "merchants/s", tuple(busy.rates), at_least=200, note=busy.note),
        Figure("four roads", "merchants/s", tuple(busy_four.rates), note=busy_four.note),
        Figure("one road, speed max", "merchants/s", tuple(fast.rates), at_least=200, note=fast.note),
        Figure("one road, speed max", "ticks/s", tuple(fast.ticks_per_s), note=fast.note),
        Figure("heap free, no road", "%", alone, note=busy.note),
        Figure("heap free, four quiet roads", "%", tuple(quiet_four.free), at_least=20, note=quiet_four.note),
        Figure("heap free, four busy roads", "%", tuple(busy_four.free), at_least=20, note=busy_four.note),
    ]


async def _watch(stage, bar, speed, roads, crews):
    """Watch one board with so many roads. crews: {merchants at sea by each road: the Seen to fill}, in turn.

    Returns how much of the heap is free before there are roads, as a tuple; () if it did not get so far.
    """
    alone = ()
    try:
        async with (
            SimulatedBoard(CITY, port=PORT, seed=1, speed=speed, micropython=stage.micropython) as simulated,
            contextlib.AsyncExitStack() as stack,
        ):
            alone = (_free(simulated.status),)
            shuttles = [await stack.enter_async_context(_shuttle(number, simulated)) for number in range(roads)]
            await simulated.wait_for(lambda status: _roads_up(status) == roads, _UP_WITHIN_S)
            for crew, seen in crews.items():
                bar.doing(f"{roads} roads, {crew} at sea")
                for shuttle in shuttles:
                    shuttle.hire(crew)
                await seen.fill(simulated, shuttles, stage.rounds, bar)
    except Failed as error:
        for seen in crews.values():
            seen.note = str(error)
    return alone


@dataclass
class Seen:
    """What a board did, second by second. free: of its heap, in percent. note: why a road, or all, ended."""

    rates: list = field(default_factory=list)
    free: list = field(default_factory=list)
    ticks_per_s: list = field(default_factory=list)
    note: str = ""

    async def fill(self, simulated, shuttles, seconds, bar):
        """Look at it once a second. Raises Failed if the board gives up."""
        clock = asyncio.get_running_loop().time
        closed_before = len(_closed(simulated))
        for _ in range(seconds):
            since, before, tick = clock(), sum(shuttle.returned for shuttle in shuttles), simulated.status["tick"]
            await asyncio.sleep(1)
            self.rates.append((sum(shuttle.returned for shuttle in shuttles) - before) / (clock() - since))
            status = await simulated.wait_for(lambda status, tick=tick: status["tick"] > tick)
            self.free.append(_free(status))
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
        await asyncio.wait([self._task])

    def hire(self, count):
        """So many more who go to and fro."""
        home = {"wood": {self._harbour.name: 900_000}}
        self._ashore += [Merchant("wood", capacity=1, owned=1, prices_mills=home) for _ in range(count)]

    async def _sail(self):
        road = await self._harbour.road_up(_UP_WITHIN_S)
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


def _free(status):
    """How much of the heap is free after a collection, in percent."""
    heap = status["heap"]
    return 100 * heap["free"] / (heap["free"] + heap["used"])
