"""A worker process, as the process that started it sees it: starting, asking and ending it.

Here: the parent's side of the socket. Not here: the worker's side (worker.py), which worker has which cities
(workers.py).
"""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from deskonomy_host.aio import Supervisor
from deskonomy_host.errors import OperationError
from deskonomy_host.runtime.messages import pack_message, receive_message

_END_S = 5  # for a worker to close its roads; then it is killed


class WorkerProcess:
    """One worker process.

    Attributes:
        names: the cities that it runs.
        neighbours: {file descriptor of a socket to another worker: the cities there}; the process inherits them.
    """

    def __init__(self, names: list[str], neighbours: dict[int, list[str]], receive: Callable[[str, Any], None]) -> None:
        """Create a worker that is not started; receive: called with the topic and value of a message unasked."""
        self.names = names
        self.neighbours = neighbours
        self._receive = receive
        self._replies: dict[int, asyncio.Future[Any]] = {}  # by the number of the request
        self._last_number = 0
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor = Supervisor()
        self._failure: OperationError | None = None  # why it does not reply any more

    async def start(self) -> None:
        """Start the process; it lives for as long as its socket."""
        here, there = socket.socketpair()
        await self._supervisor.__aenter__()
        with there:
            self._reader, self._writer = await asyncio.open_connection(sock=here)
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "deskonomy_host.runtime.worker", str(there.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=[there.fileno(), *self.neighbours],
                start_new_session=True,  # so that Ctrl-C reaches only this process, which then ends the worker
            )
        self._listening = self._supervisor.start(self._listen, f"listening to the worker of {', '.join(self.names)}")

    async def ask(self, request: str, **arguments: Any) -> Any:
        """Send a request; return the result.

        Raises:
            OperationError: the worker has ended, or cannot do what it is asked.
            UsageError, ValueError: an argument is not valid.
        """
        if self._failure is not None:
            raise self._failure
        self._last_number += 1
        reply = self._replies[self._last_number] = asyncio.get_running_loop().create_future()
        self._writer.write(pack_message((self._last_number, request, arguments)))
        return await reply

    async def _listen(self) -> None:
        """Receive messages until the socket is closed; then fail the requests that have no reply."""
        assert self._process is not None
        with contextlib.suppress(EOFError):
            while True:
                number, topic, value = await receive_message(self._reader)
                if number is None:
                    self._receive(topic, value)
                    continue
                reply = self._replies.pop(number)
                if not reply.done():
                    reply.set_result(value) if topic else reply.set_exception(value)
        status = await self._process.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"has ended with status {status}"
        self._failure = OperationError(f"the process that runs {' and '.join(self.names)} {how}")
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self._failure)

    def hang_up(self) -> None:
        """Close the socket, so that the worker closes its roads and ends."""
        self._writer.close()

    async def end(self) -> None:
        """Wait until the process has ended; kill it after _END_S."""
        if self._process is None:
            return
        self.hang_up()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        await asyncio.wait([self._listening])
        await self._supervisor.__aexit__(None, None, None)
