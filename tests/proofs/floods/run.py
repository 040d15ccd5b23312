"""Flood cities by hostile peers, and check that they live on: python tests/proofs/floods/run.py --seconds 20

Here: the command; it prints a line for each flood, and exits with status 1 if one does harm. Not here: a flood
(flood.py).
"""

import argparse
import asyncio
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2])]

from proofs.floods.flood import BOARD, HOST, run_flood

_FLOODS = tuple((HOST, peers, spread) for peers in (2, 8, 256) for spread in (False, True))
_BOARD_FLOODS = tuple((BOARD, 6, spread) for spread in (False, True))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="how long each flood lasts")
    parser.add_argument("--only", choices=(HOST, BOARD), help="which city to attack")
    options = parser.parse_args()
    failures = 0
    for target, peers, spread in _FLOODS + _BOARD_FLOODS:
        if options.only in (None, target):
            result = asyncio.run(run_flood(target, peers, options.seconds, spread))
            print(result, *result.list_failures(), sep="\n  FAILED: ", flush=True)
            failures += len(result.list_failures())
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
