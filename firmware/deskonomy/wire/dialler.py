"""The dialler of one address: it keeps up a road.

Here: dialling, waiting, and dialling again. Not here: the connection while it lasts (wire/network.py).
"""

import asyncio
import os

from deskonomy.compat import TYPE_CHECKING, can_dial_concurrently, const
from deskonomy.events import DIAL_FAILED
from deskonomy.wire.connection import Connection, report_bug

if TYPE_CHECKING:
    from deskonomy.wire.network import Network

_CONNECT_S = const(5)
_PAUSE_MS = const(1100)  # before a name is looked up on a board: each look-up may stop everything for seconds
_BACKOFF_MS = const(1000)  # before the second dialling; doubles
_BACKOFF_MAX_MS = const(5_000)  # so that trade resumes soon after the network is back
_BACKOFF_BLOCKING_MAX_MS = const(30_000)  # for a look-up that may stop everything for seconds


class Dialler:
    """Dials an address, and again whenever its connection ends, until the network wants it no more.

    Attributes:
        host, port: the address.
        connection: the last connection to it, None before the first.
        failure: why the last connection ended or was not opened; None before that.
        task: the task that dials; the network ends it.
    """

    def __init__(self, network: "Network", host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.connection: Connection | None = None
        self.failure = None
        self._network = network
        # Started here; Network.hang_up() and close() end it.
        self.task = asyncio.create_task(self._keep_dialling())

    @property
    def name(self) -> "str | None":
        """The name of the city there, None until known."""
        return self.connection and self.connection.peer

    async def _keep_dialling(self) -> None:
        network = self._network
        wait_ms = _BACKOFF_MS
        blocks = not can_dial_concurrently(self.host)
        wait_max_ms = _BACKOFF_BLOCKING_MAX_MS if blocks else _BACKOFF_MAX_MS
        while True:
            try:
                connection = self.connection = await self._dial(blocks)
                if not network.is_dialled(self):
                    connection.end("this city hung up")
                await network.run_connection(connection)
            except asyncio.TimeoutError:
                reason = "no answer within %d s" % _CONNECT_S
            except (OSError, MemoryError, ValueError, OverflowError) as error:  # the last two: of an invalid address
                reason = str(error)
            except Exception as error:
                report_bug(network.log, "the dialler of %s:%d" % (self.host, self.port), error)
                reason = str(error)
            else:
                reason = connection.reason
                if connection.ready:
                    wait_ms = _BACKOFF_MS
                    self.failure = reason  # the connection has logged it
                road = network.ledger.roads.get(connection.peer or "")
                if road is not None and road.connection is not None and network.is_dialled(self):
                    await road.connection.ended.wait()
            # The cancellation of this task may get lost: in a connection that is stopping, and in wait_for() (CPython
            # before 3.12, gh-86296).
            if not network.is_dialled(self):
                return
            if reason != self.failure:
                self.failure = reason
                network.log(DIAL_FAILED, "no road to %s:%d: %s; dialling on" % (self.host, self.port, reason))
            # A random half of the wait, so that two cities that dial each other do not meet again and again.
            await asyncio.sleep((wait_ms + wait_ms * os.urandom(1)[0] // 256) / 2000)
            wait_ms = min(2 * wait_ms, wait_max_ms)

    async def _dial(self, blocks: bool) -> Connection:
        """Return a new connection.

        Args:
            blocks: whether looking up the host stops everything else: then hosts are looked up one at a time.

        Raises:
            OSError, asyncio.TimeoutError, MemoryError: There is none.
        """
        network = self._network
        if not network.has_connection_memory():
            raise MemoryError("%s has no memory for another connection" % network.city.name)
        if blocks:
            if network.lookup_lock is None:
                network.lookup_lock = asyncio.Lock()
            await network.lookup_lock.acquire()
        try:
            if blocks:
                await asyncio.sleep(_PAUSE_MS / 1000)
            reader, writer = await asyncio.wait_for(network.open_connection(self.host, self.port), _CONNECT_S)
        finally:
            if blocks and network.lookup_lock is not None:
                network.lookup_lock.release()
        return await network.create_connection(reader, writer, self.host)
