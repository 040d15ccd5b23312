"""Somebody who does nothing but look at the clock, and so knows when the whole machine stood still.

Here: a process that sleeps, and how much too late it woke. Not here: who is excused by that (watcher.py).
"""

import multiprocessing
import time

_NAP_S = 0.002
_LATE_MS = 5  # less is an ordinary machine


class Witness:
    """`with Witness() as witness`: one, from begin to end of the block."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self._lost_ms = context.Value("d", 0.0)
        self._process = context.Process(target=_look, args=(self._lost_ms,), daemon=True)

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join()

    @property
    def lost_ms(self):
        """For how long, in all, the machine stood still, in ms."""
        return self._lost_ms.value


def _look(lost_ms):
    before_s = time.monotonic()
    while True:
        time.sleep(_NAP_S)
        now_s = time.monotonic()
        late_ms = (now_s - before_s - _NAP_S) * 1000
        if late_ms > _LATE_MS:
            lost_ms.value += late_ms
        before_s = now_s
