"""Machine instructions a tick, counted by valgrind's callgrind: exact on a busy machine, too.

Here: counting a process with many ticks and one with few; the difference belongs to the ticks. Not here: numba, whose
import and compilation take minutes inside valgrind.
"""

import json
import re
import shutil
import subprocess

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.ticks import ENGINES, command, missing_reason
from deskonomy_host.bench.workbench import Workbench
from deskonomy_host.errors import OperationError

# An emulated ESP32 at this speed ran 66 ticks/s of the reference model, which tells how well the estimate holds.
BOARD_PER_S = 125_000_000
_AGE_TICKS = 100
_FEW_TICKS = 1


def instructions(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Count the instructions of a tick of 20+10, and estimate the ticks/s of a chip with 125 million a second."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return [Figure("a tick", "instructions", note="valgrind is not installed")]
    many = _FEW_TICKS + (20 if workbench.quick else 300)
    counted = [engine for engine in ENGINES if engine.mode != "numba" and not missing_reason(workbench, engine)]
    if workbench.quick:  # CPython takes seconds to start inside valgrind
        counted = [engine for engine in counted if engine.interpreter == "MicroPython"]
    bar.begin(2 * len(counted))
    figures = []
    for engine in counted:
        counts = {}
        for ticks in (_FEW_TICKS, many):
            bar.describe(f"{engine}, {ticks} ticks")
            counts[ticks] = _count(valgrind, command(workbench, engine), ticks)
            bar.step()
        a_tick = (counts[many] - counts[_FEW_TICKS]) / (many - _FEW_TICKS)
        figures.append(Figure(str(engine), "instructions", (a_tick,)))
        if engine.interpreter == "MicroPython":
            note = "ticks/s at 125 million instructions a second"
            figures.append(Figure(str(engine), "ticks/s", (BOARD_PER_S / a_tick,), note=note))
    return figures


def _count(valgrind, program, ticks):
    """Count the instructions of a process that runs a city of 20+10 for this number of ticks."""
    done = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *program],
        input=json.dumps([20, 10, 1, _AGE_TICKS, ticks, 0]) + "\n",
        capture_output=True,
        text=True,
        # With these, CPython executes the same instructions each time.
        env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise OperationError(f"valgrind could not run {program[-2]}: {done.stderr.strip().splitlines()[-1]}")
    return int(found[1])
