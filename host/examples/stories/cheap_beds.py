"""Two cities, of which one makes beds of almost nothing, and the road that opens between them.

    python host/examples/stories/cheap_beds.py -o cheap-beds.png

RIVERWOOD makes a bed of 2 wood and 1 thread, SEASIDE of 2 wood and 10 thread. Each lives alone for OPENS ticks. Then a
road opens: merchants buy beds in RIVERWOOD, take them to SEASIDE, and stay there to sell them.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from deskonomy.roads.local import connect
from deskonomy.status import format_status
from deskonomy_host.extras import find_missing
from deskonomy_host.history.plot import plot
from deskonomy_host.history.recorder import Recorder
from deskonomy_host.telemetry.statistics import CityStatistics
from deskonomy_host.world.plan import build_cities, plan_cities

TITLE = "A road to a city with cheap beds"
OPENS, ENDS, SAMPLE = 4000, 12_000, 40  # ticks
TICKS_PER_S = 20  # in the history's time


def record_history(path: str | Path, seed: int = 1, engine: str | None = None) -> None:
    """Run both cities, and write their history to a file: the same for the same seed."""
    plan = plan_cities(["RIVERWOOD", "SEASIDE"])
    plan.roads, plan.seed, plan.engine = [], seed, engine
    cities = build_cities(plan)
    statistics = CityStatistics()
    with Recorder(path, {city.name: city.colour for city in plan.cities}) as recorder:
        for tick in range(0, ENDS + 1, SAMPLE):
            if tick == OPENS:
                connect(*cities)
            statuses = [json.loads(format_status(city)) | {"detail": statistics(city)} for city in cities]
            recorder.record(statuses, tick / TICKS_PER_S)
            for _ in range(SAMPLE):
                for city in cities:
                    city.run(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-o", "--output", default="cheap-beds.png")
    options = parser.parse_args()
    if missing := find_missing("plot"):  # said before the run, which takes a while
        sys.exit(missing)
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder, "cheap-beds.db")
        record_history(history)
        print(plot([history], options.output, ["prices", "merchants"], TITLE, "ticks", ["bed"]))
