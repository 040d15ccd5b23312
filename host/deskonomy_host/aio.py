"""Background tasks whose failures are never lost, and results that may have to be awaited.

Here: starting every background task of the host, and what happens if one fails. Not here: what the tasks do, where log
records go (logs.py).
"""

import asyncio
import contextlib
import enum
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from deskonomy_host.errors import DeskonomyError

RESTART_S = 1.0  # before a failed task is started again: not so soon that a failure that lasts fills the log

Work = Callable[[], Coroutine[Any, Any, Any]]

_log = logging.getLogger("deskonomy")


class OnFailure(enum.Enum):
    """What happens after a background task has raised an exception, which is logged with its traceback first."""

    END = "the block that started the task is cancelled and raises the exception"
    RESTART = "the task is started again after RESTART_S"
    REPORT = "the task ends, and the block goes on"


class Supervisor:
    """Background tasks that run beside an `async with` block and are cancelled at its end.

    A failure that ends the block is not logged if it is a DeskonomyError: the command line prints it for the user.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, exception_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        failure = None
        try:
            await self._group.__aexit__(exception_type, error, trace)
        except BaseExceptionGroup as group:
            failure = error if error in group.exceptions else group.exceptions[0]
        if failure is not None:
            raise failure

    def start(self, work: Work, name: str, on_failure: OnFailure = OnFailure.END) -> asyncio.Task[Any]:
        """Start a task.

        Args:
            work: a coroutine function without arguments.
            name: what the task does, as the subject of a log line, such as "the dashboard's feed".
            on_failure: what happens if it raises an exception.

        Returns:
            The task; its result is that of `work`, or None after a failure that was reported.
        """
        task = self._group.create_task(_run(work, name, on_failure), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _run(work: Work, name: str, on_failure: OnFailure) -> Any:
    while True:
        try:
            return await work()
        except Exception as error:
            if on_failure is OnFailure.END:
                if not isinstance(error, DeskonomyError):
                    _log.exception("%s has failed: %s: %s", name, type(error).__name__, error)
                raise
            restarts = on_failure is OnFailure.RESTART
            end = "; it is started again" if restarts else ""
            _log.exception("%s has failed: %s: %s%s", name, type(error).__name__, error, end)
            if not restarts:
                return None
        await asyncio.sleep(RESTART_S)


@contextlib.asynccontextmanager
async def background(work: Work, name: str, on_failure: OnFailure = OnFailure.END) -> AsyncIterator[asyncio.Task[Any]]:
    """Run one background task beside an `async with` block; see Supervisor."""
    async with Supervisor() as supervisor:
        yield supervisor.start(work, name, on_failure)


async def await_result(value: Any) -> Any:
    """Return the value of a function, or, if that is an awaitable, the value that it leads to."""
    return await value if inspect.isawaitable(value) else value
