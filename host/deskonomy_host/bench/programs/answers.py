"""Runs on MicroPython and CPython: the shared part of the bench's programs, which measure inside an interpreter.

Here: questions and answers, and a clock. Not here: the other end (bench/workbench.py). A program is started with the
folders in which modules are searched.
"""

import json
import sys

try:
    from time import ticks_diff, ticks_us
except ImportError:
    from time import perf_counter_ns

    def ticks_us():
        """Return the microseconds of a clock that serves for differences only."""
        return perf_counter_ns() // 1000

    def ticks_diff(later, earlier):
        """Return the microseconds from earlier to later."""
        return later - earlier


def add_module_folders(folders):
    """Search modules in these folders too."""
    sys.path.extend(folders)


def serve(answer):
    """Answer each line of stdin, a JSON list, with a line of JSON: answer(*list)."""
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))))
