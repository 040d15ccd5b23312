"""The cities that this process runs: on the network, advanced by one clock, read and changed by commands.

Here: what `deskonomy run` does with the cities of one process. Not here: cities spread over processes (workers.py, with
the same methods), building cities from a plan (world/plan.py), the definitions of the commands (control/commands.py).
"""

import contextlib
import functools
import json
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, Self, cast

from deskonomy import status, text
from deskonomy.economy.city import City
from deskonomy.economy.clock import Clock
from deskonomy.events import ROAD_FORGOTTEN
from deskonomy.roads.local import connect
from deskonomy.roads.road import Road
from deskonomy.roads.wire_road import WireRoad

from deskonomy_host.addresses import find_reachable_host, format_address, parse_address
from deskonomy_host.aio import background
from deskonomy_host.control.commands import CITY_COMMANDS, bind, describe_forgotten
from deskonomy_host.errors import OperationError, UsageError, describe_os_error
from deskonomy_host.logs import NOTE, log_event, make_core_log
from deskonomy_host.roads.crowds import Turns, raise_descriptor_limit
from deskonomy_host.roads.keyring import KeyFinder
from deskonomy_host.roads.mdns import HostNetwork
from deskonomy_host.runtime.store import Store
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.world.plan import (
    CityPlan,
    ProcessRoadOpener,
    WorldPlan,
    build_cities,
    convert_speed,
    count_residents,
)

StatusFields = Mapping[str, Callable[[], Callable[[City], Any]]]
_VISITORS_MAX = 250  # of one address of strangers, in a small world; a larger one has room for as many as live in it
_PACE_WINDOW_S = 1  # ticks per second, and the longest gap, are measured over the last second or so


class Cities:
    """The cities of a plan, on the network from `async with` to its end.

    Attributes:
        plan: the plan of the whole world.
        names: names of the cities that this process runs.
        cities: the City objects, in the same order.
        networks: {city: its HostNetwork}.
        clock: what runs their ticks, with the pace and the pauses.
        commands: implementations of CITY_COMMANDS.
        next_ports: {first port of a plan: the first that the next city tries}, so that many cities search once.
    """

    def __init__(
        self,
        plan: WorldPlan,
        names: Collection[str] | None = None,
        open_process_road: ProcessRoadOpener | None = None,
        status_fields: StatusFields | None = None,
        store: Store | None = None,
    ):
        """Build the cities, or restore them from the store. Raises OperationError.

        Args:
            plan: the plan of the whole world.
            names: the cities that this process runs; None for all.
            open_process_road: opens a road to a city of another process; see build_cities().
            status_fields: {field: function without arguments}; the function of a City that it returns fills that field
                of a status.
            store: where the cities are saved; None for nowhere.
        """
        self.plan = plan
        self.cities = build_cities(plan, names, open_process_road, store.restore_city if store else None)
        if store:
            store.adopt_cities(self.cities)
        self.names = [city.name for city in self.cities]
        self.networks: dict[str, HostNetwork] = {}
        self.clock = Clock(self.cities, convert_speed(plan.speed))
        self.commands = bind(self, CITY_COMMANDS)
        self._status_fields = {name: make() for name, make in (status_fields or {}).items()}
        self._progress = {city.name: deque([(time.monotonic(), city.tick)]) for city in self.cities}
        self._gaps_ms: deque[tuple[float, int]] = deque()
        self._turns = Turns()
        self.next_ports: dict[int, int] = {}
        self._host = find_reachable_host(plan.listen)
        self._store = store
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        keys = KeyFinder(self.plan.key_file, functools.partial(log_event, NOTE))
        raise_descriptor_limit()
        async with self._open as opening:
            for plan in self._own_plans():
                await self._start_listening(plan, keys)
            if self._store:
                # The last checkpoint is written after the task has ended, and before the roads close.
                opening.callback(self._store.save)
                await opening.enter_async_context(background(self._store.run_checkpoints, "saving the cities"))
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def _own_plans(self) -> list[CityPlan]:
        return [plan for plan in self.plan.cities if plan.name in self.names]

    def _find_city(self, name: str) -> City:
        if name not in self.names:
            raise OperationError(f"no city {name} is running here; running: {', '.join(self.names)}")
        return self.cities[self.names.index(name)]

    async def _start_listening(self, plan: CityPlan, keys: KeyFinder) -> None:
        """Put a city on the network, at its port or the next free one. Raises OperationError."""
        first_port = plan.port or self.plan.port
        network = HostNetwork(
            self._find_city(plan.name),
            keys,
            listen=self.plan.listen,
            port=self.next_ports.get(first_port, first_port),
            log=make_core_log(plan.name),
            turns=self._turns,
            visitors_max=max(_VISITORS_MAX, count_residents(self.plan)),
        )
        try:
            await network.start()
        except OSError as error:
            where = f"{self.plan.listen} port {network.port}"
            raise OperationError(f"{plan.name} cannot listen on {where}: {describe_os_error(error)}") from None
        self.next_ports[first_port] = network.port + 1
        if self._host != network.listen:
            where = format_address(self._host, network.port)
            log_event(NOTE, f"other machines reach {plan.name} at {where}", plan.name)
        self._open.push_async_callback(network.close)
        self.networks[plan.name] = network

    # Time.

    async def run(self, ticks: int | None = None) -> None:
        """Dial the addresses of the plan and run this many ticks; None: run without an end."""
        for plan in self._own_plans():
            for host, port in plan.dial:
                self.networks[plan.name].dial(host, port)
        await self.clock.run(ticks)

    async def set_pace(self, ticks_per_s: float | None, paused: bool = False) -> None:
        """Set ticks per second, None for as fast as the machine allows, and whether time stands still."""
        self.clock.ticks_per_s = ticks_per_s
        self.clock.paused = paused

    async def step(self, ticks: int) -> None:
        """Run this many ticks now, without a pause in between."""
        self.clock.step(ticks)

    # Commands; see control/commands.py.

    def influence(self, city: str, good: str, yield_mills: int | None) -> dict[str, Any]:
        """Set the yield of a good by hand, or give it back to the sensors."""
        target = self._find_city(city)
        if yield_mills is None:
            target.clear_override(good)
        elif type(yield_mills) is int:
            target.set_yield(good, yield_mills, override=True)
        else:
            raise UsageError(f"yield_mills takes a whole number or null, not {yield_mills!r}")
        return {"city": city, "good": good, "yield_mills": target.yield_mills(good)}

    def connect(self, city: str, address: str) -> dict[str, Any]:
        """Dial an address now, and again whenever the connection is lost."""
        self._find_city(city)
        host, port = parse_address(address, "address")
        self.networks[city].dial(host, port)
        return {"city": city, "address": address}

    def open(self, city: str, other: str, address: str | None = None) -> dict[str, Any]:
        """Open this end of a road inside the run, else dial the other city; reply whether the road is inside."""
        here = self._find_city(city)
        if other == city:
            raise UsageError(f"a road leads to another city, not from {city} to itself")
        if other not in here.roads and other in self.names:
            connect(here, self._find_city(other))
        road = _find_inner_road(here, other)
        if road is not None:
            road.state = "up"
        elif address:
            self.connect(city, address)
        else:
            raise OperationError(f"the address of {other} is not known here: type its HOST:PORT")
        return {"city": city, "other": other, "inside": road is not None}

    async def close(self, city: str, other: str) -> dict[str, Any]:
        """Close this end of a road inside the run, else hang up; reply whether the road is inside."""
        road = _find_inner_road(self._find_city(city), other)
        if road is not None:
            road.state = "down"
        else:
            address = self.networks[city].find_address(other)
            if address is None:
                raise OperationError(f"{other} has dialled {city}: close this road there, or it is dialled again")
            await self.networks[city].hang_up(*address)
        return {"city": city, "other": other, "inside": road is not None}

    def forget(self, city: str, other: str) -> dict[str, Any]:
        """Forget the road to a city that has vanished; reply how many merchants return."""
        if _find_inner_road(self._find_city(city), other) is not None:
            raise OperationError(f"the road from {city} to {other} is inside this run: it can be closed, not forgotten")
        try:
            returned = self.networks[city].forget(other)
        except ValueError as error:
            raise OperationError(str(error)) from None
        log_event(ROAD_FORGOTTEN, describe_forgotten(city, other, returned), city)
        return {"city": city, "other": other, "returned": returned}

    # Statuses.

    def read_statuses(self) -> list[Status]:
        """Return the status of each city, with its ticks per second over the last second or so."""
        gap_ms = self._measure_gap_ms()
        return [self._read_status(city, gap_ms) for city in self.cities]

    def _read_status(self, city: City, gap_ms: int) -> Status:
        network = self.networks[city.name]
        address = text.quote(format_address(self._host, network.port))
        fields = [("sensors", "{}"), ("address", address), ("gap_ms", str(gap_ms))]
        line = json.loads(status.format_status(city, fields, self._measure_pace(city)))
        for name, road in city.roads.items():
            connection = road.connection if isinstance(road, WireRoad) else None
            if connection is not None and connection.peer_software is not None:
                line["roads"][name]["peer_version"] = connection.peer_software
        return cast("Status", line | {name: fill(city) for name, fill in self._status_fields.items()})

    def _measure_gap_ms(self) -> int:
        """Return the longest time between two ticks since the reading before, or within a window if that is longer."""
        gaps, now = self._gaps_ms, time.monotonic()
        gaps.append((now, self.clock.gap_ms))
        self.clock.gap_ms = 0
        while now - gaps[0][0] > _PACE_WINDOW_S:
            gaps.popleft()
        return max(gap_ms for _, gap_ms in gaps)

    def _measure_pace(self, city: City) -> float:
        """Return ticks per second since the oldest reading that is at most a window old."""
        readings, now = self._progress[city.name], time.monotonic()
        while len(readings) > 1 and now - readings[1][0] >= _PACE_WINDOW_S:
            readings.popleft()
        readings.append((now, city.tick))
        return (city.tick - readings[0][1]) / max(0.001, now - readings[0][0])


def _find_inner_road(city: City, other: str) -> Road | None:
    """Return a city's road to another city of the same run, None if there is none."""
    road = city.roads.get(other)
    return road if road is not None and road.type == "in-process" else None
