"""The monitor of a board's console: it checks each line for what must not happen during a soak run.

Here: resets, pauses between ticks, missing status lines, the heap, and log lines that report a failure. Not here: the
faults that the board meets meanwhile (faults.py).
"""

import contextlib
import os
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

from deskonomy_host.boards.serial.lines import parse_status
from proofs.soak.stall_detector import StallDetector

_FAILURES_MAX = 10  # that are kept: later ones are mostly consequences
_FAILURE_TEXTS = ("Traceback", "no memory", "cannot be saved", "SAFE MODE", "uncaught", "which is a bug")
# Two effects of short memory are allowed, because a board then does less instead of crashing: merchants lose the prices
# that they know (logged once for each connection), and a road that is not up yet is not dialled.
_PRICES_DROPPED = "no memory for all prices that merchants"
_NOT_DIALLED = "has no memory for another connection; dialling on"


class StatusMonitor:
    """Checks the lines of one board's console, see check_line().

    Attributes:
        failures: What happened and must not happen, a sentence each; the first ten.
        log_lines: {log line: how often it came}.
        prices_dropped: How many connections logged that merchants lose prices for lack of memory.
        dials_skipped: How often the board logged that it did not dial for lack of memory.
        heap_bytes: The heap in use at each status line, which comes after a garbage collection.
        gaps_ms: The longest time between two ticks before each status line, in real time that the board could use.
        last_status: The latest status; None before the first.
        ledger_max: The most merchants that the ledger held.
        sensor_counts: {sensor: {"level": status lines with a level, "error": status lines with an error}}.
    """

    def __init__(self, speed: int, pid: int, stop_ms: float, stall_detector: StallDetector) -> None:
        """Create the monitor.

        Args:
            speed: How many times as fast as real time the board's clock is.
            pid: Of the board's process.
            stop_ms: The longest time between two ticks that is allowed, in real time.
            stall_detector: Measures when the machine stands still, which is not the board's fault.
        """
        self.failures: list[str] = []
        self.log_lines: Counter[str] = Counter()
        self.prices_dropped = 0
        self.dials_skipped = 0
        self.heap_bytes: list[int] = []
        self.gaps_ms: list[float] = []
        self.last_status: dict[str, Any] | None = None
        self.ledger_max = 0
        self.sensor_counts: dict[str, Counter[str]] = {}
        self._speed = speed
        self._pid = pid
        self._stop_ms = stop_ms
        self._stall_detector = stall_detector
        self._stolen_ms = self._measure_stolen_ms()

    @property
    def stalled_s(self) -> float:
        """How long the machine stood still in all."""
        return self._stall_detector.stalled_ms / 1000

    def check_line(self, line: str) -> None:
        """Check a line of the console, a status line or a log line."""
        status = parse_status(line)
        if status is not None:
            self._check_status(status)
            return
        self.log_lines[line] += 1
        if _PRICES_DROPPED in line:
            self.prices_dropped += 1
        elif _NOT_DIALLED in line:
            self.dials_skipped += 1
        elif any(text in line for text in _FAILURE_TEXTS):
            self.add_failure("the board logged: " + line)

    def add_failure(self, text: str) -> None:
        """Remember something that must not happen."""
        if len(self.failures) < _FAILURES_MAX:
            self.failures.append(text)

    def measure_growth_bytes(self) -> int:
        """Return how many bytes more of the heap are in use in the last third of the run than in the first third.

        The first tenth of the run does not count. Of the difference between the means, which follow the number of open
        roads, and the difference between the minima, which do not, the smaller is returned: a leak raises both.
        """
        heap_bytes = self.heap_bytes[len(self.heap_bytes) // 10 :]
        first, last = heap_bytes[: len(heap_bytes) // 3], heap_bytes[-(len(heap_bytes) // 3) :]
        return round(min(mean(last) - mean(first), min(last) - min(first)))

    def _check_status(self, status: dict[str, Any]) -> None:
        before, self.last_status = self.last_status, status
        total_ms = self._measure_stolen_ms()
        stolen_ms, self._stolen_ms = total_ms - self._stolen_ms, total_ms
        if before is not None:
            self._check_progress(before, status, stolen_ms)
        self.heap_bytes.append(status["heap"]["used"])
        self.ledger_max = max(self.ledger_max, sum(road["waiting"] for road in status["roads"].values()))
        for name, sensor in status["sensors"].items():
            if "error" in sensor or "level" in sensor:
                self.sensor_counts.setdefault(name, Counter())["error" if "error" in sensor else "level"] += 1

    def _check_progress(self, before: dict[str, Any], status: dict[str, Any], stolen_ms: float) -> None:
        """Check that the board was not reset between two status lines, and did not pause too long."""
        if status["reset"] != before["reset"] or status["uptime_s"] < before["uptime_s"]:
            self.add_failure("the board was reset (%s) at tick %d" % (status["reset"], before["tick"]))
        gap_ms = status["gap_ms"] / self._speed - stolen_ms
        self.gaps_ms.append(gap_ms)
        if gap_ms > self._stop_ms:
            self.add_failure("no tick ran for %d ms before tick %d" % (gap_ms, status["tick"]))
        # Status lines come once a second, and uptime_s is a whole number: 2 s may lie between two lines.
        interval_s = status["uptime_s"] - before["uptime_s"]
        if interval_s > 2 + (self._stop_ms + stolen_ms) / 1000 * self._speed:
            self.add_failure("no status line came for %d s before tick %d" % (interval_s, status["tick"]))

    def _measure_stolen_ms(self) -> float:
        """Return the real time so far in which the board could not run through no fault of its own.

        That is the time in which the machine stood still, and the time in which the board or this process waited for a
        processor (Linux only). This process counts because a board waits in print() while the few KB of its terminal
        are full.
        """
        stolen_ms = self._stall_detector.stalled_ms
        for pid in (self._pid, os.getpid()):
            with contextlib.suppress(OSError):
                stolen_ms += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e6
        return stolen_ms
