"""Runs on MicroPython: the memory that a city takes, `memory.py FOLDER...`; prints one line of JSON, in bytes.

city: heap in use by a city of 20+10. quiet: allocated in 10,000 ticks without roads. Then of two cities with a road
between them: still: allocated in all ticks in which nobody was on it. crossing: allocated for a merchant that crosses,
its departure and its arrival. crossing_max: the most for one end of that. crossings: how many there were.
"""

import gc
import json
import sys

from answers import look_in

look_in(sys.argv[1:])

from deskonomy.economy.city import City  # noqa: E402 - found only now
from deskonomy.roads.local import connect  # noqa: E402

QUIET_TICKS = 10_000
TICKS = 10_000


def allocated(work, *words):
    """Bytes that work(*words) takes from the heap, whether or not it needs them afterwards."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    work(*words)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def quiet():
    city.run(QUIET_TICKS)


def crossings_of(cities):
    """How often somebody has left or arrived so far."""
    return sum([road.sent + road.received for one in cities for road in one.roads.values()])


gc.collect()
before = gc.mem_alloc()
city = City("SEASIDE", 1)
gc.collect()
used = gc.mem_alloc() - before
city.run(1)

# With room for all from the start, as on a board.
pair = City("RIVERWOOD", 2, merchants_max=20), City("SEASIDE", 3, merchants_max=20)
connect(*pair)
still = crossing = crossings = crossing_max = 0
for _ in range(TICKS):
    for one in pair:
        seen = crossings_of(pair)
        on_the_way = any([road.outbound for each in pair for road in each.lanes])
        bytes_ = allocated(one.run, 1)
        crossed = crossings_of(pair) - seen
        if crossed or on_the_way:
            crossing += bytes_
            crossings += crossed
            crossing_max = max(crossing_max, bytes_ // max(1, crossed))
        else:
            still += bytes_
result = {
    "city": used,
    "quiet": allocated(quiet),
    "still": still,
    "crossing": 2 * crossing // crossings,
    "crossing_max": crossing_max,
    "crossings": crossings // 2,
}
print(json.dumps(result))
