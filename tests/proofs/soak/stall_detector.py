"""A process that measures how long the whole machine stood still.

Here: the process sleeps a fixed time again and again, and adds up how much too late it wakes. Not here: the checks that
subtract this time (status_monitor.py).
"""

import multiprocessing
import time
from multiprocessing.sharedctypes import Synchronized
from typing import Self

_SLEEP_S = 0.002
_LATE_MS = 5  # a smaller delay is usual on a machine that does not stand still


class StallDetector:
    """`with StallDetector() as detector`: a process that measures for the block."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._stalled_ms = context.Value("d", 0.0)
        self._process = context.Process(target=_measure_stalls, args=(self._stalled_ms,), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    @property
    def stalled_ms(self) -> float:
        """How long the machine stood still since the start, in ms."""
        return self._stalled_ms.value


def _measure_stalls(stalled_ms: "Synchronized[float]") -> None:
    before_s = time.monotonic()
    while True:
        time.sleep(_SLEEP_S)
        now_s = time.monotonic()
        late_ms = (now_s - before_s - _SLEEP_S) * 1000
        if late_ms > _LATE_MS:
            stalled_ms.value += late_ms
        before_s = now_s
