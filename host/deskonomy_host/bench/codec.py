"""The speed of encoding and decoding merchant lines, on both interpreters.

Here: which interpreters. Not here: the merchant (programs/codec.py), sockets (road.py).
"""

from deskonomy_host.bench.figure import Figure
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.workbench import Workbench


def codec(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure merchants a second, encoded and decoded."""
    count = 100 if workbench.quick else 2000
    commands = {"CPython": workbench.on_cpython("codec.py")}
    if workbench.micropython is not None:
        commands["MicroPython"] = workbench.on_micropython("codec.py", workbench.core())
    bar.begin(workbench.rounds * len(commands))
    answers = {name: [] for name in commands}
    for _ in range(workbench.rounds):
        for name, command in commands.items():
            bar.describe(name)
            answers[name].append(workbench.responder(command).ask(count))
            bar.step()
    figures = []
    for name, rounds in answers.items():
        for index, done in enumerate(("encodes", "decodes")):
            rates = tuple(1e6 / answer[index] for answer in rounds)
            figures.append(Figure(f"{name} {done}", "merchants/s", rates, note=f"{rounds[0][2]} bytes a line"))
    if workbench.micropython is None:
        figures.append(Figure("MicroPython", "merchants/s", note=workbench.missing_reason))
    return figures
