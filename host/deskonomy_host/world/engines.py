"""The kernel's engines on a host: the same source, as plain Python or compiled by numba, with the same bits.

Here: loading kernel.py for an engine. Not here: any rule. An engine is an object with the kernel's functions, for City.
"""

import importlib.util
import sys
from array import array
from types import ModuleType

from deskonomy import compat
from deskonomy.economy import kernel

from deskonomy_host.errors import OperationError

ENGINES = ("plain", "numba")
# What plain Python does with ease, in residents times ticks a second; loading compiled code pays above it.
_PLAIN_PACE = 100_000
_PLAIN_WORK = 800_000  # what it does while compiled code is being loaded, in residents times ticks


class Engine:
    """The kernel's functions, each taking a city's array('i')."""

    def __init__(self, name, run, appraise, consider, pay_locals):
        self.name = name
        self.run = run
        self.appraise = appraise
        self.consider = consider
        self.pay_locals = pay_locals


def available():
    """The names of the engines that can be used here, the fastest last."""
    return ENGINES if importlib.util.find_spec("numba") else ENGINES[:1]


def choose(residents, ticks_per_s, ticks=None):
    """The name of the engine that is done first, or keeps the pace.

    ticks_per_s: None for as fast as it goes. ticks: how many there will be, None for no end.
    """
    fast = ticks_per_s is None or residents * ticks_per_s > _PLAIN_PACE
    short = ticks is not None and residents * ticks <= _PLAIN_WORK
    return available()[-1] if fast and not short else "plain"


def engine(name):
    """The engine of this name, one of ENGINES. Raises OperationError if it is not installed."""
    if name not in available():
        raise OperationError(f"{name} is not installed; type: pip install 'deskonomy[fast]'")
    if name == "plain":
        return Engine("plain", _run_plain, kernel.appraise, kernel.consider, kernel.pay_locals)
    return _numba()


def _run_plain(words, ticks):
    """kernel.run; for many ticks on a list, whose items CPython reaches faster than an array's."""
    if ticks < 50:
        return kernel.run(words, ticks)
    state = words.tolist()
    done = kernel.run(state, ticks)
    words[:] = array("i", state)
    return done


def _numba():
    import numba
    import numpy

    compiled = sys.modules.get("deskonomy.kernel_numba") or _load_compiled(numba)

    def on_array(function):
        def call(words, number):
            # A view for this call only: an array with a lasting view could not grow.
            return function(numpy.frombuffer(words, dtype=numpy.int32), number)

        return call

    return Engine(
        "numba",
        on_array(compiled.run),
        on_array(compiled.appraise),
        on_array(compiled.consider),
        on_array(compiled.pay_locals),
    )


def _load_compiled(numba) -> ModuleType:
    """Load kernel.py once more, with numba's compiler in the place of viper; compiled code is kept on disk."""
    name = "deskonomy.kernel_numba"
    spec = importlib.util.spec_from_file_location(name, kernel.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    plain_viper, plain_ptr32 = compat.micropython.viper, compat.ptr32
    compat.micropython.viper = numba.njit(cache=True)
    compat.ptr32 = numba.njit(cache=True)(plain_ptr32)
    try:
        spec.loader.exec_module(module)
    finally:
        compat.micropython.viper, compat.ptr32 = plain_viper, plain_ptr32
    return module
