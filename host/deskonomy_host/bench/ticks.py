"""Ticks a second on each engine and of the reference model, and their growth with the size of a city.

Here: which engines, sizes and ages are compared. All take turns, round by round, so that other work of the machine
affects all of them; a ratio is that of one round. Not here: the ticking (programs/ticks.py).
"""

from dataclasses import dataclass
from importlib.util import find_spec

from deskonomy_host import paths
from deskonomy_host.bench.figure import Figure, ratios
from deskonomy_host.bench.tables import ProgressBar
from deskonomy_host.bench.workbench import NO_MACHINE_CODE, Workbench
from deskonomy_host.extras import explain_install

ACTING_SHARE = 0.1  # of all residents, in a tick


@dataclass(frozen=True)
class Engine:
    """A contestant.

    Attributes:
        interpreter, name: together unique.
        mode: the argument of programs/ticks.py.
        locals_max: larger cities take it too long.
        at_least: the target, in multiples of the reference model's speed on the same interpreter.
    """

    interpreter: str
    name: str
    mode: str
    locals_max: int
    at_least: float | None = None

    def __str__(self) -> str:
        return f"{self.interpreter} {self.name}"


ENGINES = (
    Engine("CPython", "reference", "reference", 200),
    Engine("CPython", "plain", "plain", 10_000, at_least=2),
    Engine("CPython", "numba", "numba", 100_000, at_least=60),
    Engine("MicroPython", "reference", "reference", 200),
    Engine("MicroPython", "bytecode", "kernel", 10_000),
    Engine("MicroPython", "viper", "kernel", 100_000, at_least=20),
)
FAST = ("numba", "viper")


@dataclass(frozen=True)
class Size:
    """The cities to tick.

    Attributes:
        locals_: locals of each city.
        age: the tick at which the measurement begins.
        ticks: its length.
        cities: how many cities tick, one after the other, for a better mean.
    """

    locals_: int
    age: int
    ticks: int
    cities: int = 1

    @property
    def merchants(self) -> int:
        """Merchants of each city."""
        return self.locals_ // 2

    def __str__(self) -> str:
        return f"{self.locals_:,}+{self.merchants:,}"


SIZES = (Size(20, 500, 1000), Size(200, 50, 50), Size(10_000, 50, 50), Size(100_000, 50, 50))
# A city of 100,000 locals costs more while it is young, so these have the same age.
GROWTH = (Size(200, 50, 50, cities=8), Size(10_000, 50, 50), Size(100_000, 50, 50))
NEWBORN = Size(10_000, 0, 1)


def engines(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure ticks a second of each engine at each size, and the ratio to the reference model."""
    sizes = SIZES[:2] if workbench.quick else SIZES
    us = _measure(
        workbench, bar, [(engine, size) for size in sizes for engine in ENGINES if size.locals_ <= engine.locals_max]
    )
    figures = []
    for (engine, size), spent in us.items():
        figures.append(Figure(f"{engine}, {size}", "ticks/s", tuple(1e6 / spent_us for spent_us in spent)))
        baseline = us.get((_reference(engine), size))
        if baseline and engine.mode != "reference":
            times = ratios(baseline, spent)
            figures.append(Figure(f"{engine}, {size}", "x reference", times, at_least=engine.at_least))
    if not workbench.quick:
        reference = ENGINES[0]
        bar.describe(f"{reference}, {NEWBORN}, one tick")
        rate = 1e6 / _ask(workbench, reference, NEWBORN)
        figures.append(Figure(f"{reference}, {NEWBORN}", "ticks/s", (rate,), note="its first tick, once"))
    return figures + _absent(workbench)


def growth(workbench: Workbench, bar: ProgressBar) -> list[Figure]:
    """Measure the nanoseconds of a tick for each acting resident, on the fast engines, by size."""
    sizes = GROWTH[:2] if workbench.quick else GROWTH
    us = _measure(workbench, bar, [(engine, size) for size in sizes for engine in ENGINES if engine.name in FAST])
    figures = []
    for engine in dict.fromkeys(engine for engine, _ in us):
        ns = {
            size: [spent_us * 1000 / (ACTING_SHARE * (size.locals_ + size.merchants)) for spent_us in us[engine, size]]
            for size in sizes
        }
        for size in sizes:
            figures.append(Figure(f"{engine}, {size}", "ns", tuple(ns[size])))
        times = ratios(ns[sizes[-1]], ns[sizes[0]])
        figures.append(Figure(f"{engine}, {sizes[-1]}", f"x {sizes[0]}", times, at_most=2))
    return figures


def command(workbench: Workbench, engine: Engine) -> list[str]:
    """Return the command that runs programs/ticks.py for this engine."""
    programs = str(paths.BENCH_PROGRAMS)
    if engine.interpreter == "CPython":
        return workbench.on_cpython("ticks.py", engine.mode, programs)
    if engine.mode == "reference":
        # A larger heap makes it slower: more to collect, and less of it in the processor's cache.
        return workbench.on_micropython("ticks.py", engine.mode, programs, heap="1m")
    firmware = workbench.core(native=engine.name == "viper")
    return workbench.on_micropython("ticks.py", engine.mode, firmware, heap="128m")


def missing_reason(workbench: Workbench, engine: Engine) -> str:
    """Return why this engine cannot run here; "" if it can."""
    if engine.interpreter == "MicroPython" and workbench.micropython is None:
        return workbench.missing_reason
    if engine.name == "viper" and workbench.architecture is None:
        return NO_MACHINE_CODE
    if engine.name == "numba" and find_spec("numba") is None:
        return f"not installed; {explain_install('fast')}"
    return ""


def _measure(workbench, bar, pairs):
    """Return {(engine, size): [microseconds a tick, one for each round]} of the engines that can run here."""
    pairs = [(engine, size) for engine, size in pairs if not missing_reason(workbench, engine)]
    us: dict[tuple[Engine, Size], list[float]] = {pair: [] for pair in pairs}
    bar.begin(workbench.rounds * len(pairs))
    for number in range(workbench.rounds):
        for engine, size in pairs:
            bar.describe(f"{engine}, {size}, round {number + 1} of {workbench.rounds}")
            us[engine, size].append(_ask(workbench, engine, size))
            bar.step()
    return us


def _ask(workbench, engine, size):
    """Return microseconds a tick."""
    least_us = 10_000 if workbench.quick else 200_000
    responder = workbench.responder(command(workbench, engine))
    return responder.ask(size.locals_, size.merchants, size.cities, size.age, size.ticks, least_us)


def _reference(engine: Engine) -> Engine:
    """Return the reference model on the same interpreter."""
    return next(other for other in ENGINES if other.mode == "reference" and other.interpreter == engine.interpreter)


def _absent(workbench):
    """Return a figure without values for each engine that cannot run here."""
    return [
        Figure(str(engine), "ticks/s", note=reason)
        for engine in ENGINES
        if (reason := missing_reason(workbench, engine))
    ]
