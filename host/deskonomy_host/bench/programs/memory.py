"""Runs on MicroPython: measures the memory of a city, `memory.py FOLDER...`; prints one line of JSON, in bytes.

city          heap in use by a city of 20+10
quiet         allocated in 10,000 ticks without roads
still         of two cities with a road: allocated in all ticks in which no merchant was on the road
crossing      allocated for a merchant that travels: its departure and its arrival
crossing_max  the largest allocation of a departure or an arrival
crossings     number of journeys
"""

import gc
import json
import sys

from answers import add_module_folders

add_module_folders(sys.argv[1:])

from deskonomy.economy.city import City  # noqa: E402 - found only now
from deskonomy.roads.local import connect  # noqa: E402

QUIET_TICKS = 10_000
TICKS = 10_000


def allocated(work, *arguments):
    """Return the bytes that work(*arguments) allocates, including those that it frees."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    work(*arguments)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def quiet():
    city.run(QUIET_TICKS)


def crossings_of(cities):
    """Return the number of departures and arrivals so far."""
    return sum([road.sent + road.received for city in cities for road in city.roads.values()])


gc.collect()
before = gc.mem_alloc()
city = City("SEASIDE", 1)
gc.collect()
used = gc.mem_alloc() - before
city.run(1)

# As on a board, the array has its whole size from the start.
pair = City("RIVERWOOD", 2, merchants_max=20), City("SEASIDE", 3, merchants_max=20)
connect(*pair)
still = crossing = crossings = crossing_max = 0
for _ in range(TICKS):
    for end in pair:
        crossings_before = crossings_of(pair)
        is_busy = any([road.outbound for each in pair for road in each.local_roads])
        bytes_ = allocated(end.run, 1)
        crossed = crossings_of(pair) - crossings_before
        if crossed or is_busy:
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
