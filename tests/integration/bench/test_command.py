"""`deskonomy bench` as a user types it: that everything works and what it prints, never a speed."""

import json
import os
import subprocess
import sys

import pytest
from deskonomy_host.bench import SECTIONS

PATIENCE_S = 900
COMMAND = [sys.executable, "-c", "import sys; from deskonomy_host.cli import main; sys.exit(main())", "bench"]
KEYS = {"name", "unit", "median", "lowest", "highest", "rounds", "at_least", "at_most", "met", "note"}


def bench(*arguments, **environment):
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def result(micropython):
    """The result of every section, as JSON."""
    done = bench("--quick", "--json", DESKONOMY_MICROPYTHON=micropython)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_result_has_every_section(result):
    assert set(result) == {"quick", "seconds", "machine", "sections"}
    assert result["quick"] is True
    assert list(result["sections"]) == list(SECTIONS)
    assert all(result["sections"].values())


@pytest.mark.parametrize("section", SECTIONS)
def test_figures_have_the_documented_form(result, section):
    figures = result["sections"][section]
    for figure in figures:
        assert set(figure) == KEYS
        if figure["rounds"]:
            assert 0 <= figure["lowest"] <= figure["median"] <= figure["highest"], figure
        else:
            assert figure["note"], figure
        is_target = figure["at_least"] is not None or figure["at_most"] is not None
        assert (figure["met"] is not None) == bool(is_target and figure["rounds"]), figure
    names = [(figure["name"], figure["unit"]) for figure in figures]
    assert len(set(names)) == len(names)


def test_every_engine_is_measured(result):
    names = [figure["name"] for figure in result["sections"]["engines"] if figure["rounds"]]
    for name in (
        "CPython reference",
        "CPython plain",
        "MicroPython reference",
        "MicroPython bytecode",
        "MicroPython viper",
    ):
        assert f"{name}, 20+10" in names


def test_tables_fit_a_terminal():
    done = bench("--quick", "--only", "codec", "--only", "start", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in [title for title, _, _ in SECTIONS.values()]] == [
        SECTIONS["codec"][0],
        SECTIONS["start"][0],
    ]
    assert max(map(len, lines)) <= 80


def test_bench_without_micropython_states_what_is_missing(tmp_path):
    done = bench("--quick", "--json", "--only", "engines", DESKONOMY_MICROPYTHON=str(tmp_path / "none"))
    assert done.returncode == 0
    figures = {figure["name"]: figure for figure in json.loads(done.stdout)["sections"]["engines"]}
    assert figures["CPython plain, 20+10"]["rounds"] == 2
    assert "no MicroPython" in figures["MicroPython viper"]["note"]


def test_unknown_section_is_invalid():
    done = bench("--only", "weather")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "engines" in done.stderr and "weather" in done.stderr


def test_help_names_every_section():
    text = " ".join(bench("--help").stdout.split())
    assert f"{', '.join(list(SECTIONS)[:-1])} or {list(SECTIONS)[-1]}" in text
