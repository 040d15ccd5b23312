"""How many merchants a second one road carries from one host process to another, and in how much memory.

Here: the two processes. Not here: what they do (harbour.py), roads to a board (board.py).
"""

import contextlib
import json
import subprocess
import sys

from deskonomy_host.bench.figure import Figure
from deskonomy_host.errors import OperationError

_HARBOUR = [sys.executable, "-m", "deskonomy_host.bench.harbour"]


def road(stage, bar):
    """Merchants a second over one loopback road; the receiver's peak memory, and how much that grew on the way."""
    count = 200 if stage.quick else 5000
    bar.begin(stage.rounds)
    with contextlib.ExitStack() as stack:
        receiver = _start(stack, "receive", count, stage.rounds)
        port = _line(receiver)
        _start(stack, "send", port)
        rounds = []
        for number in range(stage.rounds):
            bar.doing(f"round {number + 1} of {stage.rounds}")
            rounds.append(_line(receiver))
            bar.step()
    peaks = [one["peak_kib"] for one in rounds]
    return [
        Figure("carried", "merchants/s", tuple(one["merchants_per_s"] for one in rounds), at_least=5000),
        Figure("receiver's peak memory", "KiB", (peaks[-1],)),
        Figure("grown since round 1", "KiB", (peaks[-1] - peaks[0],), note=f"{count * (len(rounds) - 1):,} merchants"),
    ]


def _start(stack, *words):
    process = subprocess.Popen(
        [*_HARBOUR, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us, who then end it
    )
    stack.callback(process.communicate)
    stack.callback(process.kill)
    return process


def _line(process):
    line = process.stdout.readline()
    if not line:
        said = process.stderr.read().strip().splitlines()
        raise OperationError(f"the road did not last: {said[-1] if said else 'no reason given'}")
    return json.loads(line)
