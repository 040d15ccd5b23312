"""Two cities, one of which makes beds of next to nothing, and the road that opens between them.

    python host/examples/stories/cheap_beds.py -o cheap-beds.png

RIVERWOOD makes a bed of 2 wood and 1 thread, SEASIDE of 2 wood and 10 thread. Each lives alone for OPENS ticks. Then a
road opens: merchants buy beds in RIVERWOOD, take them to SEASIDE, and stay there to sell them.
"""

import argparse
import json
import tempfile
from pathlib import Path

from deskonomy import status
from deskonomy.roads import local as lane
from deskonomy_host.history.plot import plot
from deskonomy_host.history.recorder import Recorder
from deskonomy_host.telemetry.statistics import Detail
from deskonomy_host.world import plan as world

TITLE = "A road to a city with cheap beds"
OPENS, ENDS, SAMPLE = 4000, 12_000, 40  # ticks
TICKS_PER_S = 20  # in the history's time


def tell(path, seed=1, engine=None):
    """Live through it and keep its history at this path, the same for the same seed."""
    plan = world.of_names(["RIVERWOOD", "SEASIDE"])
    plan.roads, plan.seed, plan.engine = [], seed, engine
    cities = world.build(plan)
    detail = Detail()
    with Recorder(path, {city.name: city.colour for city in plan.cities}) as recorder:
        for tick in range(0, ENDS + 1, SAMPLE):
            if tick == OPENS:
                lane.connect(*cities)
            told = [json.loads(status.line(city)) | {"detail": detail(city)} for city in cities]
            recorder.record(told, tick / TICKS_PER_S)
            for _ in range(SAMPLE):
                for city in cities:
                    city.run(1)


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    words.add_argument("-o", "--output", default="cheap-beds.png")
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder, "cheap-beds.db")
        tell(history)
        print(plot([history], words.parse_args().output, ["prices", "merchants"], TITLE, "ticks", ["bed"]))
