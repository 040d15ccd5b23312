"""An asyncio loop in a thread, whose time passes faster than real time: for the peers of a board with a fast clock.

Here: the loop, and the clock of the core. That clock changes for the whole process, so no other code of the process may
use the core meanwhile. Not here: the clock of the board (boards/SIMULATED/stand_ins/clock.py).
"""

import asyncio
import selectors
import threading
import time
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, Self

from deskonomy import compat


class FastLoop(asyncio.SelectorEventLoop):
    """`with FastLoop(20) as loop`: a loop that runs in a thread for the block, 20 times as fast as real time."""

    def __init__(self, speed: int) -> None:
        """Create the loop.

        Args:
            speed: how many times as fast as real time its time passes.
        """
        self._speed = speed
        super().__init__(_FastSelector(speed))
        self._thread = threading.Thread(target=self.run_forever, daemon=True)

    def __enter__(self) -> Self:
        compat._time = SimpleNamespace(monotonic_ns=lambda: time.monotonic_ns() * self._speed)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.call_soon_threadsafe(self.stop)
        self._thread.join()
        self.close()
        compat._time = time

    def time(self) -> float:
        """Return the time of this loop in its own seconds."""
        return super().time() * self._speed

    async def run_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in this loop and return its result; called from another loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self))


class _FastSelector(selectors.DefaultSelector):
    def __init__(self, speed: int) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for files as a selector does; the timeout is in seconds of the fast loop."""
        return super().select(timeout / self._speed if timeout else timeout)
