"""The kernel's engines on a host: the same source as plain Python or compiled by numba, bit for bit the same.

Here: loading kernel.py for an engine, and the choice of an engine. Not here: any rule of the economy (deskonomy's
economy/kernel.py).
"""

import importlib.util
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from deskonomy import compat
from deskonomy.economy import kernel

from deskonomy_host.errors import OperationError
from deskonomy_host.extras import find_missing
from deskonomy_host.logs import ENGINE, log_event

ENGINES = ("plain", "numba")
_COMPILED_MODULE = "deskonomy.kernel_numba"
_FUNCTIONS = ("run", "appraise", "consider", "pay_locals")  # of kernel.py, in the order of Engine's attributes
# Residents times ticks a second that plain Python reaches with ease; above this pace, loading compiled code pays.
_PLAIN_PACE = 100_000
_PLAIN_WORK = 800_000  # residents times ticks that plain Python runs while compiled code is being loaded
_LIST_TICKS_MIN = 50  # from here on, copying the state array to a list and back takes less time than it saves


@dataclass(frozen=True)
class Engine:
    """A way to run the kernel: its functions, which take a city's state array and a number; see kernel.py."""

    name: str
    run: "Callable[[array[int], int], int]"
    appraise: "Callable[[array[int], int], object]"
    consider: "Callable[[array[int], int], int]"
    pay_locals: "Callable[[array[int], int], int]"


def list_engines() -> tuple[str, ...]:
    """Return the names of the engines that are installed, the fastest last."""
    return ENGINES if importlib.util.find_spec("numba") else ENGINES[:1]


def select_engine(residents: int, ticks_per_s: float | None, ticks: int | None = None) -> str:
    """Return the name of the engine that finishes first, or that keeps the pace.

    Args:
        residents: the number of residents of all cities.
        ticks_per_s: the pace; None for as fast as possible.
        ticks: the number of ticks to run; None for no end.
    """
    is_fast = ticks_per_s is None or residents * ticks_per_s > _PLAIN_PACE
    is_short = ticks is not None and residents * ticks <= _PLAIN_WORK
    return list_engines()[-1] if is_fast and not is_short else "plain"


def load_engine(name: str) -> Engine:
    """Return the engine of this name, one of ENGINES. Raises OperationError if it is not installed."""
    if name not in list_engines():
        raise OperationError(find_missing("fast") or f"there is no engine {name}")
    if name == "plain":
        return Engine("plain", _run_plain, kernel.appraise, kernel.consider, kernel.pay_locals)
    return _load_numba()


def _run_plain(state: "array[int]", ticks: int) -> int:
    """Run the kernel; many ticks run on a list, whose items CPython reads faster than those of an array."""
    if ticks < _LIST_TICKS_MIN:
        return kernel.run(state, ticks)
    numbers = state.tolist()
    done = kernel.run(numbers, ticks)
    state[:] = array("i", numbers)
    return done


def _load_numba() -> Engine:
    import numba
    import numpy

    compiled = sys.modules.get(_COMPILED_MODULE) or _compile_kernel(numba)

    def accept_array(function: Callable[[Any, int], int]) -> "Callable[[array[int], int], int]":
        def call(state: "array[int]", number: int) -> int:
            # A view for this call only: an array with a lasting view cannot grow.
            return function(numpy.frombuffer(state, dtype=numpy.int32), number)

        return call

    return Engine("numba", *(accept_array(getattr(compiled, name)) for name in _FUNCTIONS))


def _compile_kernel(numba: ModuleType) -> ModuleType:
    """Return the compiled kernel, which numba keeps on disk if it can; the log says so if it cannot."""
    try:
        return _load_compiled_kernel(numba, use_cache=True)
    except Exception as error:  # whatever a damaged or unwritable cache raises; a mistake in the kernel is raised below
        module = _load_compiled_kernel(numba, use_cache=False)
        reason = " ".join(str(error).split()) or type(error).__name__
        log_event(ENGINE, f"numba's cache cannot be used ({reason}); each start compiles the kernel anew")
        return module


def _load_compiled_kernel(numba: ModuleType, use_cache: bool) -> ModuleType:
    """Import kernel.py a second time, with numba's compiler in place of viper, and compile the functions of an Engine.

    They are compiled here and not by their first call, so that the cache is not touched once a city runs.
    """
    spec = importlib.util.spec_from_file_location(_COMPILED_MODULE, kernel.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    plain_viper, plain_ptr32 = compat.micropython.viper, compat.ptr32
    sys.modules[_COMPILED_MODULE] = module  # where code that comes from the cache looks for it
    try:
        compat.micropython.viper = numba.njit(cache=use_cache)
        compat.ptr32 = numba.njit(cache=use_cache)(plain_ptr32)
        spec.loader.exec_module(module)
        for name in _FUNCTIONS:
            getattr(module, name).compile((numba.int32[::1], numba.int64))
    except BaseException:
        del sys.modules[_COMPILED_MODULE]
        raise
    finally:
        compat.micropython.viper, compat.ptr32 = plain_viper, plain_ptr32
    return module
