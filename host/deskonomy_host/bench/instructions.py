"""How many machine instructions a tick takes, as valgrind's callgrind counts them: also exact on a busy machine.

Here: counting a process with many ticks and one with few; the difference is the ticks'. Not here: numba, whose import
and compilation take minutes inside valgrind.
"""

import json
import re
import shutil
import subprocess

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.ticks import ENGINES, why_not, words
from deskonomy_host.errors import OperationError

# An emulated ESP32 at so many did 66 ticks/s of the oracle; so the oracle's own line tells how far this can be trusted.
BOARD_PER_S = 125_000_000
_AGE = 100
_FEW = 1


def instructions(stage, bar):
    """Instructions a tick of a city of 20+10, and the ticks/s of a chip that does 125 million such a second."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return [Figure("a tick", "instructions", note="valgrind is not installed")]
    many = _FEW + (20 if stage.quick else 300)
    counted = [engine for engine in ENGINES if engine.kind != "numba" and not why_not(stage, engine)]
    bar.begin(2 * len(counted))
    figures = []
    for engine in counted:
        counts = {}
        for ticks in (_FEW, many):
            bar.doing(f"{engine}, {ticks} ticks")
            counts[ticks] = _count(valgrind, words(stage, engine), ticks)
            bar.step()
        a_tick = (counts[many] - counts[_FEW]) / (many - _FEW)
        figures.append(Figure(str(engine), "instructions", (a_tick,)))
        if engine.interpreter == "MicroPython":
            note = "ticks/s at 125 million instructions a second"
            figures.append(Figure(str(engine), "ticks/s", (BOARD_PER_S / a_tick,), note=note))
    return figures


def _count(valgrind, program, ticks):
    """The instructions of a process that lets a city of 20+10 tick so often."""
    done = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *program],
        input=json.dumps([20, 10, 1, _AGE, ticks, 0]) + "\n",
        capture_output=True,
        text=True,
        # CPython does the same each time if its dicts are alike and it compiles nothing for the next time.
        env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise OperationError(f"valgrind could not run {program[-2]}: {done.stderr.strip().splitlines()[-1]}")
    return int(found[1])
