"""`deskonomy run`: the cities of a world on the network, on display, under control.

Here: how the parts are put together and taken apart again. Not here: the parts.
"""

import asyncio
import contextlib
from dataclasses import replace
from functools import partial

from deskonomy_host.aio import background
from deskonomy_host.dashboard import app as show
from deskonomy_host.errors import OperationError
from deskonomy_host.history.recorder import Recorder, recording
from deskonomy_host.runtime.controller import Steering
from deskonomy_host.runtime.store import State
from deskonomy_host.runtime.workers import spread
from deskonomy_host.telemetry.source import Live, News
from deskonomy_host.telemetry.statistics import Detail
from deskonomy_host.terminal.display import choose, show_until
from deskonomy_host.world import plan as world

_HALT_S = 10  # for three requests to each process of a busy machine; of one that is dead it is known at once


def run(plan, ticks=None, duration_s=None, as_json=False, history=None, processes=None, dashboard=None, state=None):
    """Run a World until so many ticks or seconds are over, or for ever. Raises OperationError, KeyboardInterrupt.

    history: the file that keeps its history, None for none. processes: how many to use, None for as many as suit.
    dashboard: a dashboard.show.Wish, None for none. state: the directory that saves the cities, None for none.
    """
    plan = replace(plan, engine=world.engine_of(plan, ticks))
    first = plan.cities[0].name
    hint = f"Ctrl-C ends  ·  in another terminal: deskonomy influence {first} {plan.goods[0].name} 0.5"
    colours = {city.name: city.colour for city in plan.cities}
    display, recorder = choose(as_json, colours, hint), history and Recorder(history, colours)
    asyncio.run(_run(plan, display, ticks, duration_s, recorder, processes, dashboard, state))


async def _run(plan, display, ticks, duration_s, recorder, processes, dashboard, state):
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(display)
        more = {"detail": Detail} if recorder or dashboard else None
        news = News(display.note)
        saved = stack.enter_context(State(state, news)) if state else None
        cities = await stack.enter_async_context(spread(plan, news, processes, more, saved))
        if recorder:
            stack.enter_context(recorder)
            await stack.enter_async_context(recording(recorder, cities.read))
        steering = await stack.enter_async_context(Steering(cities, news))
        source = Live(cities.read, cities.commands | steering.commands, news, steering.clock)
        colours = {city.name: city.colour for city in plan.cities}
        await stack.enter_async_context(show.serve(dashboard, source, colours, cities.names, display.dashboard))
        living = await stack.enter_async_context(background(cities.live(ticks)))
        await show_until([living], display, cities.read, duration_s, partial(_halt, cities))


async def _halt(cities):
    """Let time stand still, at the same tick for all cities, so that the last that is shown is how it ends."""
    with contextlib.suppress(OperationError, TimeoutError):  # of a process that is gone there is nothing to be known
        async with asyncio.timeout(_HALT_S):
            await cities.set_pace(None, paused=True)
