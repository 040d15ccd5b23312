"""One process of several that share the cities of a run: it does what the process that started it asks.

Here: the worker's side, and what goes over the socket between the two: pickled values, each after its length.
Not here: the other side (workers.py), the roads to other workers' cities (border.py).

To the worker: (number, what, words) for each request, `what` being a method below. From it: (number, True, result), or
(number, False, an exception) for what it could not do; and of its own accord (None, what, value), see Workers._hear().
The worker ends with its socket, so none outlives whoever started it.
"""

import asyncio
import contextlib
import os
import pickle
import socket
import sys
import traceback

from deskonomy_host.aio import result_of
from deskonomy_host.errors import OperationError, UsageError
from deskonomy_host.runtime.cities import Cities
from deskonomy_host.runtime.lockstep import Lockstep, Neighbour
from deskonomy_host.world import plan as world

_LENGTH_BYTES = 4


def packed(value):
    """A value as bytes for received()."""
    data = pickle.dumps(value)
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data


async def received(reader):
    """The next value from a StreamReader. Raises EOFError if the other side is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "little")
        return pickle.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise EOFError from None


class Worker:
    """Answers for some of the cities until its socket ends."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._tasks = set()

    async def serve(self):
        """Do what is asked until the socket ends."""
        async with contextlib.AsyncExitStack() as self._open:
            with contextlib.suppress(EOFError):
                while True:
                    self._start(self._answer(*await received(self._reader)))
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work):
        # Started here; ends by itself or with the worker.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, *value):
        if not self._writer.is_closing():
            self._writer.write(packed(value))

    async def _answer(self, number, what, words):
        try:
            result = await getattr(self, "_" + what)(**words)
            self._tell(number, True, result)
        except ConnectionError:
            pass  # a neighbour is gone; whoever started both of us knows best what that means
        except Exception as error:
            self._tell(number, False, _for_others(error))

    # Requests.

    async def _build(self, plan, names, neighbours, more, interval_s):
        """Give birth to some cities of a World, which takes its time.

        neighbours: {file descriptor of a connected socket: names of the cities there}. more: as Cities takes it.
        interval_s: how often to tell statuses.
        """
        self._interval_s = interval_s
        of_city = {}
        for descriptor, theirs in neighbours.items():
            of_city |= dict.fromkeys(theirs, Neighbour(socket.socket(fileno=descriptor)))

        def border(city, name):
            of_city[name].open_road(city, name)

        self._cities = Cities(plan, lambda line: self._tell(None, "note", line), names, border, more)
        self._drive = Lockstep(self._cities.cities, world.pace(plan.speed), list(set(of_city.values())))
        self._cities.drive = self._drive

    async def _listen(self):
        """Put them on the network."""
        await self._open.enter_async_context(self._cities)
        self._tell_statuses()
        self._start(self._keep_telling())

    async def _meet(self):
        await self._drive.meet()

    async def _live(self, ticks):
        await self._cities.live(ticks)
        self._tell_statuses()

    async def _begun(self):
        return self._drive.begun

    async def _reach(self, ticks):
        await self._drive.reach(ticks)
        self._tell_statuses()

    async def _set_pace(self, ticks_per_s, paused):
        await self._cities.set_pace(ticks_per_s, paused)

    async def _command(self, name, words):
        result = await result_of(self._cities.commands[name](**words))
        self._tell_statuses()
        return result

    # Of its own accord.

    def _tell_statuses(self):
        self._tell(None, "statuses", self._cities.read())

    async def _keep_telling(self):
        with contextlib.suppress(ConnectionError):  # nobody listens, so this worker ends
            while True:
                await asyncio.sleep(self._interval_s)
                self._tell_statuses()
                await self._writer.drain()


def _for_others(error):
    """An exception that another process can raise in its place."""
    if isinstance(error, (OperationError, UsageError, ValueError)):
        return type(error)(str(error))
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}:{last.lineno}"
    return OperationError(f"a mistake of ours, please report it: {type(error).__name__} at {where}: {error}")


async def _serve(descriptor):
    await Worker(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor))).serve()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(int(sys.argv[1])))
    except Exception as error:
        sys.exit(f"deskonomy: {_for_others(error)}")
