"""`deskonomy demo`: a board whose light sensor moves an economy, and two cities that trade with it.

Here: the story, from a bare MicroPython to three cities that trade, and its days and nights. Not here: the simulated
board (simulator.py), the cities of this process (run.py), what all of it looks like (view.py).
"""

import asyncio
import contextlib
import itertools

from deskonomy.drive import drive

from . import run, words, world
from .control import ControlServer
from .display import choose, show_until
from .errors import Failed, Wrong
from .simulator import SimulatedBoard

BOARD = "DESKTOWN"
CITIES = ("RIVERWOOD", "SEASIDE")
SPEED = 50  # ticks a second: slow enough to watch, fast enough for a price to move within a night
SENSOR = "light"
NIGHT, DAY = 0.05, 0.9  # how much light there is, of all that the sensor can see
HALF_DAY_S = 20


def demo(day=True, duration_s=None, as_json=False, micropython=None):
    """Run the demo until so many seconds are over, or for ever. Raises Failed, KeyboardInterrupt."""
    plan = world.of_names(CITIES)
    colours = {city.name: city.colour for city in plan.cities} | {BOARD: "yellow"}
    hint = f"Ctrl-C ends  ·  in another terminal: deskonomy board sense {SENSOR} 0.1"
    asyncio.run(_demo(plan, choose(as_json, colours, hint), day, duration_s, micropython))


async def _demo(plan, display, day, duration_s, micropython):
    cities = world.build(plan)
    roads = {}
    readings = run.Readings(cities, roads)
    story = Story(display.note, roads, day, micropython)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(display)
        for city in cities:
            on_network = run.on_network(city, plan.listen, plan.port, display.note)
            roads[city.name] = await stack.enter_async_context(on_network)

        def statuses():
            return readings() + story.statuses()

        commands = story.commands(run.commands(cities, roads))
        await stack.enter_async_context(ControlServer([*CITIES, BOARD], statuses, commands))
        driving = await stack.enter_async_context(run.background(drive(cities, SPEED)))
        telling = await stack.enter_async_context(run.background(story.tell()))
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
        """Start a board, have the cities dial it, let days and nights pass over it, for ever."""
        self._say(f"{BOARD}'s board starts: a real MicroPython, onto which mpremote copies the firmware")
        light = NIGHT if self._day else 0.5
        async with SimulatedBoard(
            name=BOARD, speed=SPEED, sensors={SENSOR: light}, micropython=self._micropython
        ) as board:
            self._board = board
            self._say(f"{BOARD} is up at {board.address} and the others dial it")
            for roads in self._roads.values():
                roads.dial(*words.address("the board")(board.address))
            for number in itertools.count(1):
                await self._turn(number % 2)

    async def _turn(self, dawn):
        await asyncio.sleep(HALF_DAY_S)
        if self._day:
            self._board.sense(SENSOR, DAY if dawn else NIGHT)
            if dawn:
                self._say(
                    f"The sun rises on {BOARD}'s light sensor: there is wood for everybody, and its price will fall"
                )
            else:
                self._say(f"Night falls on {BOARD}'s light sensor: nobody can make wood, and its price will rise")

    def statuses(self):
        """The board's status as a list: empty until it has one."""
        status = self._board and self._board.status
        return [status] if status else []

    def commands(self, of_cities):
        """What `deskonomy influence`, `connect` and `board sense` may ask of the board, and of the cities beside it."""

        def influence(city, good, yield_mills):
            if city != BOARD:
                return of_cities["influence"](city, good, yield_mills)
            if good not in self._up().status["yield"]:
                raise Wrong(f"{BOARD} makes no {good}, only {', '.join(self._up().status['yield'])}")
            self._up().send_command({"influence": [good, yield_mills and yield_mills / 1000]})
            return {"city": city, "good": good, "yield_mills": yield_mills}

        def connect(city, address):
            if city != BOARD:
                return of_cities["connect"](city, address)
            self._up().send_command({"connect": words.shown(words.address("address")(address))})
            return {"city": city, "address": address}

        def sense(name, value):
            self._up().sense(name, value)
            self._day = False
            return {"name": name, "value": value}

        return {"influence": influence, "connect": connect, "sense": sense}

    def _up(self):
        if self._board is None:
            raise Failed(f"{BOARD} is not up yet")
        return self._board
