"""Runs on MicroPython and CPython alike: what the bench's programs share, which time things where they happen.

Here: questions and answers, and a clock. Such a program is started as `bench_x.py FOLDER... [-- WORD...]`, with the
folders that modules are looked for in. The other end is bench_contestants.py.
"""

import json
import sys

try:
    from time import ticks_diff, ticks_us
except ImportError:
    from time import perf_counter_ns

    def ticks_us():
        """Microseconds of a clock that only serves for differences."""
        return perf_counter_ns() // 1000

    def ticks_diff(later, earlier):
        """Microseconds from earlier to later."""
        return later - earlier


def look_in(folders):
    """Let modules be found in these folders too."""
    sys.path.extend(folders)


def serve(answer):
    """Answer questions until there are no more: for each line of stdin, a JSON list, a line with answer(*list)."""
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))))
