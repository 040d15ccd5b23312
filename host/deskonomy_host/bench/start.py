"""The time from start to end of short commands: the help text, and a first tick.

Here: whole processes, as a user starts them. Not here: anything inside them.
"""

import os
import subprocess
import sys
import time

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.workbench import Workbench
from deskonomy_host.errors import OperationError

_DESKONOMY = [sys.executable, "-c", "import sys; from deskonomy_host.cli import main; sys.exit(main())"]
_RUN = [*_DESKONOMY, "run", "RIVERWOOD", "--ticks", "1", "--json"]
_STARTS = (
    ("CPython alone", [sys.executable, "-c", "pass"], None),
    ("deskonomy --help", [*_DESKONOMY, "--help"], 0.3),
    ("deskonomy run --ticks 1", _RUN, 1.0),
    ("deskonomy run --ticks 1 --speed max", [*_RUN, "--speed", "max"], 1.0),
)


def start(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure the seconds of each command; compiled code is kept from an earlier start."""
    runtime = workbench.folder / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}
    spent_s: dict[str, list[float]] = {name: [] for name, _, _ in _STARTS}
    bar.begin(len(_STARTS) * (1 + workbench.rounds))
    for number in range(1 + workbench.rounds):
        for name, command, _ in _STARTS:
            bar.describe(name)
            took_s = _time(command, environment)
            if number > 0:  # the first round fills caches
                spent_s[name].append(took_s)
            bar.step()
    return [Figure(name, "s", tuple(spent_s[name]), at_most=at_most) for name, _, at_most in _STARTS]


def _time(command: list[str], environment: dict[str, str]) -> float:
    before = time.perf_counter()
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise OperationError(f"{command[-1]} ended with {done.returncode}: {done.stderr.strip()}")
    return time.perf_counter() - before
