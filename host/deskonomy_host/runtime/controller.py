"""What a dashboard may ask of the cities of this process, beyond what a command line asks: time, roads, a school.

Here: pause, step and speed; both ends of a road; merchants from the Merchant School. Not here: yields, one end of a
road, dialling (cities.py); what a simulated board may be asked (simulator.py); who may ask (guard.py).
"""

import asyncio
import contextlib

from deskonomy_host import validation as words
from deskonomy_host.aio import result_of
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import school
from deskonomy_host.world import plan as world

STEP_MAX = 1000  # ticks at once: everything else waits meanwhile
SCHOOL_MAX = 50  # merchants at once
_RETURN_S = 10  # how long the school waits for those who come back


class Steering:
    """Commands for a cities.Cities or a workers.Workers, from `async with` to its end.

    log: called with what happened.
    """

    def __init__(self, cities, log):
        self._cities = cities
        self._log = log
        self._paused = False
        self._ticks_per_s = world.pace(cities.plan.speed)
        self._classes = set()  # tasks of schools under way
        self.commands = {
            "pause": self.pause,
            "step": self.step,
            "speed": self.speed,
            "open": self.open,
            "close": self.close,
            "school": self.school,
        }

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        for task in list(self._classes):
            task.cancel()
            await asyncio.wait([task])

    def clock(self):
        """How time passes here: {"paused": bool, "ticks_per_s": number, None for as fast as it goes}."""
        return {"paused": self._paused, "ticks_per_s": self._ticks_per_s}

    # Time.

    async def pause(self, paused):
        """Let time stand still for all cities here, or go on."""
        if not isinstance(paused, bool):
            raise UsageError(f"paused takes true or false, not {paused!r}")
        self._paused = paused
        return await self._set_pace()

    async def step(self, ticks):
        """Let so many ticks pass now."""
        await self._cities.step(words.whole("ticks", 1, STEP_MAX, 1)(ticks))
        return self.clock()

    async def speed(self, ticks_per_s):
        """Set the pace; None for as fast as the machine allows."""
        self._ticks_per_s = None if ticks_per_s is None else world.pace(words.speed("ticks_per_s")(ticks_per_s))
        return await self._set_pace()

    async def _set_pace(self):
        await self._cities.set_pace(self._ticks_per_s, self._paused)
        return self.clock()

    # Roads.

    async def open(self, city, other, address=None):
        """Open the road to another city: both ends of one inside the run, else by dialling it at its address."""
        return await self._both_ends("open", city, other, {"address": address})

    async def close(self, city, other):
        """Close the road to another city, until it is opened again. Who waits for it comes home."""
        return await self._both_ends("close", city, other, {})

    async def _both_ends(self, command, city, other, more):
        done = await self._ask(command, city=city, other=other, **more)
        if done["inside"]:
            await self._ask(command, city=other, other=city)
        return done

    async def _ask(self, command, **given):
        return await result_of(self._cities.commands[command](**given))

    # The school.

    async def school(self, city, count, good):
        """Send trained merchants into a city by a road of their own; who comes back is told in the log."""
        found = [status for status in self._cities.read() if status["city"] == city]
        if not found:
            raise OperationError(f"no city {city} is running here; running: {', '.join(self._cities.names)}")
        words.whole("count", 1, SCHOOL_MAX, 10)(count)
        if good not in found[0]["price"]:
            raise UsageError(f"{city} trades no {good}, only {', '.join(found[0]['price'])}")
        # Started here; ends when as many came back or nobody comes any more, at the latest with this object.
        task = asyncio.create_task(self._teach(city, found[0]["address"], count, good))
        self._classes.add(task)
        task.add_done_callback(self._classes.discard)
        return {"city": city, "count": count, "good": good}

    async def _teach(self, city, address, count, good):
        from deskonomy_host.roads.client import Merchant, NoRoadError, Road

        money = school.MONEY_MILLS / 1000
        prices = {
            good: {city: mills / 1000 for city, mills in row.items()} for good, row in school.PRICES_MILLS.items()
        }
        returned = 0
        try:
            async with Road.dial(address, name=school.NAME) as road:
                for _ in range(count):
                    await road.send(Merchant(good, money=money, owned=3, prices=prices))
                self._log(f"{count} {good} merchants of the Merchant School set out for {city}")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RETURN_S):
                        while returned < count:
                            await road.receive()
                            returned += 1
        except NoRoadError as error:
            self._log(f"the Merchant School cannot get to {city}: {error}")
        else:
            self._log(f"of {count} merchants of the Merchant School, {returned} came back from {city}")
