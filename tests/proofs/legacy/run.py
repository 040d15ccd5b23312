"""Live with programs of the tutorial for a long time: python tests/proofs/legacy/run.py --minutes 60

Here: the command. Not here: what happens (neighbours.py).
"""

import argparse
import asyncio
import pathlib
import sys

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from proofs.legacy.neighbours import run_neighbours


def main() -> None:
    """Run the command; it ends with a message if a program crashes or the sums differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        account = asyncio.run(
            run_neighbours(60 * options.minutes, options.seed, log=lambda text: print(text, flush=True))
        )
    except AssertionError as error:
        sys.exit(str(error))
    print(account)


if __name__ == "__main__":
    main()
