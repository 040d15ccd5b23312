"""The engine that runs a world by default: the one that finishes first, or that keeps the pace."""

import sys
import types

import pytest
from deskonomy import compat
from deskonomy_host import logs
from deskonomy_host.world import engines


@pytest.mark.parametrize(
    "residents, ticks_per_s, ticks, name",
    [
        (30, None, None, "numba"),
        (30, None, 1, "plain"),
        (30, None, 5000, "plain"),
        (30, None, 100_000, "numba"),
        (15_000, None, 1000, "numba"),
        (30, 20, None, "plain"),
        (15_000, 20, None, "numba"),
        (15_000, 20, 1, "plain"),
    ],
)
def test_engine_that_finishes_first_is_selected(monkeypatch, residents, ticks_per_s, ticks, name):
    monkeypatch.setattr(engines, "list_engines", lambda: engines.ENGINES)
    assert engines.select_engine(residents, ticks_per_s, ticks) == name


def test_plain_engine_is_selected_without_numba(monkeypatch):
    monkeypatch.setattr(engines, "list_engines", lambda: ("plain",))
    assert engines.select_engine(15_000, None) == "plain"


class FakeNumba:
    """A numba whose cache fails: when a function is decorated ("decorate"), or when one is compiled ("compile")."""

    int64 = None

    def __init__(self, fails_at):
        self.int32 = memoryview(b"")
        self._fails_at = fails_at

    def njit(self, cache):
        def compile_function(signature):
            if cache and self._fails_at == "compile":
                raise OSError(28, "No space left on device")

        def decorate(function):
            if cache and self._fails_at == "decorate":
                raise RuntimeError("cannot cache function 'run': no locator available")
            copy = types.FunctionType(function.__code__, function.__globals__, function.__name__)
            copy.compile = compile_function
            return copy

        return decorate


@pytest.fixture
def compiled_modules():
    """Forget a kernel that was compiled, and take it back afterwards."""
    name = engines._COMPILED_MODULE
    before = sys.modules.pop(name, None)
    yield
    sys.modules.pop(name, None)
    if before:
        sys.modules[name] = before


@pytest.mark.parametrize(
    "fails_at, reason", [("", ""), ("decorate", "no locator available"), ("compile", "No space left on device")]
)
def test_kernel_is_compiled_without_cache_that_cannot_be_used(compiled_modules, fails_at, reason):
    found, viper = [], compat.micropython.viper
    with logs.attach(logs.LineHandler(found.append)):
        module = engines._compile_kernel(FakeNumba(fails_at))
    assert sys.modules[engines._COMPILED_MODULE] is module and callable(module.run)
    assert compat.micropython.viper == viper
    assert len(found) == bool(fails_at) and (not found or reason in found[0])


def test_mistake_in_kernel_is_raised(compiled_modules, monkeypatch):
    monkeypatch.setattr(engines, "_FUNCTIONS", ("run", "no_such_function"))
    with pytest.raises(AttributeError, match="no_such_function"):
        engines._compile_kernel(FakeNumba(""))
    assert engines._COMPILED_MODULE not in sys.modules
