"""A worker: one of several processes that share the cities of a run; it serves requests of the process that started it.

Here: the worker's side. Not here: the other side (worker_process.py), the framing of messages (messages.py), roads to
the cities of other workers (lockstep.py).

Messages to the worker: (number, request, arguments), a request being one of the methods below without its underscore.
Messages from it: (number, True, result) or (number, False, exception) in reply, and (None, topic, value) unasked, with
the topics "statuses" and "log". The worker ends when its socket is closed, so it does not outlive its parent.
"""

import asyncio
import contextlib
import functools
import logging
import socket
import sys
from typing import Any

from deskonomy.economy.city import City

from deskonomy_host import logs
from deskonomy_host.aio import Supervisor
from deskonomy_host.control.commands import execute
from deskonomy_host.errors import OperationError, UsageError, describe_bug
from deskonomy_host.runtime.cities import Cities, StatusFields
from deskonomy_host.runtime.lockstep import Lockstep, Neighbour
from deskonomy_host.runtime.messages import pack_message, receive_message
from deskonomy_host.world.plan import WorldPlan, convert_speed


class Worker:
    """The server of one worker process, until its socket is closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        """Create the worker of this socket."""
        self._reader = reader
        self._writer = writer

    async def serve(self) -> None:
        """Serve requests until the socket is closed."""
        async with contextlib.AsyncExitStack() as self._open, Supervisor() as self._supervisor:
            with contextlib.suppress(EOFError):
                while True:
                    answer = functools.partial(self._answer, *await receive_message(self._reader))
                    self._supervisor.start(answer, "a request to a worker")

    def _send(self, *message: Any) -> None:
        if not self._writer.is_closing():
            self._writer.write(pack_message(message))

    async def _answer(self, number: int, request: str, arguments: dict[str, Any]) -> None:
        try:
            self._send(number, True, await getattr(self, "_" + request)(**arguments))
        except ConnectionError:
            pass  # a neighbour has ended; the parent process reports that
        except Exception as error:
            self._send(number, False, _make_portable(error))

    # Requests.

    async def _build(
        self,
        plan: WorldPlan,
        names: list[str],
        neighbours: dict[int, list[str]],
        status_fields: StatusFields,
        interval_s: float,
    ) -> None:
        """Build cities of a plan, which may take long.

        Args:
            plan: the plan of the whole world.
            names: the cities of this worker.
            neighbours: {file descriptor of a connected socket: names of the cities at its other end}.
            status_fields: as Cities takes them.
            interval_s: how often to send statuses.
        """
        self._interval_s = interval_s
        neighbour_of: dict[str, Neighbour] = {}
        for descriptor, distant_names in neighbours.items():
            neighbour_of |= dict.fromkeys(distant_names, Neighbour(socket.socket(fileno=descriptor)))

        def open_process_road(city: City, name: str) -> None:
            neighbour_of[name].open_road(city, name)

        self._open.enter_context(logs.attach(_ForwardHandler(functools.partial(self._send, None, "log"))))
        self._cities = Cities(plan, names, open_process_road, status_fields)
        unique_neighbours = list(dict.fromkeys(neighbour_of.values()))
        self._clock = Lockstep(self._cities.cities, convert_speed(plan.speed), unique_neighbours)
        self._cities.clock = self._clock

    async def _listen(self, next_ports: dict[int, int]) -> dict[int, int]:
        """Put the cities on the network; take and return Cities.next_ports, which the workers share."""
        self._cities.next_ports = next_ports
        await self._open.enter_async_context(self._cities)
        self._send_statuses()
        self._supervisor.start(self._keep_sending_statuses, "sending statuses")
        return self._cities.next_ports

    async def _exchange(self) -> None:
        await self._clock.exchange()

    async def _run(self, ticks: int | None) -> None:
        await self._cities.run(ticks)
        self._send_statuses()

    async def _begun_ticks(self) -> int:
        return self._clock.begun_ticks

    async def _run_until(self, ticks: int) -> None:
        await self._clock.run_until(ticks)
        self._send_statuses()

    async def _set_pace(self, ticks_per_s: float | None, paused: bool) -> None:
        await self._cities.set_pace(ticks_per_s, paused)

    async def _command(self, name: str, arguments: dict[str, Any]) -> Any:
        result = await execute(self._cities.commands, name, arguments)
        self._send_statuses()
        return result

    # Messages that are not replies.

    def _send_statuses(self) -> None:
        self._send(None, "statuses", self._cities.read_statuses())

    async def _keep_sending_statuses(self) -> None:
        with contextlib.suppress(ConnectionError):  # the parent process has ended, so this worker ends
            while True:
                await asyncio.sleep(self._interval_s)
                self._send_statuses()
                await self._writer.drain()


class _ForwardHandler(logging.Handler):
    """A handler that sends each record to the parent process."""

    def __init__(self, send: Any):
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send(logs.pack_record(record))


def _make_portable(error: Exception) -> Exception:
    """Return an exception that the parent process can raise in place of this one."""
    if isinstance(error, (OperationError, UsageError, ValueError)):
        return type(error)(str(error))
    logs.LOGGER.error("%s", describe_bug(error), exc_info=error)
    return OperationError(describe_bug(error))


async def _serve(descriptor: int) -> None:
    logs.watch_loop()
    await Worker(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor))).serve()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(int(sys.argv[1])))
    except Exception as error:
        sys.exit(f"deskonomy: {_make_portable(error)}")
