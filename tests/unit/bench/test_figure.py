"""bench/figure.py and bench/tables.py: arithmetic, targets, JSON form, rows of tables."""

import json

from deskonomy_host.bench import tables
from deskonomy_host.bench.figure import Figure, ratios


def test_median_and_spread_of_values():
    figure = Figure("a", "ticks/s", (100.0, 90.0, 130.0))
    assert (figure.median, figure.spread) == (100.0, 40.0)
    assert Figure("a", "ticks/s", (5.0,)).spread is None
    assert Figure("a", "bytes", (0.0, 0.0)).spread is None


def test_figure_meets_target():
    assert Figure("a", "x", (2.0,)).met is None
    assert Figure("a", "x", (2.0,), at_least=2).met is True
    assert Figure("a", "x", (1.9,), at_least=2).met is False
    assert Figure("a", "x", (2.0,), at_most=2).met is True
    assert Figure("a", "x", (2.1,), at_most=2).met is False
    assert Figure("a", "x", (0,), at_most=0).met is True


def test_figure_without_values_is_not_measured():
    figure = Figure("a", "x", at_least=2, note="no MicroPython")
    assert (figure.median, figure.spread, figure.met) == (None, None, None)
    assert json.loads(json.dumps(figure.as_dict())) == {
        "name": "a",
        "unit": "x",
        "median": None,
        "lowest": None,
        "highest": None,
        "rounds": 0,
        "at_least": 2,
        "at_most": None,
        "met": None,
        "note": "no MicroPython",
    }


def test_ratio_is_that_of_one_round():
    assert ratios((10.0, 30.0), (5.0, 10.0)) == (2.0, 3.0)


def test_numbers_have_three_significant_digits():
    texts = [
        tables.format_number(value) for value in (None, 0, 3, 0.0123456, 1.7345, 12.34, 999.96, 1234.5, 1_083_509.5)
    ]
    assert texts == ["-", "0", "3", "0.0123", "1.73", "12.3", "1000.0", "1,234", "1,083,510"]


def test_table_states_which_targets_are_met(capsys):
    figures = [
        Figure("fast", "x", (3.0, 3.2), at_least=2),
        Figure("slow", "x", (1.0, 1.2), at_least=2, note="short note"),
        Figure("absent", "x", at_most=2, note="short note"),
    ]
    tables.print_tables({"Weather": figures}, {"quick": False, "seconds": 1.0, "machine": MACHINE})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:5] == [
        "Weather",
        "fast 3.1 x ± 3.2 % ≥ 2: met",
        "slow 1.1 x ± 9.1 % ≥ 2: not met",
        "absent - x ≤ 2: not measured",
        "slow; absent: short note",
    ]
    assert "1 of 3 targets are met, 1 not measured" in lines


MACHINE = {"cores": 2, "architecture": "x86_64", "system": "Linux", "python": "3.11"}
