"""A board whose light sensor is covered and uncovered: its readings, its residents, and a price.

    python host/examples/stories/covered_light.py -o covered-light.png

The board is simulated: a real MicroPython that runs the real firmware. Light sets how much wood an act of gathering
gives; with little light, wood becomes dear.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.extras import find_missing
from deskonomy_host.history.plot import plot
from deskonomy_host.history.recorder import Recorder

TITLE = "A hand on the light sensor of a desk"
TICKS_PER_S = 250
# (light from 0 to 1, for how many ticks, the note in the history).
PHASES = (
    (0.2, 800, "an ordinary evening"),
    (0.0, 4000, "a hand is on the sensor: residents cannot gather wood"),
    (0.8, 3000, "the hand is gone, the lamp is on"),
)


async def record_history(
    path: str | Path, phases: Sequence[tuple[float, int, str]] = PHASES, speed: float = TICKS_PER_S
) -> None:
    """Run a board through all phases, and write its history to a file."""
    with Recorder(path, {"DESKTOWN": "yellow"}) as recorder:
        async with SimulatedBoard("DESKTOWN", seed=11, speed=speed, sensors={"light": phases[0][0]}) as board:
            end = tick = 0
            for light, ticks, note in phases:
                board.sense("light", light)
                recorder.note(note, "DESKTOWN")
                end += ticks
                while tick < end:
                    status = await board.wait_for(lambda status, before=tick: status["tick"] != before)
                    tick = status["tick"]
                    recorder.record([status])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-o", "--output", default="covered-light.png")
    options = parser.parse_args()
    if missing := find_missing("plot"):  # said before the run, which takes a while
        sys.exit(missing)
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder, "covered-light.db")
        asyncio.run(record_history(history))
        print(plot([history], options.output, ["board"], TITLE))
