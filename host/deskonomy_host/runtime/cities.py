"""The cities that this process runs: on the network, under control, read and driven as one.

Here: what `deskonomy run` needs of cities, whoever shows them. Not here: cities spread over processes (workers.py, with
the same names), making cities of a plan (world.py).
"""

import contextlib
import json
import time
from collections import deque

from deskonomy import status
from deskonomy.economy.clock import Drive
from deskonomy.roads.local import connect

from deskonomy_host import validation as words
from deskonomy_host.aio import background
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.roads import keyring as keys
from deskonomy_host.roads.mdns import Roads
from deskonomy_host.world import plan as world

COMMANDS = (
    "influence",
    "connect",
    "open",
    "close",
)  # methods of Cities that others may call, each with a city as its first word


class Cities:
    """The cities of a World, on the network from `async with` to its end.

    log: called with each line that tells what happened. names, border: as world.build() takes them, for one process of
    several. more: {field: function without words}; the function of a City that it returns fills that field of a status.
    state: the state.State that they are saved to, None for none.

    cities: the City objects. roads: {city: Roads}. drive: what they live by, its pace and its pauses.
    """

    def __init__(self, plan, log, names=None, border=None, more=None, state=None):
        self.plan = plan
        self.cities = world.build(plan, names, border, state and state.city)
        if state:
            state.adopt(self.cities)
        self.names = [city.name for city in self.cities]
        self.roads = {}
        self.drive = Drive(self.cities, world.pace(plan.speed))
        self.commands = {name: getattr(self, name) for name in COMMANDS}
        self._log = log
        self._more = {name: make() for name, make in (more or {}).items()}
        self._marks = {city.name: deque([(time.monotonic(), city.tick)]) for city in self.cities}
        self._key = None
        self._state = state
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self):
        self._key = keys.given(self.plan.key_file, self._log)
        async with self._open as opening:
            for plan in self._plans():
                await self.listen(plan.name)
            if self._state:
                # Started here, ended before the last checkpoint; the roads close after that.
                opening.callback(self._state.save)
                await opening.enter_async_context(background(self._state.keep()))
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *_):
        await self._open.aclose()

    def _plans(self):
        return [plan for plan in self.plan.cities if plan.name in self.names]

    def _city(self, name):
        if name not in self.names:
            raise OperationError(f"no city {name} is running here; running: {', '.join(self.names)}")
        return self.cities[self.names.index(name)]

    async def listen(self, name):
        """Put a city on the network, at its port or the next free one. Raises OperationError."""
        plan = next(plan for plan in self.plan.cities if plan.name == name)
        roads = Roads(
            self._city(name),
            listen=self.plan.listen,
            port=plan.port or self.plan.port,
            log=self._log,
            key=self._key,
            key_of=keys.key_for,
        )
        try:
            await roads.start()
        except OSError as error:
            where = f"{self.plan.listen} port {roads.port}"
            raise OperationError(f"{name} cannot listen on {where}: {error.strerror or error}") from None
        self._open.push_async_callback(roads.close)
        self.roads[name] = roads

    async def live(self, ticks=None):
        """Dial whom the plan names, and let so many ticks pass, or go on for ever."""
        for plan in self._plans():
            for host, port in plan.dial:
                self.roads[plan.name].dial(host, port)
        await self.drive.run(ticks)

    async def set_pace(self, ticks_per_s, paused=False):
        """How fast time passes from now on, None for as fast as the machine allows, and whether it does."""
        self.drive.ticks_per_s = ticks_per_s
        self.drive.paused = paused

    async def step(self, ticks):
        """Let so many ticks pass now, without a pause in between."""
        self.drive.step(ticks)

    # COMMANDS.

    def influence(self, city, good, yield_mills):
        """Set a yield by hand, in mills of a unit; None gives it back to the sensors."""
        target = self._city(city)
        if yield_mills is None:
            target.release_yield(good)
        elif type(yield_mills) is int:
            target.set_yield(good, yield_mills, by_hand=True)
        else:
            raise UsageError(f"yield_mills takes a whole number or null, not {yield_mills!r}")
        return {"city": city, "good": good, "yield_mills": target.yield_mills(good)}

    def connect(self, city, address):
        """Dial HOST:PORT, now and whenever it is lost."""
        self._city(city)
        host, port = words.address("address")(address)
        self.roads[city].dial(host, port)
        return {"city": city, "address": address}

    def open(self, city, other, address=None):
        """Open this end of the road to another city of the same run, else dial it at its address, "HOST:PORT"."""
        here = self._city(city)
        road = here.roads.get(other)
        if other == city:
            raise UsageError(f"a road leads to another city, not from {city} to itself")
        if road is None and other in self.names:
            connect(here, self._city(other))
            return {"city": city, "other": other, "inside": True}
        inside = False
        if road is not None and road.kind == "in-process":
            inside = True
            road.state = "up"
        elif address:
            self.connect(city, address)
        else:
            raise OperationError(f"nobody here knows where {other} listens: type its HOST:PORT")
        return {"city": city, "other": other, "inside": inside}

    async def close(self, city, other):
        """Close this end of the road to another city, until it is opened again. Who waits for it comes home."""
        road = self._city(city).roads.get(other)
        inside = False
        if road is not None and road.kind == "in-process":
            inside = True
            road.state = "down"
        else:
            address = self.roads[city].address_of(other)
            if address is None:
                raise OperationError(f"{other} has dialled {city}: close this road there, or it is dialled again")
            await self.roads[city].hang_up(*address)
        return {"city": city, "other": other, "inside": inside}

    # What is shown of them.

    def read(self):
        """The status dicts of these cities, with their pace over the last second or so."""
        return [self._read(city) for city in self.cities]

    def _read(self, city):
        roads = self.roads[city.name]
        more = [("sensors", "{}"), ("address", status.quoted(words.shown((roads.listen, roads.port))))]
        found = json.loads(status.line(city, more, self._ticks_per_s(city)))
        return found | {name: say(city) for name, say in self._more.items()}

    def _ticks_per_s(self, city):
        marks, now = self._marks[city.name], time.monotonic()
        while len(marks) > 1 and now - marks[1][0] >= 1:
            marks.popleft()
        marks.append((now, city.tick))
        return (city.tick - marks[0][1]) / max(0.001, now - marks[0][0])
