"""Kill and disturb real cities for a long time: python tests/proofs/chaos/run.py --kills 500

Here: the command. Not here: what happens (processes.py).
"""

import argparse
import asyncio
import pathlib
import sys

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from proofs.chaos.processes import run_chaos


def main() -> None:
    """Run the command; it ends with a message if the accounts are not complete."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--heap", default="224k", help="of the simulated board")
    parser.add_argument("--folder", help="keep disks and logs there")
    options = parser.parse_args()
    try:
        asyncio.run(
            run_chaos(options.kills, options.seed, options.heap, lambda line: print(line, flush=True), options.folder)
        )
    except AssertionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
