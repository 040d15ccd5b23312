"""Four cities in two processes, joined half-way, of which one makes cheap beds.

    python host/examples/stories/four_cities.py -o four-cities.png

RIVERWOOD and SEASIDE are one process, PORTSVILLE and WINTERHOLD the other; they might be on two machines. When the west
has lived for JOINED ticks, both cities of the east dial RIVERWOOD. Merchants gather where beds are cheap and take them
away, and the price of a bed there begins to rise towards the others'.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from deskonomy_host.control import server as control
from deskonomy_host.history.plot import plot

TITLE = "Four cities, joined half-way to the one with cheap beds"
JOINED, ENDS, TICKS_PER_S = 12_000, 60_000, 2000
COMMAND = [sys.executable, "-m", "deskonomy_host"]
WORLD = """
seed = {seed}
speed = {speed}
[cities.{one}]
colour = "{one_colour}"
locals = 40
[cities.{other}]
colour = "{other_colour}"
locals = 40
"""
SIDES = {
    "west": {"seed": 1, "one": "RIVERWOOD", "one_colour": "green", "other": "SEASIDE", "other_colour": "blue"},
    "east": {"seed": 3, "one": "PORTSVILLE", "one_colour": "red", "other": "WINTERHOLD", "other_colour": "yellow"},
}


def tell(folder, joined=JOINED, ends=ENDS, speed=TICKS_PER_S):
    """Run both worlds; returns the paths of their histories."""
    sides, paths = {}, []
    with contextlib.ExitStack() as stack:
        for side, names in SIDES.items():
            world = Path(folder, f"{side}.toml")
            world.write_text(WORLD.format(speed=speed, **names), encoding="utf-8")
            paths.append(Path(folder, f"{side}.db"))
            words = ["run", world, "--ticks", ends, "--json", "--history", paths[-1]]
            command = [*COMMAND, *map(str, words)]
            running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            sides[side] = stack.enter_context(running)
            stack.callback(running.terminate)
        told = map(json.loads, sides["west"].stdout)
        hub = next(status for status in told if status["city"] == "RIVERWOOD" and status["tick"] >= joined)
        next(sides["east"].stdout)  # from its first line on it can be told something
        for city in ("PORTSVILLE", "WINTERHOLD"):
            control.send(city, "connect", address=hub["address"])  # as deskonomy connect does
        for running in sides.values():
            running.communicate()
    return paths


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    words.add_argument("-o", "--output", default="four-cities.png")
    with tempfile.TemporaryDirectory() as folder:
        print(plot(tell(folder), words.parse_args().output, ["prices", "merchants"], TITLE, goods=["bed"]))
