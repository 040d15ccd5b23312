"""Four cities in two processes, joined half-way, of which one makes cheap beds.

    python host/examples/stories/four_cities.py -o four-cities.png

RIVERWOOD and SEASIDE are one process, PORTSVILLE and WINTERHOLD the other; they could be on two machines. After JOINED
ticks of the west, both cities of the east dial RIVERWOOD. Merchants gather where beds are cheap and take them away, so
the price of a bed there begins to rise towards that of the other cities.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from deskonomy_host.control.client import send_command
from deskonomy_host.extras import find_missing
from deskonomy_host.history.plot import plot

TITLE = "Four cities, joined half-way to the one with cheap beds"
JOINED, ENDS, TICKS_PER_S = 12_000, 60_000, 2000
COMMAND = [sys.executable, "-m", "deskonomy_host"]
WORLD = """
seed = {seed}
speed = {speed}
[cities.{first}]
colour = "{colour_1}"
locals = 40
[cities.{second}]
colour = "{colour_2}"
locals = 40
"""
SIDES = {
    "west": {"seed": 1, "first": "RIVERWOOD", "colour_1": "green", "second": "SEASIDE", "colour_2": "blue"},
    "east": {"seed": 3, "first": "PORTSVILLE", "colour_1": "red", "second": "WINTERHOLD", "colour_2": "yellow"},
}


def record_histories(
    folder: str | Path, joined: int = JOINED, ends: int = ENDS, speed: int = TICKS_PER_S
) -> list[Path]:
    """Run both worlds; return the paths of their histories."""
    sides: dict[str, subprocess.Popen[str]] = {}
    paths: list[Path] = []
    with contextlib.ExitStack() as stack:
        for side, names in SIDES.items():
            world = Path(folder, f"{side}.toml")
            world.write_text(WORLD.format(speed=speed, **names), encoding="utf-8")
            paths.append(Path(folder, f"{side}.db"))
            command = [*COMMAND, "run", str(world), "--ticks", str(ends), "--json", "--history", str(paths[-1])]
            running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            sides[side] = stack.enter_context(running)
            stack.callback(running.terminate)
        west, east = sides["west"].stdout, sides["east"].stdout
        assert west is not None and east is not None
        statuses = map(json.loads, west)
        hub = next(status for status in statuses if status["city"] == "RIVERWOOD" and status["tick"] >= joined)
        next(east)  # from its first line on it takes commands
        for city in ("PORTSVILLE", "WINTERHOLD"):
            send_command(city, "connect", address=hub["address"])  # as deskonomy connect does
        for running in sides.values():
            running.communicate()
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-o", "--output", default="four-cities.png")
    options = parser.parse_args()
    if missing := find_missing("plot"):  # said before the run, which takes a while
        sys.exit(missing)
    with tempfile.TemporaryDirectory() as folder:
        histories = record_histories(folder)
        print(plot(histories, options.output, ["prices", "merchants"], TITLE, goods=["bed"]))
