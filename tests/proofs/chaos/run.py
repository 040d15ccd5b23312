"""Kill and disturb real cities for a long time: python tests/chaos/run.py --kills 500

Here: the command. Not here: what happens (town.py).
"""

import argparse
import asyncio
import pathlib
import sys

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from proofs.chaos.town import chaos


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--heap", default="224k", help="of the simulated board")
    parser.add_argument("--folder", help="keep disks and logs there")
    words = parser.parse_args()
    try:
        asyncio.run(chaos(words.kills, words.seed, words.heap, lambda line: print(line, flush=True), words.folder))
    except AssertionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
