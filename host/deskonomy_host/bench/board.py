"""The simulated board with roads: how many merchants it handles, and how much of its heap stays free.

Here: a board that runs the real firmware, deployed, and harbours that dial it and send merchants who come straight
back: they are full, and sell only in their harbour. Not here: the board (simulator.py), a harbour (harbour.py).
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
    """Merchants a second there and back, paced and as fast as it goes, and the heap that is free meanwhile."""
    if stage.micropython is None:
        return [Figure("board", "merchants/s", note=stage.why_none)]
    bar.begin(3 * stage.rounds)
    return asyncio.run(_paced(stage, bar)) + asyncio.run(_unpaced(stage, bar))


async def _paced(stage, bar):
    one_road, four_roads, alone, ended = Seen(), Seen(), (), ""
    try:
        async with _board(stage, TICKS_PER_S) as (simulated, harbours):
            alone = (_free(simulated.status),)
            await harbours.number(1)
            await _watch(one_road, stage, bar, simulated, harbours)
            await harbours.number(ROADS)
            await _watch(four_roads, stage, bar, simulated, harbours)
    except Failed as error:
        ended = str(error)
    return [
        Figure("one road", "merchants/s", tuple(one_road.rates), at_least=200, note=ended or one_road.broken),
        Figure("four roads", "merchants/s", tuple(four_roads.rates), note=ended or four_roads.broken),
        Figure("heap free, no road", "%", alone, note=ended),
        Figure("heap free, one busy road", "%", tuple(one_road.free), note=ended),
        Figure("heap free, four busy roads", "%", tuple(four_roads.free), at_least=20, note=ended),
    ]


async def _unpaced(stage, bar):
    seen, ended = Seen(), ""
    try:
        async with _board(stage, "max") as (simulated, harbours):
            await harbours.number(1)
            await _watch(seen, stage, bar, simulated, harbours)
    except Failed as error:
        ended = str(error)
    return [
        Figure("one road, speed max", "merchants/s", tuple(seen.rates), at_least=200, note=ended or seen.broken),
        Figure("one road, speed max", "ticks/s", tuple(seen.ticks_per_s), note=ended),
    ]


@dataclass
class Seen:
    """What a board did, second by second. free: of its heap, in percent. broken: why a road closed, if one did."""

    rates: list = field(default_factory=list)
    free: list = field(default_factory=list)
    ticks_per_s: list = field(default_factory=list)
    broken: str = ""


@contextlib.asynccontextmanager
async def _board(stage, speed):
    """A running (SimulatedBoard, Harbours that dial it)."""
    async with (
        SimulatedBoard(CITY, port=PORT, seed=1, speed=speed, micropython=stage.micropython) as simulated,
        contextlib.AsyncExitStack() as stack,
    ):
        yield simulated, Harbours(simulated, stack)


class Harbours:
    """All that dial this board."""

    def __init__(self, simulated, stack):
        self._simulated = simulated
        self._stack = stack
        self._shuttles = []

    async def number(self, count):
        """From now on there are so many, each with a road that is up. Raises Failed."""
        while len(self._shuttles) < count:
            harbour = await self._stack.enter_async_context(Harbour("PORT%d" % len(self._shuttles)))
            harbour.dial(*words.address("the board")(self._simulated.address))
            self._shuttles.append(await self._stack.enter_async_context(Shuttle(harbour)))
        await self._simulated.wait_for(self._all_up, _UP_WITHIN_S)

    def _all_up(self, status):
        return sum(road["state"] == "up" for road in status["roads"].values()) == len(self._shuttles)

    @property
    def count(self):
        """How many there are."""
        return len(self._shuttles)

    @property
    def returned(self):
        """How many merchants came back so far."""
        return sum(shuttle.returned for shuttle in self._shuttles)


class Shuttle:
    """`async with Shuttle(harbour) as shuttle`: keeps its crew at sea. returned: how many came back."""

    def __init__(self, harbour):
        self._harbour = harbour
        self.returned = 0

    async def __aenter__(self):
        # Started here, ended by __aexit__.
        self._task = asyncio.create_task(self._sail())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _sail(self):
        road = await self._harbour.road_up(_UP_WITHIN_S)
        ashore = CREW
        while True:
            while road.take():
                ashore += 1
                self.returned += 1
            while ashore and road.state == "up" and road.space():
                home = {"wood": {self._harbour.name: 900_000}}
                road.send(Merchant("wood", capacity=1, owned=1, prices_mills=home))
                ashore -= 1
            await asyncio.sleep(0.001)


async def _watch(seen, stage, bar, simulated, harbours):
    """Look at it once a second, as often as there are rounds. Raises Failed if the board gives up."""
    clock = asyncio.get_running_loop().time
    closed_before = _closed(simulated)
    for _ in range(stage.rounds):
        bar.doing(f"{harbours.count} roads")
        since, before, tick = clock(), harbours.returned, simulated.status["tick"]
        await asyncio.sleep(1)
        seen.rates.append((harbours.returned - before) / (clock() - since))
        status = await simulated.wait_for(lambda status, tick=tick: status["tick"] > tick)
        seen.free.append(_free(status))
        seen.ticks_per_s.append(status["ticks_per_s"])
        bar.step()
    closed = _closed(simulated)[len(closed_before) :]
    seen.broken = closed[-1] if closed else ""


def _closed(simulated):
    """What its console said of roads that closed."""
    return [line for line in simulated.lines if "is closed" in line]


def _free(status):
    """How much of the heap is free after a collection, in percent."""
    heap = status["heap"]
    return 100 * heap["free"] / (heap["free"] + heap["used"])
