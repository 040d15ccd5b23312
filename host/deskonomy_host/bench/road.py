"""Merchants a second on one road from one host process to another, and the memory that it takes.

Here: the two processes. Not here: what they run (stub_city.py), roads to a board (board.py).
"""

import contextlib
import json
import subprocess
import sys
from typing import Any

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.workbench import Workbench
from deskonomy_host.errors import OperationError

_STUB_CITY = [sys.executable, "-m", "deskonomy_host.bench.stub_city"]


def road(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure merchants a second over one loopback road, the receiver's peak memory, and its growth."""
    count = 200 if workbench.quick else 5000
    bar.begin(workbench.rounds)
    with contextlib.ExitStack() as stack:
        receiver = _start(stack, "receive", count, workbench.rounds)
        port = _line(receiver)
        _start(stack, "send", port)
        rounds = []
        for number in range(workbench.rounds):
            bar.describe(f"round {number + 1} of {workbench.rounds}")
            rounds.append(_line(receiver))
            bar.step()
    peaks = [result["peak_kib"] for result in rounds]
    return [
        Figure("carried", "merchants/s", tuple(result["merchants_per_s"] for result in rounds), at_least=5000),
        Figure("receiver's peak memory", "KiB", (peaks[-1],)),
        Figure("grown since round 1", "KiB", (peaks[-1] - peaks[0],), note=f"{count * (len(rounds) - 1):,} merchants"),
    ]


def _start(stack: contextlib.ExitStack, *arguments: object) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [*_STUB_CITY, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the others
    )
    stack.callback(process.communicate)
    stack.callback(process.kill)
    return process


def _line(process: "subprocess.Popen[str]") -> Any:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        lines = process.stderr.read().strip().splitlines() if process.stderr else []
        raise OperationError(f"the road ended: {lines[-1] if lines else 'no reason given'}")
    return json.loads(line)
