"""`deskonomy run`: the cities of a world in this process, on the network, on display, under control.

Here: how the parts are put together and taken apart again. Not here: the parts.
"""

import asyncio
import contextlib
import json
import time
from collections import deque

from deskonomy import status
from deskonomy.drive import drive
from deskonomy.tcp import Roads

from . import words, world
from .control import ControlServer
from .display import choose, show_until
from .errors import Failed, Wrong


def run(plan, ticks=None, duration_s=None, as_json=False):
    """Run a World until so many ticks or seconds are over, or for ever. Raises Failed, KeyboardInterrupt."""
    first = plan.cities[0].name
    hint = f"Ctrl-C ends  ·  in another terminal: deskonomy influence {first} {plan.goods[0].name} 0.5"
    display = choose(as_json, {city.name: city.colour for city in plan.cities}, hint)
    asyncio.run(_run(plan, display, ticks, duration_s))


async def _run(plan, display, ticks, duration_s):
    cities = world.build(plan)
    roads = {}
    readings = Readings(cities, roads)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(display)
        for city, its_plan in zip(cities, plan.cities, strict=True):
            port = its_plan.port or plan.port
            roads[city.name] = await stack.enter_async_context(on_network(city, plan.listen, port, display.note))
        for its_plan in plan.cities:
            for host, port in its_plan.dial:
                roads[its_plan.name].dial(host, port)
        await stack.enter_async_context(ControlServer(list(roads), readings, commands(cities, roads)))
        driving = await stack.enter_async_context(background(drive(cities, world.pace(plan.speed), ticks)))
        await show_until([driving], display, readings, duration_s)


@contextlib.asynccontextmanager
async def background(work):
    """A task that does this work, ended with the block at the latest."""
    # Started here; ends by itself or with the block.
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def on_network(city, listen, port, log):
    """The city's Roads over TCP: listening on this port or the next free one, all closed at the end. Raises Failed."""
    roads = Roads(city, listen=listen, port=port, log=log)
    try:
        await roads.start()
    except OSError as error:
        raise Failed(f"{city.name} cannot listen on {listen} port {port}: {error.strerror or error}") from None
    try:
        yield roads
    finally:
        await roads.close()


def commands(cities, roads):
    """What `deskonomy influence` and `connect` may ask of these cities. roads: {city: Roads}."""
    cities = {city.name: city for city in cities}

    def here(name):
        if name not in cities:
            raise Failed(f"no city {name} is running here; running: {', '.join(cities)}")
        return cities[name]

    def influence(city, good, yield_mills):
        """Set a yield by hand, in mills of a unit; None gives it back to the sensors."""
        target = here(city)
        if yield_mills is None:
            target.release_yield(good)
        elif type(yield_mills) is int:
            target.set_yield(good, yield_mills, by_hand=True)
        else:
            raise Wrong(f"yield_mills takes a whole number or null, not {yield_mills!r}")
        return {"city": city, "good": good, "yield_mills": target.yield_mills(good)}

    def connect(city, address):
        """Dial HOST:PORT, now and whenever it is lost."""
        here(city)
        host, port = words.address("address")(address)
        roads[city].dial(host, port)
        return {"city": city, "address": address}

    return {"influence": influence, "connect": connect}


class Readings:
    """Called, the status dicts of these cities, with their pace over the last second or so. roads: {city: Roads}."""

    def __init__(self, cities, roads):
        self._cities = cities
        self._roads = roads
        self._marks = {city.name: deque([(time.monotonic(), city.tick)]) for city in cities}

    def __call__(self):
        return [self._read(city) for city in self._cities]

    def _read(self, city):
        address = words.shown((self._roads[city.name].listen, self._roads[city.name].port))
        more = [("sensors", "{}"), ("address", status.quoted(address))]
        return json.loads(status.line(city, more, self._ticks_per_s(city)))

    def _ticks_per_s(self, city):
        marks, now = self._marks[city.name], time.monotonic()
        while len(marks) > 1 and now - marks[1][0] >= 1:
            marks.popleft()
        marks.append((now, city.tick))
        return (city.tick - marks[0][1]) / max(0.001, now - marks[0][0])
