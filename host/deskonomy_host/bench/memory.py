"""Memory: how large a city's state is, and what city and firmware take of a board's heap.

Here: finding it from outside. Not here: what is found inside MicroPython (programs/memory.py, import_firmware.py).
On a 64-bit machine an object takes twice as much as on a board, so its heap of 112k stands for a board's 56 KiB.
"""

import json
import subprocess

from deskonomy.economy.city import City

from deskonomy_host import paths
from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.ticks import SIZES

HEAP_KIB = 112
STATE_MAX = 6 * 1024
_SEARCH_KIB = (16, 512)  # a heap too small, and one large enough
_STAND_INS = str(paths.BOARDS / "SIMULATED" / "stand_ins")


def memory(stage, bar):
    """Bytes of state; of heap; allocated while ticking and while merchants come and go; the peak of a start."""
    sizes = SIZES[:2] if stage.quick else SIZES
    bar.begin(len(sizes) + 11)
    figures = []
    for size in sizes:
        bar.doing(f"state of {size}")
        state = 4 * len(City("SEASIDE", 1, size.locals_, size.merchants).words)
        figures.append(Figure(f"state of {size}", "bytes", (state,), at_most=STATE_MAX if size == SIZES[0] else None))
        bar.step()
    if stage.micropython is None:
        return [*figures, Figure("heap of a board", "bytes", note=stage.why_none)]
    return figures + _in_use(stage, bar) + _import(stage, bar)


def _in_use(stage, bar):
    bar.doing("10,000 ticks on MicroPython")
    said = json.loads(stage.output(stage.on_micropython("memory.py", stage.core())))
    bar.step()
    crossings = f"of {said['crossings']:,} between two cities"
    return [
        Figure("heap for a city of 20+10", "bytes", (said["city"],)),
        Figure("allocated in 10,000 ticks", "bytes", (said["quiet"],), at_most=0),
        Figure("the same, with an open road", "bytes", (said["still"],), at_most=0),
        Figure("allocated a crossing", "bytes", (said["crossing"],), note="the mean " + crossings),
        Figure("the most for one crossing", "bytes", (said["crossing_max"],), note=crossings),
    ]


def _import(stage, bar):
    words = "import_firmware.py", stage.firmware(), _STAND_INS
    used = json.loads(stage.output(stage.on_micropython(*words, heap=f"{_SEARCH_KIB[1]}k")))
    built_in = used["stand_ins"] - used["before"]
    low, high = _SEARCH_KIB
    while high - low > 1:
        middle = (low + high) // 2
        bar.doing(f"start in {middle}k")
        done = subprocess.run(stage.on_micropython(*words, heap=middle * 1024 + built_in), capture_output=True)
        low, high = (low, middle) if done.returncode == 0 else (middle, high)
        bar.step()
    return [
        Figure("heap for the firmware", "bytes", (used["modules"] - used["stand_ins"],), note="all modules that stay"),
        Figure("heap for the stand-ins", "bytes", (built_in,), note="a board has them built in, so it comes on top"),
        Figure("least heap to start in", "KiB", (high,), at_most=HEAP_KIB, note="up to a city that is born"),
    ]
