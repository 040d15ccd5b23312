"""Memory: the size of a city's state, and the heap that city and firmware take on a board.

Here: measuring from outside. Not here: measuring inside MicroPython (programs/memory.py, programs/import_firmware.py).
Objects of a 64-bit MicroPython are twice as large as on a board, so its heap of 112k stands for a board's 56 KiB.
"""

import json
import subprocess

from deskonomy.economy.city import City

from deskonomy_host import paths
from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.ticks import SIZES
from deskonomy_host.bench.workbench import Workbench

HEAP_KIB = 112
STATE_MAX = 6 * 1024
_SEARCH_KIB = (16, 512)  # a heap that is too small, and a heap that is large enough
_PROGRAM = "import_firmware"
_STAND_INS = str(paths.BOARDS / "SIMULATED" / "stand_ins")


def memory(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure state and heap in bytes, allocations while ticking and travelling, and the least heap for a start."""
    sizes = SIZES[:2] if workbench.quick else SIZES
    bar.begin(len(sizes) + 11)
    figures = []
    for size in sizes:
        bar.describe(f"state of {size}")
        state = 4 * len(City("SEASIDE", 1, size.locals_, size.merchants).state)
        figures.append(Figure(f"state of {size}", "bytes", (state,), at_most=STATE_MAX if size == SIZES[0] else None))
        bar.step()
    if workbench.micropython is None:
        return [*figures, Figure("heap of a board", "bytes", note=workbench.missing_reason)]
    return figures + _in_use(workbench, bar) + _import(workbench, bar)


def _in_use(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    bar.describe("10,000 ticks on MicroPython")
    measured = json.loads(
        workbench.output(workbench.on_micropython("memory.py", workbench.core(), heap=f"{_SEARCH_KIB[1]}k"))
    )
    bar.step()
    crossings = f"of {measured['crossings']:,} between two cities"
    return [
        Figure("heap for a city of 20+10", "bytes", (measured["city"],)),
        Figure("allocated in 10,000 ticks", "bytes", (measured["quiet"],), at_most=0),
        Figure("the same, with an open road", "bytes", (measured["still"],), at_most=0),
        Figure("allocated a crossing", "bytes", (measured["crossing"],), note="the mean " + crossings),
        Figure("the most for one crossing", "bytes", (measured["crossing_max"],), note=crossings),
    ]


def _import(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    lines = workbench.output(workbench.with_firmware(_PROGRAM, _STAND_INS, f"{_SEARCH_KIB[1]}k")).splitlines()
    used = json.loads(lines[-1])  # the lines before it are the log
    built_in = used["stand_ins"] - used["before"]
    low, high = _SEARCH_KIB
    while high - low > 1:
        middle = (low + high) // 2
        bar.describe(f"start in {middle}k")
        command = workbench.with_firmware(_PROGRAM, _STAND_INS, middle * 1024 + built_in)
        done = subprocess.run(command, capture_output=True)
        low, high = (low, middle) if done.returncode == 0 else (middle, high)
        bar.step()
    return [
        Figure(
            "heap for the firmware",
            "bytes",
            (used["modules"] - used["stand_ins"],),
            note="all modules that stay loaded",
        ),
        Figure("heap for the stand-ins", "bytes", (built_in,), note="a board has them built in"),
        Figure("least heap to start in", "KiB", (high,), at_most=HEAP_KIB, note="until a city is born"),
    ]
