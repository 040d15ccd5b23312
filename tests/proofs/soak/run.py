"""Let a board live through everything for a long time: python tests/soak/run.py --minutes 60

Here: the command. Not here: what happens (weeks.py). Exits 1, and says why, if anything is wrong.
"""

import argparse
import asyncio
import pathlib
import sys
import tempfile

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from proofs.soak.weeks import weeks

MEMORY = "/dev/shm"  # on Linux


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="of ours")
    parser.add_argument("--seed", type=int, default=1, help="of what happens")
    parser.add_argument("--heap", default="224k", help="of the simulated board")
    stop = "for how long ticks may stop, if nobody else is busy; from 1000 on there is no watchdog"
    parser.add_argument("--stop-ms", type=float, default=100, help=stop)
    words = parser.parse_args()
    if pathlib.Path(MEMORY).is_dir():
        tempfile.tempdir = MEMORY  # a board writes every half second, and a disk may stand still for longer than it may
    try:
        print(
            asyncio.run(
                weeks(words.minutes, words.seed, words.heap, words.stop_ms, lambda line: print(line, flush=True))
            )
        )
    except AssertionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
