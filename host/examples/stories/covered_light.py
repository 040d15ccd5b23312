"""A board whose light sensor is covered and uncovered: what it sees, what that does to its people, and to a price.

    python host/examples/stories/covered_light.py -o covered-light.png

The board is simulated: a real MicroPython that runs the real firmware. Light decides how much wood one act of gathering
gives; where that is little, wood gets dear.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from deskonomy_host.boards.simulator.board import SimulatedBoard
from deskonomy_host.history.plot import plot
from deskonomy_host.history.recorder import Recorder

TITLE = "A hand on the light sensor of a desk"
TICKS_PER_S = 250
# Light from 0 to 1, for how many ticks, and what is told of it.
TURNS = (
    (0.2, 800, "an ordinary evening"),
    (0.0, 4000, "a hand is on the sensor: nobody can gather wood"),
    (0.8, 3000, "the hand is gone, the lamp is on"),
)


async def tell(path, turns=TURNS, speed=TICKS_PER_S):
    """Let so much light fall on a board, for so long each time, and keep its history at this path."""
    with Recorder(path, {"DESKTOWN": "yellow"}) as recorder:
        async with SimulatedBoard("DESKTOWN", seed=11, speed=speed, sensors={"light": turns[0][0]}) as board:
            end = tick = 0
            for light, ticks, what in turns:
                board.sense("light", light)
                recorder.note(what, "DESKTOWN")
                end += ticks
                while tick < end:
                    status = await board.wait_for(lambda status, before=tick: status["tick"] != before)
                    tick = status["tick"]
                    recorder.record([status])


if __name__ == "__main__":
    words = argparse.ArgumentParser(usage=__doc__)
    words.add_argument("-o", "--output", default="covered-light.png")
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder, "covered-light.db")
        asyncio.run(tell(history))
        print(plot([history], words.parse_args().output, ["board"], TITLE))
