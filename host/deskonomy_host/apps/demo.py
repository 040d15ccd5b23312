"""`deskonomy demo`: a board whose light sensor moves an economy, and two cities that trade with it.

Here: the story, from a bare MicroPython to three cities that trade, with its days and nights. Not here: the simulated
board (boards/simulator/board.py), the cities of this process (runtime/cities.py), what is around them
(apps/compose.py).
"""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from deskonomy_host.addresses import parse_address
from deskonomy_host.apps.compose import DEMO_EVENTS, Composition, RunSettings
from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.boards.simulator.commands import make_commands
from deskonomy_host.control.commands import Implementations, bind, execute
from deskonomy_host.errors import OperationError
from deskonomy_host.logs import STORY, log_event
from deskonomy_host.roads.mdns import HostNetwork
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.world.plan import plan_cities

BOARD = "DESKTOWN"
CITIES = ("RIVERWOOD", "SEASIDE")
SPEED = 50  # ticks per second: slow enough to watch, fast enough for a price to move within a night
SENSOR = "light"
NIGHT, DAY = 0.05, 0.9  # the sensor's level, as a share of its range
_DUSK = 0.5  # without days and nights
HALF_DAY_S = 20
TURNS = (
    (NIGHT, f"Night on {BOARD}'s light sensor: making wood is hardly worth it"),
    (DAY, f"Day on {BOARD}'s light sensor: making wood pays, so it gets cheaper"),
)


def demo(settings: RunSettings, day: bool = True, micropython: str | None = None) -> None:
    """Run the demo until Ctrl-C or until the duration is over.

    Args:
        settings: how the run is shown, recorded and ended.
        day: whether days and nights pass over the light sensor.
        micropython: path of an interpreter; None for the usual one.

    Raises:
        OperationError: a file, a port or the board fails.
        KeyboardInterrupt: the user has pressed Ctrl-C.
    """
    plan = replace(plan_cities(CITIES), speed=SPEED)
    colours = {city.name: city.colour for city in plan.cities} | {BOARD: "yellow"}
    hint = f"Ctrl-C ends  ·  in another terminal: deskonomy board sense {SENSOR} 0.1"
    composition = Composition(settings, colours, hint, DEMO_EVENTS)

    async def run() -> None:
        async with composition.open(), Cities(plan, status_fields=composition.status_fields) as cities:
            await composition.run(cities, companion=Story(cities.networks, day, micropython))

    asyncio.run(run())


class Story:
    """What happens to the demo's board, as a Companion of the cities that dial it."""

    def __init__(self, networks: Mapping[str, HostNetwork], day: bool = True, micropython: str | None = None):
        """Prepare the story; networks: those of the cities that dial the board. For the rest see demo()."""
        self.names = [BOARD]
        self._networks = networks
        self._day = day
        self._micropython = micropython
        self._board: SimulatedBoard | None = None
        self._commands: Implementations = {}  # of the cities of this process

    async def run(self) -> None:
        """Start the board, have the cities dial it, and let days and nights pass over it. Raises OperationError."""
        log_event(STORY, f"{BOARD}'s board starts: mpremote copies the firmware onto it")
        light = NIGHT if self._day else _DUSK
        board = SimulatedBoard(name=BOARD, speed=SPEED, sensors={SENSOR: light}, micropython=self._micropython)
        async with board:
            self._board = board
            log_event(STORY, f"{BOARD} is up at {board.address}; {' and '.join(self._networks)} dial it")
            for network in self._networks.values():
                network.dial(*parse_address(board.address, "the board"))
            for light, text in itertools.cycle(TURNS):
                if self._day:
                    board.sense(SENSOR, light)
                    log_event(STORY, text)
                await _wait_half_day(board)

    def read_statuses(self) -> list[Status]:
        """Return the board's status as a list, empty before there is one."""
        status = self._board.status if self._board else None
        return [cast("Status", status)] if status else []

    # Commands; see control/commands.py.

    def extend_commands(self, commands: Implementations) -> Implementations:
        """Return the commands of the cities of this process, extended to the board."""
        self._commands = commands
        return {**commands, **bind(self, ("influence", "connect", "open", "close", "forget", "sense"))}

    async def influence(self, city: str, good: str, yield_mills: int | None) -> Any:
        """Set the yield of a good by hand, or give it back to the sensors."""
        arguments = {"city": city, "good": good, "yield_mills": yield_mills}
        return await execute(self._find_commands(city), "influence", arguments)

    async def connect(self, city: str, address: str) -> Any:
        """Dial an address now, and again whenever the connection is lost."""
        return await execute(self._find_commands(city), "connect", {"city": city, "address": address})

    async def open(self, city: str, other: str, address: str | None = None) -> Any:
        """Open the road between two cities, from the one of this process: the board only listens."""
        if BOARD in (city, other):
            city, other, address = other if city == BOARD else city, BOARD, self._find_board().address
        return await execute(self._commands, "open", {"city": city, "other": other, "address": address})

    async def close(self, city: str, other: str) -> Any:
        """Close the road between two cities, from the one of this process."""
        city, other = (other, city) if city == BOARD else (city, other)
        return await execute(self._commands, "close", {"city": city, "other": other})

    async def forget(self, city: str, other: str) -> Any:
        """Forget the road to a city that has vanished."""
        return await execute(self._find_commands(city), "forget", {"city": city, "other": other})

    def sense(self, name: str, value: float) -> Any:
        """Set what the board's sensor reads; from now on days and nights leave it alone."""
        self._find_board().sense(name, value)
        self._day = False
        return {"name": name, "value": value}

    def _find_commands(self, city: str) -> Implementations:
        return make_commands(self._find_board()) if city == BOARD else self._commands

    def _find_board(self) -> SimulatedBoard:
        if self._board is None:
            raise OperationError(f"{BOARD} is not up yet")
        return self._board


async def _wait_half_day(board: SimulatedBoard) -> None:
    """Wait half a day by the board's own clock, which goes on only while its program runs."""
    assert board.status is not None
    due_s = board.status["uptime_s"] + HALF_DAY_S
    await board.wait_for(lambda status: status["uptime_s"] >= due_s, 2 * HALF_DAY_S)
