"""Which engine runs a world if nobody says: the one that is done first, or keeps the pace."""

import pytest
from deskonomy_host.world import engines as engine


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
def test_the_engine_that_is_done_first(monkeypatch, residents, ticks_per_s, ticks, name):
    monkeypatch.setattr(engine, "available", lambda: engine.ENGINES)
    assert engine.choose(residents, ticks_per_s, ticks) == name


def test_without_the_extra_there_is_no_choice(monkeypatch):
    monkeypatch.setattr(engine, "available", lambda: ("plain",))
    assert engine.choose(15_000, None) == "plain"
