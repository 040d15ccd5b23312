"""The engine that runs a world by default: the one that finishes first, or that keeps the pace."""

import pytest
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
