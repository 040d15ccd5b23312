"""The cities of a run, spread over worker processes: the methods of Cities, and the same result for any number of them.

Here: how many processes, which cities each of them has, and requests to all of them. Not here: a single process
(worker_process.py), what it does (worker.py).
"""

import asyncio
import contextlib
import functools
import math
import os
import socket
from typing import Any, Self

from deskonomy_host import logs
from deskonomy_host.control.commands import CITY_COMMANDS, Implementation
from deskonomy_host.errors import OperationError
from deskonomy_host.runtime.cities import Cities, StatusFields
from deskonomy_host.runtime.store import Store
from deskonomy_host.runtime.worker_process import WorkerProcess
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.world.plan import WorldPlan, choose_engine, count_residents

INTERVAL_S = 0.5  # statuses are at most this old
_US_PER_RESIDENT = {"plain": 2.3, "numba": 0.05}  # microseconds of a tick, measured
_TICK_US_MIN = 500  # where a tick takes less, waiting for each other costs more than several processes gain
_LOAD_MAX = 0.5  # of a core; below it one process keeps the pace


def choose_process_count(plan: WorldPlan) -> int:
    """Return how many processes suit a plan: one per core if a tick is much work for one process, else one."""
    tick_us = count_residents(plan) * _US_PER_RESIDENT[choose_engine(plan)]
    is_busy = math.isinf(plan.speed) or tick_us * plan.speed / 1e6 > _LOAD_MAX
    return min(_count_cores(), len(plan.cities)) if is_busy and tick_us >= _TICK_US_MIN else 1


def divide_cities(plan: WorldPlan, count: int) -> list[list[str]]:
    """Return the names of a plan's cities in at most `count` lists, in order, with about equal numbers of residents."""
    sizes = [count_residents(city) + 1 for city in plan.cities]
    shares: dict[int, list[str]] = {}
    before = 0
    for city, size in zip(plan.cities, sizes, strict=True):
        middle = before + size / 2
        shares.setdefault(int(middle * count / sum(sizes)), []).append(city.name)
        before += size
    return list(shares.values())


def spread_cities(
    plan: WorldPlan,
    processes: int | None = None,
    status_fields: StatusFields | None = None,
    store: Store | None = None,
) -> "RunningCities":
    """Return Cities, or Workers if there are several processes.

    Args:
        plan: the plan of the world.
        processes: how many at most; None for as many as suit.
        status_fields: as Cities takes them.
        store: where the cities are saved, which takes a single process; None for nowhere.
    """
    if store:
        return Cities(plan, status_fields=status_fields, store=store)
    shares = divide_cities(plan, processes or choose_process_count(plan))
    return Workers(plan, shares, status_fields) if len(shares) > 1 else Cities(plan, status_fields=status_fields)


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """The cities of a plan in worker processes, from `async with` to its end; see Cities for the methods.

    Statuses are at most INTERVAL_S old, and exact once run() has ended.
    """

    def __init__(self, plan: WorldPlan, shares: list[list[str]], status_fields: StatusFields | None = None):
        """Create the workers; shares: the cities of each process."""
        self.plan = plan
        self.names = [city.name for city in plan.cities]
        self.commands: dict[str, Implementation] = {
            name: functools.partial(self._forward, name) for name in CITY_COMMANDS
        }
        self._shares = shares
        self._status_fields = status_fields or {}
        self._processes: list[WorkerProcess] = []
        self._engine_records: list[Any] = []
        self._statuses: dict[str, Status] = {}
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._open as opening:
            with contextlib.ExitStack() as sockets:
                for share, neighbours in zip(self._shares, self._connect_shares(sockets), strict=True):
                    process = WorkerProcess(share, neighbours, self._receive)
                    self._processes.append(process)
                    opening.push_async_callback(process.end)
                    await process.start()
            await asyncio.gather(
                *(
                    process.ask(
                        "build",
                        plan=self.plan,
                        names=process.names,
                        neighbours=process.neighbours,
                        status_fields=self._status_fields,
                        interval_s=INTERVAL_S,
                    )
                    for process in self._processes
                )
            )
            next_ports: dict[int, int] = {}
            for process in self._processes:  # one after the other, for the same ports as in one process
                next_ports = await process.ask("listen", next_ports=next_ports)
            await self._ask_all("exchange")
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            process.hang_up()
        await self._open.aclose()

    def _connect_shares(self, sockets: contextlib.ExitStack) -> list[dict[int, list[str]]]:
        """Connect the processes between which roads lead.

        Returns:
            For each share {file descriptor: names of the share at the socket's other end}; `sockets` closes them here.
        """
        neighbours: list[dict[int, list[str]]] = [{} for _ in self._shares]
        share_of = {name: index for index, share in enumerate(self._shares) for name in share}
        pairs = {(min(pair), max(pair)) for pair in ((share_of[a], share_of[b]) for a, b in self.plan.roads)}
        for first, second in sorted(pairs):
            if first != second:
                ends = socket.socketpair()
                for end, here, there in zip(ends, (first, second), (second, first), strict=True):
                    sockets.enter_context(end)
                    neighbours[here][end.fileno()] = self._shares[there]
        return neighbours

    async def run(self, ticks: int | None = None) -> None:
        """As Cities.run(). Raises OperationError if a process ends before its time."""
        await self._ask_all("run", ticks=ticks)

    async def set_pace(self, ticks_per_s: float | None, paused: bool = False) -> None:
        """As Cities.set_pace(): all cities pause at the same tick."""
        await self._ask_all("set_pace", ticks_per_s=ticks_per_s, paused=paused)
        if paused:
            await self.step(0)

    async def step(self, ticks: int) -> None:
        """As Cities.step(), while the cities pause."""
        begun_ticks = max(await self._ask_all("begun_ticks"))
        await self._ask_all("run_until", ticks=begun_ticks + ticks)

    def read_statuses(self) -> list[Status]:
        """As Cities.read_statuses()."""
        return [self._statuses[name] for name in self.names]

    async def _ask_all(self, request: str, **arguments: Any) -> list[Any]:
        """Ask all processes at once; return their results. Raises the first exception of any."""
        return await asyncio.gather(*(process.ask(request, **arguments) for process in self._processes))

    async def _forward(self, command: str, **arguments: Any) -> Any:
        """Execute a command in the process that runs the city."""
        for process in self._processes:
            if arguments["city"] in process.names:
                return await process.ask("command", name=command, arguments=arguments)
        raise OperationError(f"no city {arguments['city']} is running here; running: {', '.join(self.names)}")

    def _receive(self, topic: str, value: Any) -> None:
        """Take a message that a worker sends unasked."""
        if topic == "statuses":
            self._statuses |= {status["city"]: status for status in value}
        elif topic == "log" and value not in self._engine_records:
            if value["event"] == logs.ENGINE:
                self._engine_records.append(value)  # each worker reports the same, which is logged once
            logs.handle_packed(value)


RunningCities = Cities | Workers
