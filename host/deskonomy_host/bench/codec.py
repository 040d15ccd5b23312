"""How fast merchants become lines and lines merchants, on either interpreter.

Here: who is asked. Not here: the merchant (programs/codec.py), sockets (road.py).
"""

from deskonomy_host.bench.figure import Figure


def codec(stage, bar):
    """Merchants a second, encoded and decoded."""
    count = 100 if stage.quick else 2000
    players = {"CPython": stage.on_cpython("codec.py")}
    if stage.micropython is not None:
        players["MicroPython"] = stage.on_micropython("codec.py", stage.core())
    bar.begin(stage.rounds * len(players))
    answers = {name: [] for name in players}
    for _ in range(stage.rounds):
        for name, words in players.items():
            bar.doing(name)
            answers[name].append(stage.player(words).ask(count))
            bar.step()
    figures = []
    for name, rounds in answers.items():
        for index, done in enumerate(("encodes", "decodes")):
            rates = tuple(1e6 / one[index] for one in rounds)
            figures.append(Figure(f"{name} {done}", "merchants/s", rates, note=f"{rounds[0][2]} bytes a line"))
    if stage.micropython is None:
        figures.append(Figure("MicroPython", "merchants/s", note=stage.why_none))
    return figures
