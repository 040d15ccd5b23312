"""Looks at each line that a board says, and knows what none of them may say.

Here: resets, stops of ticks, the heap. Not here: what happens to the board meanwhile (weeks.py).
"""

import contextlib
import os
from collections import Counter
from pathlib import Path
from statistics import mean

from deskonomy_host.boards.serial.lines import parse_status

_WRONG = ("Traceback", "no memory", "cannot be saved", "SAFE MODE", "uncaught")
# What a board may do with merchants, and with a road that is not up yet, before its memory runs out.
_SHORT = ("no memory for all that merchants", "has no memory for one more; dialling on")


class Watcher:
    """hear(line): each line of the console.

    speed: how many times as fast as ours the board's clock is. pid: its process. stop_ms: for how long, at most, its
    ticks may stop. witness: a Witness. wrong: what must not be, in words; the first ten.
    """

    def __init__(self, speed, pid, stop_ms, witness):
        self.wrong = []
        self.said = Counter()  # log lines
        # How often it said that merchants of a city forget, once for each connection, and how often it let in no road.
        self.short = Counter(dict.fromkeys(_SHORT, 0))
        self.heap = []  # bytes in use at each status line, which come after a collection
        self.gaps_ms = []  # between two ticks, in ours
        self.last = None  # status
        self.waiting = 0  # merchants in the ledger, at most
        self.sensors = {}  # {name: how many lines had its "level", how many an "error"}
        self._speed = speed
        self._pid = pid
        self._stop_ms = stop_ms
        self._witness = witness
        self._stolen_ms = self._stolen_so_far_ms()

    def hear(self, line):
        status = parse_status(line)
        if status is not None:
            self._look(status)
        else:
            self.said[line] += 1
            short = [words for words in _SHORT if words in line]
            if short:
                self.short.update(short)
            elif any(word in line for word in _WRONG):
                self.complain("it said: " + line)

    def _look(self, status):
        before, self.last = self.last, status
        total_ms = self._stolen_so_far_ms()
        stolen_ms, self._stolen_ms = total_ms - self._stolen_ms, total_ms
        if before is not None:  # else it has just been born
            if status["reset"] != before["reset"] or status["uptime_s"] < before["uptime_s"]:
                self.complain("it was reset (%s) at tick %d" % (status["reset"], before["tick"]))
            gap_ms = status["gap_ms"] / self._speed - stolen_ms
            self.gaps_ms.append(gap_ms)
            if gap_ms > self._stop_ms:
                self.complain("its ticks stopped for %d ms before tick %d" % (gap_ms, status["tick"]))
            apart_s = status["uptime_s"] - before["uptime_s"]  # whole seconds, and a line a second
            if apart_s > 2 + (self._stop_ms + stolen_ms) / 1000 * self._speed:
                self.complain("it said nothing for %d s before tick %d" % (apart_s, status["tick"]))
        self.heap.append(status["heap"]["used"])
        self.waiting = max(self.waiting, sum(road["waiting"] for road in status["roads"].values()))
        for name, sensor in status["sensors"].items():
            if "error" in sensor or "level" in sensor:
                self.sensors.setdefault(name, Counter())["error" if "error" in sensor else "level"] += 1

    def complain(self, text):
        if len(self.wrong) < 10:
            self.wrong.append(text)

    def growth_bytes(self):
        """How much more of the heap is in use in the last third than in the first, once a tenth of the time is over.

        By the mean, which goes up and down with the roads, or by the least, which does not; what grows does both.
        """
        heap = self.heap[len(self.heap) // 10 :]
        first, last = heap[: len(heap) // 3], heap[-(len(heap) // 3) :]
        return round(min(mean(last) - mean(first), min(last) - min(first)))

    def still_s(self):
        """For how long, in all, the machine stood still."""
        return self._witness.lost_ms / 1000

    def _stolen_so_far_ms(self):
        """For how long the machine stood still, or others had the processor that the board or we wanted; Linux tells.

        We, for a board waits in print() once the few KB of its terminal are full.
        """
        stolen_ms = self._witness.lost_ms
        for pid in (self._pid, os.getpid()):
            with contextlib.suppress(OSError):
                stolen_ms += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e6
        return stolen_ms
