"""Many schedules: python tests/simulation/run.py --seeds 1000000, or one of them again: --first SEED --seeds 1 --log.

Here: spreading seeds over processes, and what is said of them. Not here: a schedule (schedule.py).
"""

import argparse
import multiprocessing
import os
import pathlib
import sys

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).parents[2])]

from proofs.simulation.schedule import Schedule
from proofs.simulation.world import Broken

BATCH = 250


def broken(seeds):
    """What goes wrong in these schedules: a list of texts that begin with the seed."""
    found = []
    for seed in seeds:
        try:
            Schedule(seed).run()
        except Broken as error:
            found.append(str(error))
    return found


def batches(first, count):
    """The seeds in ranges of a few hundred."""
    return [range(start, min(start + BATCH, first + count)) for start in range(first, first + count, BATCH)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--log", action="store_true", help="say what happened in each schedule, too")
    words = parser.parse_args()
    if words.log:
        for seed in range(words.first, words.first + words.seeds):
            schedule = Schedule(seed)
            try:
                schedule.run()
            finally:
                print("\n".join(schedule.log))
        return
    done = 0
    failures = []
    with multiprocessing.Pool(words.processes) as pool:
        for found in pool.imap(broken, batches(words.first, words.seeds)):
            done += BATCH
            for text in found[: max(0, 5 - len(failures))]:
                print("\r" + text)
            failures += found
            print("\r%d of %d schedules, %d broken" % (min(done, words.seeds), words.seeds, len(failures)), end="")
    print()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
