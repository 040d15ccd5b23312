"""Run a simulated board under faults for a long time: python tests/proofs/soak/run.py --minutes 60

Here: the command; it exits with status 1 and prints the reason if a check fails. Not here: the run (soak_run.py).
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2])]

from proofs.soak.soak_run import run_soak

_MEMORY_FOLDER = "/dev/shm"  # on Linux: a file system in memory


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="how long faults happen, in real time")
    parser.add_argument("--seed", type=int, default=1, help="of the random faults")
    parser.add_argument("--heap", default="224k", help="size of the simulated board's heap")
    stop_help = (
        "longest time between two ticks that is allowed, in ms of real time, not counting the time in which other "
        "processes use the processor; from 1000 on the board has no watchdog"
    )
    parser.add_argument("--stop-ms", type=float, default=100, help=stop_help)
    options = parser.parse_args()
    if Path(_MEMORY_FOLDER).is_dir():
        # The board writes twice a second, and a disk may block a write for longer than ticks may stop.
        tempfile.tempdir = _MEMORY_FOLDER
    try:
        print(asyncio.run(run_soak(options.minutes, options.seed, options.heap, options.stop_ms, print_line)))
    except AssertionError as error:
        sys.exit(str(error))


def print_line(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
