"""Time that passes faster here too, for whoever talks with a board whose clock is fast.

Here: an asyncio loop in a thread, and the clock of the core. Not here: the board's own (boards/SIMULATED). For a whole
process: nobody else in it may use the core meanwhile.
"""

import asyncio
import selectors
import threading
import time
from types import SimpleNamespace

from deskonomy import compat


class QuickLoop(asyncio.SelectorEventLoop):
    """`with QuickLoop(20) as loop`: it runs in a thread, its seconds are twentieths. do(work) waits for a result."""

    def __init__(self, speed):
        self._speed = speed
        super().__init__(_Selector(speed))
        self._thread = threading.Thread(target=self.run_forever, daemon=True)

    def __enter__(self):
        compat._time = SimpleNamespace(monotonic_ns=lambda: time.monotonic_ns() * self._speed)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.call_soon_threadsafe(self.stop)
        self._thread.join()
        self.close()
        compat._time = time

    def time(self):
        return super().time() * self._speed

    async def do(self, work):
        """The result of a coroutine that runs there; for others' loops."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self))


class _Selector(selectors.DefaultSelector):
    def __init__(self, speed):
        super().__init__()
        self._speed = speed

    def select(self, timeout=None):
        return super().select(timeout / self._speed if timeout else timeout)
