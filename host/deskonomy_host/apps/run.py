"""`deskonomy run`: the cities of a world on the network, on a display, under control.

Here: opening the cities of a plan and running them. Not here: what is around them (apps/compose.py), the cities
themselves (runtime/).
"""

import asyncio
import contextlib
from dataclasses import replace

from deskonomy_host.apps.compose import Composition, RunSettings
from deskonomy_host.runtime.store import Store
from deskonomy_host.runtime.workers import spread_cities
from deskonomy_host.world.plan import WorldPlan, choose_engine


def run(
    plan: WorldPlan,
    settings: RunSettings,
    ticks: int | None = None,
    processes: int | None = None,
    state: str | None = None,
) -> None:
    """Run the cities of a plan until Ctrl-C, or until the ticks or the duration are over.

    Args:
        plan: the plan of the world.
        settings: how the run is shown, recorded and ended.
        ticks: how many to run; None for no limit.
        processes: how many to use at most; None for as many as suit.
        state: the directory that saves the cities; None for none.

    Raises:
        OperationError: a file, a port or a process fails.
        KeyboardInterrupt: the user has pressed Ctrl-C.
    """
    plan = replace(plan, engine=choose_engine(plan, ticks))
    first = plan.cities[0].name
    hint = f"Ctrl-C ends  ·  in another terminal: deskonomy influence {first} {plan.goods[0].name} 0.5"
    composition = Composition(settings, {city.name: city.colour for city in plan.cities}, hint)
    asyncio.run(_run(plan, composition, ticks, processes, state))


async def _run(
    plan: WorldPlan, composition: Composition, ticks: int | None, processes: int | None, state: str | None
) -> None:
    async with composition.open():
        with Store(state) if state else contextlib.nullcontext() as store:
            async with spread_cities(plan, processes, composition.status_fields, store) as cities:
                await composition.run(cities, ticks)
