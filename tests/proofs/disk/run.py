"""Record and save cities for a day of simulated time on a disk that fills and empties: python tests/proofs/disk/run.py

Here: the command. With the rights to mount one, the disk is a small tmpfs that is filled with bytes; otherwise SQLite's
limit of pages stands in for it. Not here: the cities, the schedule and the checks (disk_day.py).
"""

import argparse
import pathlib
import sys
import tempfile

TESTS = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(TESTS)]


def main() -> None:
    """Run the command; its exit status is 1 if a check fails."""
    parser = argparse.ArgumentParser(description="Cities on a disk that fills and empties.")
    parser.add_argument("--hours", type=float, default=24, help="of simulated time [24]")
    parser.add_argument("--seed", type=int, default=1, help="of the schedule [1]")
    options = parser.parse_args()
    from proofs.disk.disk_day import LimitedPages, TemporaryDisk, run_day

    with tempfile.TemporaryDirectory() as folder:
        disk = (
            TemporaryDisk(pathlib.Path(folder)) if TemporaryDisk.is_possible() else LimitedPages(pathlib.Path(folder))
        )
        with disk:
            print(run_day(disk, int(options.hours * 3600), options.seed))


if __name__ == "__main__":
    main()
