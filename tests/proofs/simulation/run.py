"""Run many schedules: python tests/proofs/simulation/run.py --seeds 1000000.

In parts: --first 200000 --seeds 200000; one again: --first SEED --seeds 1 --log.

Here: the command, which spreads seeds over processes. Not here: a schedule (schedule.py).
"""

import argparse
import multiprocessing
import os
import pathlib
import sys
from collections.abc import Iterable

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from proofs.simulation.actors import InvariantError
from proofs.simulation.schedule import Schedule

BATCH = 250  # schedules that a process runs at a time
PRINTED_MAX = 5  # failures that are printed in full


def find_failures(seeds: Iterable[int]) -> list[str]:
    """Run the schedules of these seeds; return a text for each that fails, which begins with the seed."""
    failures = []
    for seed in seeds:
        try:
            Schedule(seed).run()
        except InvariantError as error:
            failures.append(str(error))
    return failures


def split_seeds(first: int, count: int) -> list[range]:
    """Return the seeds in batches."""
    return [range(start, min(start + BATCH, first + count)) for start in range(first, first + count, BATCH)]


def main() -> None:
    """Run the command; exit status 1 if a schedule fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--log", action="store_true", help="print what happens in each schedule")
    options = parser.parse_args()
    if options.log:
        for seed in range(options.first, options.first + options.seeds):
            schedule = Schedule(seed)
            try:
                schedule.run()
            finally:
                print("\n".join(schedule.log))
        return
    done = 0
    failures = []
    with multiprocessing.Pool(options.processes) as pool:
        for found in pool.imap(find_failures, split_seeds(options.first, options.seeds)):
            done += BATCH
            for text in found[: max(0, PRINTED_MAX - len(failures))]:
                print("\r" + text)
            failures += found
            print("\r%d of %d schedules, %d broken" % (min(done, options.seeds), options.seeds, len(failures)), end="")
    print()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
