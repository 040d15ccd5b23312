"""How fast cities tick, on every engine and for the oracle, and how that grows with a city's size.

Here: who is compared, and at which sizes and ages. All take turns, round by round, so that whatever else this machine
does hits all alike; a ratio is that of one round. Not here: the ticking (programs/ticks.py).
"""

from dataclasses import dataclass
from importlib.util import find_spec

from deskonomy_host import paths
from deskonomy_host.bench.figure import Figure, ratios
from deskonomy_host.bench.stage import NO_NATIVE

ACTS = 0.1  # of all residents, in a tick


@dataclass(frozen=True)
class Engine:
    """Who ticks. kind: as programs/ticks.py knows it. locals_max: larger cities would take it too long.

    at_least: how many times as fast as the oracle on the same interpreter it must be.
    """

    interpreter: str
    name: str
    kind: str
    locals_max: int
    at_least: float | None = None

    def __str__(self):
        return f"{self.interpreter} {self.name}"


ENGINES = (
    Engine("CPython", "oracle", "oracle", 200),
    Engine("CPython", "plain", "plain", 10_000, at_least=2),
    Engine("CPython", "numba", "numba", 100_000, at_least=60),
    Engine("MicroPython", "oracle", "oracle", 200),
    Engine("MicroPython", "bytecode", "kernel", 10_000),
    Engine("MicroPython", "viper", "kernel", 100_000, at_least=20),
)
FAST = ("numba", "viper")


@dataclass(frozen=True)
class Size:
    """Cities to tick. age, ticks: from that tick on, for so many. cities: one after the other, for a fair mean."""

    locals_: int
    age: int
    ticks: int
    cities: int = 1

    @property
    def merchants(self):
        return self.locals_ // 2

    def __str__(self):
        return f"{self.locals_:,}+{self.merchants:,}"


SIZES = (Size(20, 500, 1000), Size(200, 50, 50), Size(10_000, 50, 50), Size(100_000, 50, 50))
# One of 100,000 costs more while it is young, so these are all of the same age.
GROWTH = (Size(200, 50, 50, cities=8), Size(10_000, 50, 50), Size(100_000, 50, 50))
NEWBORN = Size(10_000, 0, 1)


def engines(stage, bar):
    """Ticks a second of every engine at every size, and how many times the oracle's that is."""
    sizes = SIZES[:2] if stage.quick else SIZES
    us = _measure(
        stage, bar, [(engine, size) for size in sizes for engine in ENGINES if size.locals_ <= engine.locals_max]
    )
    figures = []
    for (engine, size), spent in us.items():
        figures.append(Figure(f"{engine}, {size}", "ticks/s", tuple(1e6 / one for one in spent)))
        baseline = us.get((_oracle(engine), size))
        if baseline and engine.kind != "oracle":
            times = ratios(baseline, spent)
            figures.append(Figure(f"{engine}, {size}", "x oracle", times, at_least=engine.at_least))
    if not stage.quick:
        oracle = ENGINES[0]
        bar.doing(f"{oracle}, {NEWBORN}, one tick")
        rate = 1e6 / _ask(stage, oracle, NEWBORN)
        figures.append(Figure(f"{oracle}, {NEWBORN}", "ticks/s", (rate,), note="its first tick, once"))
    return figures + _absent(stage)


def growth(stage, bar):
    """Nanoseconds of a tick for each resident who acts in it, on the fast engines, by size."""
    sizes = GROWTH[:2] if stage.quick else GROWTH
    us = _measure(stage, bar, [(engine, size) for size in sizes for engine in ENGINES if engine.name in FAST])
    figures = []
    for engine in dict.fromkeys(engine for engine, _ in us):
        ns = {
            size: [one * 1000 / (ACTS * (size.locals_ + size.merchants)) for one in us[engine, size]] for size in sizes
        }
        for size in sizes:
            figures.append(Figure(f"{engine}, {size}", "ns", tuple(ns[size])))
        times = ratios(ns[sizes[-1]], ns[sizes[0]])
        figures.append(Figure(f"{engine}, {sizes[-1]}", f"x {sizes[0]}", times, at_most=2))
    return figures


def words(stage, engine):
    """How to start programs/ticks.py for this engine."""
    oracle = str(paths.BENCH_PROGRAMS)
    if engine.interpreter == "CPython":
        return stage.on_cpython("ticks.py", engine.kind, oracle)
    if engine.kind == "oracle":
        # In a larger heap it is slower: it leaves more to clear away, and less of it in the processor's cache.
        return stage.on_micropython("ticks.py", engine.kind, oracle, heap="1m")
    firmware = stage.core(native=engine.name == "viper")
    return stage.on_micropython("ticks.py", engine.kind, firmware, heap="128m")


def why_not(stage, engine):
    """Why this engine cannot take part here; "" if it can."""
    if engine.interpreter == "MicroPython" and stage.micropython is None:
        return stage.why_none
    if engine.name == "viper" and stage.architecture is None:
        return NO_NATIVE
    if engine.name == "numba" and find_spec("numba") is None:
        return "not installed; type: pip install 'deskonomy[fast]'"
    return ""


def _measure(stage, bar, pairs):
    """{(engine, size): [microseconds a tick, one a round]} of those of the pairs that can take part."""
    pairs = [(engine, size) for engine, size in pairs if not why_not(stage, engine)]
    us = {pair: [] for pair in pairs}
    bar.begin(stage.rounds * len(pairs))
    for number in range(stage.rounds):
        for engine, size in pairs:
            bar.doing(f"{engine}, {size}, round {number + 1} of {stage.rounds}")
            us[engine, size].append(_ask(stage, engine, size))
            bar.step()
    return us


def _ask(stage, engine, size):
    """Microseconds a tick."""
    least_us = 10_000 if stage.quick else 200_000
    player = stage.player(words(stage, engine))
    return player.ask(size.locals_, size.merchants, size.cities, size.age, size.ticks, least_us)


def _oracle(engine):
    return next(other for other in ENGINES if other.kind == "oracle" and other.interpreter == engine.interpreter)


def _absent(stage):
    """What is said of those who cannot take part."""
    return [Figure(str(engine), "ticks/s", note=why) for engine in ENGINES if (why := why_not(stage, engine))]
