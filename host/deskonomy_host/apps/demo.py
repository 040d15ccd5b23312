"""`deskonomy demo`: a board whose light sensor moves an economy, and two cities that trade with it.

Here: the story, from a bare MicroPython to three cities that trade, and its days and nights. Not here: the simulated
board (simulator.py), the cities of this process (cities.py), what all of it looks like (view.py).
"""

import asyncio
import contextlib
import itertools
from dataclasses import replace

from deskonomy_host import validation as words
from deskonomy_host.aio import background
from deskonomy_host.boards.simulator import board as simulator
from deskonomy_host.dashboard import app as show
from deskonomy_host.errors import OperationError
from deskonomy_host.history.recorder import Recorder, recording
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.runtime.controller import Steering
from deskonomy_host.telemetry.source import Live, News
from deskonomy_host.telemetry.statistics import Detail
from deskonomy_host.terminal.display import choose, show_until
from deskonomy_host.world import plan as world

BOARD = "DESKTOWN"
CITIES = ("RIVERWOOD", "SEASIDE")
SPEED = 50  # ticks a second: slow enough to watch, fast enough for a price to move within a night
SENSOR = "light"
NIGHT, DAY = 0.05, 0.9  # how much light there is, of all that the sensor can see
HALF_DAY_S = 20
TURNS = (
    (NIGHT, f"Night on {BOARD}'s light sensor: making wood is hardly worth it"),
    (DAY, f"Day on {BOARD}'s light sensor: making wood pays, so it gets cheaper"),
)


def demo(day=True, duration_s=None, as_json=False, micropython=None, history=None, dashboard=None):
    """Run the demo until so many seconds are over, or for ever. Raises OperationError, KeyboardInterrupt.

    history: the file that keeps its history, None for none. dashboard: a dashboard.show.Wish, None for none.
    """
    plan = replace(world.of_names(CITIES), speed=SPEED)
    colours = {city.name: city.colour for city in plan.cities} | {BOARD: "yellow"}
    hint = f"Ctrl-C ends  ·  in another terminal: deskonomy board sense {SENSOR} 0.1"
    recorder = history and Recorder(history, colours)
    display = choose(as_json, colours, hint)
    asyncio.run(_demo(plan, colours, display, day, duration_s, micropython, recorder, dashboard))


async def _demo(plan, colours, display, day, duration_s, micropython, recorder, dashboard):
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(display)
        more = {"detail": Detail} if recorder or dashboard else None
        # The statuses tell of roads.
        cities = await stack.enter_async_context(Cities(plan, lambda line: None, more=more))

        def say(text):
            display.note(text)
            if recorder:
                recorder.note(text)

        news = News(say)
        story = Story(news, cities.roads, day, micropython)

        def statuses():
            return cities.read() + story.statuses()

        if recorder:
            stack.enter_context(recorder)
            await stack.enter_async_context(recording(recorder, statuses))
        steering = await stack.enter_async_context(Steering(cities, news))
        source = Live(statuses, story.commands(cities.commands | steering.commands), news, steering.clock)
        names = [*CITIES, BOARD]
        await stack.enter_async_context(show.serve(dashboard, source, colours, names, display.dashboard))
        driving = await stack.enter_async_context(background(cities.live()))
        telling = await stack.enter_async_context(background(story.tell()))
        await show_until([driving, telling], display, statuses, duration_s)


class Story:
    """What happens to the board. say: called with each turn it takes. roads: {city: Roads}, the cities that dial it."""

    def __init__(self, say, roads, day=True, micropython=None):
        self._say = say
        self._roads = roads
        self._day = day
        self._micropython = micropython
        self._board = None

    async def tell(self):
        """Start a board, have the cities dial it, let days and nights pass over it, for ever. Raises OperationError."""
        self._say(f"{BOARD}'s board starts: mpremote copies the firmware onto it")
        light = NIGHT if self._day else 0.5
        board = simulator.SimulatedBoard(
            name=BOARD, speed=SPEED, sensors={SENSOR: light}, micropython=self._micropython
        )
        async with board:
            self._board = board
            self._say(f"{BOARD} is up at {board.address}; {' and '.join(self._roads)} dial it")
            for roads in self._roads.values():
                roads.dial(*words.address("the board")(board.address))
            for light, what in itertools.cycle(TURNS):
                if self._day:
                    board.sense(SENSOR, light)
                    self._say(what)
                await self._wait(board)

    async def _wait(self, board):
        """Half a day by the board's own clock, which goes on for as long as its program does."""
        due_s = board.status["uptime_s"] + HALF_DAY_S
        await board.wait_for(lambda status: status["uptime_s"] >= due_s, 2 * HALF_DAY_S)

    def statuses(self):
        """The board's status as a list: empty until it has one."""
        status = self._board and self._board.status
        return [status] if status else []

    def commands(self, of_cities):
        """What may be asked of the board and of the cities beside it: as simulator.commands(), and as of_cities."""

        def those_of(city):
            return simulator.commands(self._up()) if city == BOARD else of_cities

        def influence(city, good, yield_mills):
            return those_of(city)["influence"](city, good, yield_mills)

        def connect(city, address):
            return those_of(city)["connect"](city, address)

        def open(city, other, address=None):
            # A board can only dial, so its roads are the business of the cities that dial it.
            city, other = (other, city) if city == BOARD else (city, other)
            return of_cities["open"](city, other, self._up().address if other == BOARD else address)

        def close(city, other):
            return of_cities["close"](*((other, city) if city == BOARD else (city, other)))

        def sense(name, value):
            self._up().sense(name, value)
            self._day = False  # from now on somebody else has the light in hand
            return {"name": name, "value": value}

        here = {"influence": influence, "connect": connect, "sense": sense, "open": open, "close": close}
        return of_cities | here

    def _up(self):
        if self._board is None:
            raise OperationError(f"{BOARD} is not up yet")
        return self._board
