"""The composition of a run: what `deskonomy run` and `deskonomy demo` put around their cities.

Here: display, log handlers, recorder, controller, dashboard and the task that runs the cities, put together once. Not
here: the parts, the cities themselves (apps/run.py, apps/demo.py).
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from deskonomy.events import BUG

from deskonomy_host import logs
from deskonomy_host.aio import Supervisor
from deskonomy_host.control.commands import Implementations
from deskonomy_host.dashboard import app as dashboard
from deskonomy_host.dashboard.app import DashboardSettings
from deskonomy_host.errors import OperationError
from deskonomy_host.history.recorder import Recorder
from deskonomy_host.history.recording import HistoryWriter, recording
from deskonomy_host.output import GIVE_UP_S
from deskonomy_host.runtime.cities import StatusFields
from deskonomy_host.runtime.controller import Controller
from deskonomy_host.runtime.workers import RunningCities
from deskonomy_host.telemetry.log_events import EventBuffer, EventHandler
from deskonomy_host.telemetry.schema import Status
from deskonomy_host.telemetry.source import LocalSource
from deskonomy_host.telemetry.statistics import CityStatistics
from deskonomy_host.terminal.display import choose_display, run_display

_STORY_EVENTS = (logs.STORY, logs.SCHOOL)  # what a history keeps of the log; statuses show the rest
DEMO_EVENTS = (*_STORY_EVENTS, BUG, logs.HISTORY, logs.WATCH)
_HALT_S = 10  # for three requests to each process of a busy machine; a process that has ended is known at once


@dataclass(frozen=True)
class RunSettings:
    """Options of the command line: how a run is shown, recorded and ended.

    Attributes:
        as_json: whether stdout gets JSON lines and nothing else.
        duration_s: seconds after which the run ends; None for no limit.
        history: the file that keeps the history; None for none.
        dashboard: the dashboard's settings; None for no dashboard.
    """

    as_json: bool = False
    duration_s: float | None = None
    history: str | None = None
    dashboard: DashboardSettings | None = None


class Companion(Protocol):
    """A city that runs beside the cities of this process, such as the demo's simulated board."""

    names: list[str]

    async def run(self) -> None:
        """Run it without an end. Raises OperationError."""
        ...

    def read_statuses(self) -> list[Status]:
        """Return its status; an empty list before there is one."""
        ...

    def extend_commands(self, commands: Implementations) -> Implementations:
        """Return the commands of the cities of this process, extended to the companion."""
        ...


class Composition:
    """Everything of a run but its cities: open() first, then run() with the cities."""

    def __init__(
        self, settings: RunSettings, colours: Mapping[str, str], hint: str, events: Collection[str] | None = None
    ):
        """Choose the display and open the history. Raises OperationError.

        Args:
            settings: the options of the command line.
            colours: {city: its colour}.
            hint: what the user may type next, for the live view.
            events: the types of log events that the terminal and the dashboard show; None for all.
        """
        self._settings = settings
        self._colours = colours
        self._events = events
        self._recorder = Recorder(settings.history, colours) if settings.history else None
        self._is_recording = False  # from then on recording() closes the recorder
        self._display = choose_display(settings.as_json, colours, hint)
        self._buffer = EventBuffer()

    @property
    def status_fields(self) -> StatusFields | None:
        """The additional fields of statuses that the history and the dashboard need, as Cities takes them."""
        return {"detail": CityStatistics} if self._recorder or self._settings.dashboard else None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Show log records on the display and the dashboard until the end of the block."""
        handlers = [logs.LineHandler(self._display.note), EventHandler(self._buffer.add)]
        handlers = [logs.keep_events(handler, self._events) for handler in handlers]
        logs.watch_loop()
        try:
            with self._display, logs.attach(*handlers, *logs.make_file_handlers()):
                yield
        except BaseException:
            if self._recorder and not self._is_recording:
                self._recorder.close()
            with contextlib.suppress(OSError):
                await self._display.finish(GIVE_UP_S)
            raise
        await self._display.finish(float("inf"))  # the last lines come out once they are read; Ctrl-C ends the wait

    async def run(self, cities: RunningCities, ticks: int | None = None, companion: Companion | None = None) -> None:
        """Run the cities, with everything around them, until the ticks, the time or the companion end.

        Args:
            cities: open cities.
            ticks: how many to run; None for no limit.
            companion: a city beside them.

        Raises:
            OperationError: a process of the run has ended, or the companion has failed.
        """

        def read_statuses() -> list[Status]:
            return cities.read_statuses() + (companion.read_statuses() if companion else [])

        async with contextlib.AsyncExitStack() as stack:
            if self._recorder:
                self._is_recording = True
                writer = await stack.enter_async_context(recording(self._recorder, read_statuses))
                stack.enter_context(logs.attach(self._make_history_handler(writer)))
            controller = await stack.enter_async_context(Controller(cities, read_statuses))
            commands = companion.extend_commands(controller.commands) if companion else controller.commands
            source = LocalSource(read_statuses, commands, self._buffer, controller.read_clock)
            names = [*cities.names, *(companion.names if companion else ())]
            await stack.enter_async_context(
                dashboard.serve(self._settings.dashboard, source, self._colours, names, self._display.dashboard)
            )
            supervisor = await stack.enter_async_context(Supervisor())
            tasks = [supervisor.start(functools.partial(cities.run, ticks), "running the cities")]
            if companion:
                tasks.append(supervisor.start(companion.run, f"running {', '.join(companion.names)}"))
            halt = functools.partial(_halt, cities)
            await run_display(tasks, self._display, read_statuses, self._settings.duration_s, halt)

    def _make_history_handler(self, writer: HistoryWriter) -> Any:
        """Return the handler that writes the story's events into the history."""
        return logs.keep_events(EventHandler(writer.add_event), _STORY_EVENTS)


async def _halt(cities: RunningCities) -> None:
    """Stop time at the same tick for all cities, so that the last statuses shown are those at the end."""
    with contextlib.suppress(OperationError, TimeoutError):  # of a process that has ended nothing can be read
        async with asyncio.timeout(_HALT_S):
            await cities.set_pace(None, paused=True)
