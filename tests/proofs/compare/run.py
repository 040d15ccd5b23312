"""Compare the benchmarks of two checkouts, in turn: python tests/proofs/compare/run.py --base CHECKOUT

Here: the command. Not here: the benchmarks (`deskonomy bench`). Each checkout needs its own `.venv`, made by the
README's second command. The two take turns, round by round, so that other work of the machine affects both. A figure is
worse if its median is worse by more than 3 % beyond the spread of the base. Exits with 1 if a figure is worse.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[3]
SECTIONS = ("engines", "growth", "memory", "codec", "road", "board", "start")
WORSE_PERCENT = 3
HIGHER_IS_BETTER = ("ticks/s", "merchants/s")
LOWER_IS_BETTER = ("bytes", "KiB", "s", "ns")
RENAMED = {"oracle": "reference"}  # in the names of figures, since 0.1.0

Figures = dict[tuple[str, str, str], float]


def measure(checkout: pathlib.Path, sections: list[str], quick: bool) -> Figures:
    """Run the benchmarks of a checkout once: {(section, name, unit): value}."""
    command = [str(checkout / ".venv" / "bin" / "deskonomy"), "bench", "--json", *(["--quick"] if quick else [])]
    for section in sections:
        command += ["--only", section]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, stdin=subprocess.DEVNULL)
    if not done.stdout:
        sys.exit(f"{' '.join(command)} failed: {done.stderr.strip()}")
    found: Figures = {}
    for section, figures in json.loads(done.stdout)["sections"].items():
        for figure in figures:
            if figure["median"] is not None and figure["unit"] in HIGHER_IS_BETTER + LOWER_IS_BETTER:
                name = figure["name"]
                for old, new in RENAMED.items():
                    name = name.replace(old, new)
                found[section, name, figure["unit"]] = figure["median"]
    return found


def compare(base: list[float], new: list[float], unit: str) -> tuple[float, float, bool]:
    """Return (change in percent, spread of the base in percent, whether the new one is worse)."""
    before, after = statistics.median(base), statistics.median(new)
    if not before:
        return 0.0, 0.0, after > before
    change = 100 * (after - before) / before
    spread = 100 * (max(base) - min(base)) / before
    loss = -change if unit in HIGHER_IS_BETTER else change
    return change, spread, loss > WORSE_PERCENT + spread


def main() -> None:
    """Parse the arguments, measure in turn, print a table, and exit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True, type=pathlib.Path, help="the checkout to compare with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="a section of the benchmarks; repeatable")
    parser.add_argument("--full", action="store_true", help="each round at its full length, not --quick")
    arguments = parser.parse_args()
    sections = arguments.only or list(SECTIONS)
    base, new = [], []
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
        base.append(measure(arguments.base.resolve(), sections, not arguments.full))
        new.append(measure(REPO, sections, not arguments.full))
    worse = 0
    for key in base[0]:
        if not all(key in figures for figures in (*base, *new)):
            print(f"{key[1]}, {key[2]}: not in both")
            continue
        values = [figures[key] for figures in base], [figures[key] for figures in new]
        change, spread, is_worse = compare(*values, key[2])
        worse += is_worse
        medians = " -> ".join(f"{statistics.median(column):,.4g}" for column in values)
        print(f"{key[0]}: {key[1]}, {key[2]}: {medians} ({change:+.1f} %, spread {spread:.1f} %)" + " WORSE" * is_worse)
    print(f"{worse} figures of {len(base[0])} are worse")
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
