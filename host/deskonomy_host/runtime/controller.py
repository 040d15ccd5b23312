"""The controller of a run: the commands of a dashboard that concern time, both ends of a road, or the Merchant School.

Here: pause, step and speed; opening and closing a road at both ends; sending merchants of the school. Not here: the
commands of a single city (runtime/cities.py), those of a simulated board (boards/simulator/board.py), which requests
are allowed (control/access.py).
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from deskonomy_host import validation
from deskonomy_host.addresses import parse_address
from deskonomy_host.aio import OnFailure, Supervisor
from deskonomy_host.control.commands import bind, execute
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.logs import SCHOOL, log_event
from deskonomy_host.roads import school
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.telemetry.source import Pace
from deskonomy_host.world.plan import convert_speed

if TYPE_CHECKING:
    from deskonomy_host.runtime.workers import RunningCities

STEP_MAX = 1000  # ticks in one command: until they have run, the process does nothing else
SCHOOL_MAX = 50  # merchants in one command
# How long the school waits for merchants that return: they trade before they leave.
_RETURN_S = 30


class Controller:
    """The commands for all cities of a run, from `async with` to its end.

    Attributes:
        commands: implementations by name: those of each city, and the controller's own in place of some of them.
    """

    def __init__(self, cities: "RunningCities", read_statuses: Callable[[], list[Status]] | None = None):
        """Create the controller of these cities.

        Args:
            cities: the cities of the run.
            read_statuses: returns the statuses of all cities that the school may visit; None for those of the run.
        """
        self._cities = cities
        self._read_statuses = read_statuses or cities.read_statuses
        self._paused = False
        self._ticks_per_s = convert_speed(cities.plan.speed)
        self._supervisor = Supervisor()  # of schools under way
        self.commands = cities.commands | bind(self, ("pause", "step", "speed", "open", "close", "school"))

    async def __aenter__(self) -> Self:
        await self._supervisor.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        await self._supervisor.__aexit__(*failure)

    def read_clock(self) -> Pace:
        """Return how time passes."""
        return {"paused": self._paused, "ticks_per_s": self._ticks_per_s}

    # Time.

    async def pause(self, paused: bool) -> Pace:
        """Stop time for all cities, or let it go on."""
        self._paused = validation.parse_boolean(paused, "paused")
        return await self._set_pace()

    async def step(self, ticks: int) -> Pace:
        """Run a number of ticks now."""
        await self._cities.step(validation.parse_integer(ticks, "ticks", 1, STEP_MAX, 1))
        return self.read_clock()

    async def speed(self, ticks_per_s: float | None) -> Pace:
        """Set ticks per second; None for as fast as the machine allows."""
        if ticks_per_s is None:
            self._ticks_per_s = None
        else:
            self._ticks_per_s = convert_speed(validation.parse_speed(ticks_per_s, "ticks_per_s"))
        return await self._set_pace()

    async def _set_pace(self) -> Pace:
        await self._cities.set_pace(self._ticks_per_s, self._paused)
        return self.read_clock()

    # Roads.

    async def open(self, city: str, other: str, address: str | None = None) -> dict[str, Any]:
        """Open the road to another city: both ends of a road inside the run, else by dialling its address."""
        return await self._execute_at_both_ends("open", city, other, address=address)

    async def close(self, city: str, other: str) -> dict[str, Any]:
        """Close the road to another city until it is opened again; merchants that wait for it return."""
        return await self._execute_at_both_ends("close", city, other)

    async def _execute_at_both_ends(self, command: str, city: str, other: str, **arguments: Any) -> dict[str, Any]:
        reply = await execute(self._cities.commands, command, {"city": city, "other": other, **arguments})
        if reply["inside"]:
            await execute(self._cities.commands, command, {"city": other, "other": city})
        return reply

    # The Merchant School.

    async def school(self, city: str, count: int, good: str) -> dict[str, Any]:
        """Send trained merchants into a city by a road of their own; the log reports how many return."""
        statuses = self._read_statuses()
        found = [status for status in statuses if status["city"] == city]
        if not found:
            names = ", ".join(status["city"] for status in statuses)
            raise OperationError(f"no city {city} is running here; running: {names}")
        validation.parse_integer(count, "count", 1, SCHOOL_MAX, 10)
        if good not in found[0]["price"]:
            raise UsageError(f"{city} trades no {good}, only {', '.join(found[0]['price'])}")
        send = functools.partial(_send_school, city, found[0].get("address", ""), count, good)
        self._supervisor.start(send, "the Merchant School", OnFailure.REPORT)
        return {"city": city, "count": count, "good": good}


async def _send_school(city: str, address: str, count: int, good: str) -> None:
    """Send merchants, and wait until as many have returned or _RETURN_S are over."""
    host, port = parse_address(address, "school")
    returned = 0
    try:
        async with school.visit_city(host, port) as visit:
            await visit.send_merchants(count, good)
            log_event(SCHOOL, f"{count} {good} merchants of the Merchant School set out for {city}", city)
            async for _ in visit.receive_merchants(count, _RETURN_S):
                returned += 1
    except OperationError as error:
        log_event(SCHOOL, f"the Merchant School has no road to {city}: {error}", city)
    else:
        log_event(SCHOOL, f"of {count} merchants of the Merchant School, {returned} came back from {city}", city)
