"""The cities of a run, spread over processes: the same names as Cities, and one result whatever their number.

Here: how many processes, which cities each has, starting, asking and ending them. Not here: what they do (worker.py).
"""

import asyncio
import contextlib
import inspect
import math
import os
import signal
import socket
import sys

from deskonomy_host.errors import OperationError
from deskonomy_host.runtime.cities import COMMANDS, Cities
from deskonomy_host.runtime.worker import packed, received
from deskonomy_host.world import plan as world

INTERVAL_S = 0.5  # statuses are at most so old
_END_S = 5  # for a worker to close its roads
_US_A_RESIDENT = {"plain": 2.3, "numba": 0.05}  # of a tick, measured
_PAYS_US = 500  # of a tick; where it takes less, what is won is lost by waiting for each other
_BUSY = 0.5  # of a core: with less to do than this, one process keeps the pace


def choose(plan):
    """How many processes suit a World: one for each core, if one process has much to do in each tick."""
    tick_us = world.residents(plan) * _US_A_RESIDENT[world.engine_of(plan)]
    busy = math.isinf(plan.speed) or tick_us * plan.speed / 1e6 > _BUSY
    return min(_cores(), len(plan.cities)) if busy and tick_us >= _PAYS_US else 1


def spread(plan, log, processes=None, more=None, state=None):
    """Cities, or Workers where there are several processes. processes: how many, at most; None for as many as suit.

    state: as Cities has it; what is saved runs in one process.
    """
    if state:
        return Cities(plan, log, more=more, state=state)
    shares = divide(plan, processes or choose(plan))
    return Workers(plan, log, shares, more) if len(shares) > 1 else Cities(plan, log, more=more)


def divide(plan, count):
    """The names of a World's cities in at most so many lists, in order, with about as many residents in each."""
    sizes = [world.residents(city) + 1 for city in plan.cities]
    shares, before = {}, 0
    for city, size in zip(plan.cities, sizes, strict=True):
        middle = before + size / 2
        shares.setdefault(int(middle * count / sum(sizes)), []).append(city.name)
        before += size
    return list(shares.values())


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """The cities of a World, in processes of their own from `async with` to its end; see Cities for its names.

    shares: lists of names, one a process. What is read is at most INTERVAL_S old, and exact once live() is over.
    """

    def __init__(self, plan, log, shares, more=None):
        self.plan = plan
        self.names = [city.name for city in plan.cities]
        self.commands = {name: self._command(name) for name in COMMANDS}
        self._log = log
        self._shares = shares
        self._more = more or {}
        self._processes = []
        self._statuses = {}
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self):
        async with self._open as opening:
            with contextlib.ExitStack() as sockets:
                for share, neighbours in zip(self._shares, self._borders(sockets), strict=True):
                    process = _Process(share, neighbours, self._hear)
                    self._processes.append(process)
                    opening.push_async_callback(process.end)
                    await process.start()
            words = {"plan": self.plan, "more": self._more, "interval_s": INTERVAL_S}
            await asyncio.gather(
                *(one.ask("build", names=one.names, neighbours=one.neighbours, **words) for one in self._processes)
            )
            for process in self._processes:  # one after the other, for the same ports as in one process
                await process.ask("listen")
            await self._ask_all("meet")
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *_):
        for process in self._processes:
            process.hang_up()
        await self._open.aclose()

    def _borders(self, sockets):
        """For each share, {file descriptor: names of the share at its other end}; sockets: where to close them."""
        neighbours = [{} for _ in self._shares]
        of_city = {name: index for index, share in enumerate(self._shares) for name in share}
        for one, other in sorted({tuple(sorted((of_city[one], of_city[other]))) for one, other in self.plan.roads}):
            if one != other:
                ends = socket.socketpair()
                for end, here, there in zip(ends, (one, other), (other, one), strict=True):
                    sockets.enter_context(end)
                    neighbours[here][end.fileno()] = self._shares[there]
        return neighbours

    async def live(self, ticks=None):
        """As Cities.live(). Raises OperationError if a process ends before its time."""
        await self._ask_all("live", ticks=ticks)

    async def set_pace(self, ticks_per_s, paused=False):
        """As Cities.set_pace(): cities that pause do so at the same tick."""
        await self._ask_all("set_pace", ticks_per_s=ticks_per_s, paused=paused)
        if paused:
            await self.step(0)

    async def step(self, ticks):
        """As Cities.step(), while they pause."""
        begun = max(await self._ask_all("begun"))
        await self._ask_all("reach", ticks=begun + ticks)

    def read(self):
        """As Cities.read()."""
        return [self._statuses[name] for name in self.names]

    async def _ask_all(self, what, **words):
        """Ask all at once; the list of their answers. Raises what the first raises that fails."""
        return await asyncio.gather(*(process.ask(what, **words) for process in self._processes))

    def _command(self, name):
        """Cities' command of this name, asked of the process that has the city."""

        signature = inspect.signature(getattr(Cities, name))
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])

        async def ask(*words, **named):
            given = signature.bind(*words, **named).arguments
            for process in self._processes:
                if given["city"] in process.names:
                    return await process.ask("command", name=name, words=given)
            raise OperationError(f"no city {given['city']} is running here; running: {', '.join(self.names)}")

        ask.__signature__ = signature
        return ask

    def _hear(self, what, value):
        """What a worker tells of its own accord."""
        if what == "statuses":
            self._statuses |= {status["city"]: status for status in value}
        elif what == "note":
            self._log(value)


class _Process:
    """A worker, seen from here. names: its cities. hear: called with what it tells of its own accord.

    neighbours: {file descriptor: cities there}, the ends of sockets to other workers that it takes with it.
    """

    def __init__(self, names, neighbours, hear):
        self.names = names
        self.neighbours = neighbours
        self._hear = hear
        self._answers = {}  # number: the future of the answer to that request
        self._asked = 0
        self._process = None
        self._ended = None  # the exception that says why it answers no more

    async def start(self):
        """Start it; it lives for as long as its socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._reader, self._writer = await asyncio.open_connection(sock=ours)
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "deskonomy_host.runtime.worker", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *self.neighbours],
                start_new_session=True,  # Ctrl-C is for us, who then end it
            )
        # Started here; ends with the worker.
        self._listening = asyncio.create_task(self._listen())

    async def ask(self, what, **words):
        """Have it do something; what it answers. Raises OperationError if it ends instead, and whatever it could not
        do."""
        if self._ended is not None:
            raise self._ended
        self._asked += 1
        answer = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        self._writer.write(packed((self._asked, what, words)))
        return await answer

    async def _listen(self):
        assert self._process is not None
        with contextlib.suppress(EOFError):
            while True:
                number, what, value = await received(self._reader)
                if number is None:
                    self._hear(what, value)
                    continue
                answer = self._answers.pop(number)
                if not answer.done():
                    answer.set_result(value) if what else answer.set_exception(value)
        status = await self._process.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"has ended with status {status}"
        self._ended = OperationError(f"the process that runs {' and '.join(self.names)} {how}")
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(self._ended)

    def hang_up(self):
        """Let it close its roads and end."""
        self._writer.close()

    async def end(self):
        """Wait for its end, or make one."""
        if self._process is None:
            return
        self.hang_up()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        await asyncio.wait([self._listening])
