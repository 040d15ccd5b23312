"""The clock of statuses, events and histories: seconds since 1970 that never go back and never leap.

Here: the label of a moment. The system's clock is read once, when this module is loaded; from then on a monotonic clock
counts, so that the difference of two labels is a duration even if the system's clock is set in between. Not here: the
clock that runs ticks (deskonomy/economy/clock.py).
"""

# pyright: strict
import time


def _read_monotonic_s() -> float:
    """Return the seconds of a clock that also counts while the machine is suspended, if it can."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # of Linux
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


_START_S = time.time() - _read_monotonic_s()


def read_time_s() -> float:
    """Return the present moment in seconds since 1970, by the system's clock at the start of this process."""
    return _START_S + _read_monotonic_s()
