"""docs/board.md: the firmware takes each example, and says each line of the console; boards/README.md: each pin."""

import ast
import re
import tomllib

import pytest
from deskonomy_board import config
from deskonomy_host import paths
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.boards.spec import options as board_settings
from deskonomy_host.boards.spec import pins
from deskonomy_host.boards.spec.defaults import filled
from helpers import stubs
from helpers.repository import REPO

PAGE = (REPO / "docs" / "board.md").read_text(encoding="utf-8")


def rows(heading):
    """The cells of each row of the table below a heading."""
    below = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ")[0].split("\n\n")
    table = next(part for part in below if part.startswith("|"))
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_examples_are_sensors_of_every_kind():
    found = []
    for kinds, _, _, examples in rows("Sensors"):
        made = [filled(board_settings.sensor(word)) for word in quoted(examples)]
        assert sorted({one["kind"] for one in made}) == sorted(quoted(kinds))
        found += made
    assert {one["kind"] for one in found} == set(config._KINDS)
    boards.check({"city": "DESKTOWN", "sensors": found})
    for name in ("ESP32_GENERIC", "SIMULATED"):
        assert [pins.why_not(one, boards.load(name)) for one in found] == [None] * len(found)


@pytest.mark.parametrize("name", stubs.CHIPS)
def test_the_pins_of_a_board_are_those_of_its_table(name):
    readme = (paths.BOARDS / "README.md").read_text(encoding="utf-8")
    row = next(row for row in readme.splitlines() if row.startswith(f"| `{name}` |"))
    light, more, touch = [cell.strip().removeprefix("GPIO") for cell in row.split("|")[5:8]]
    board = boards.load(name)
    assert board.light["pin"] == int(light)
    row = [row for row in readme.splitlines() if row.startswith(f"| `{name}` |")][1]
    reads, writes = [cell.strip() for cell in row.split("|")[2:4]]
    writes = reads if writes == "the same" else writes
    digital = {"in": numbers(reads), "out": numbers(writes)}
    assert board.pins == {"adc": sorted([int(light), *numbers(more)]), "touch": numbers(touch), **digital}


def numbers(words):
    """[1, 2, 5, 6, 7] of "1, 2, 5 to 7"."""
    spans = [word.split(" to ") for word in words.split(", ") if word != "none"]
    return [number for span in spans for number in range(int(span[0]), int(span[-1]) + 1)]


def test_the_commands_are_ones_that_setup_takes():
    words = [line for line in PAGE.splitlines() if line.startswith("deskonomy board setup")]
    assert len(words) == 3
    for line in words:
        for option, word in re.findall(r'--(sensor|indicator) "([^"]+)"', line):
            getattr(board_settings, option)(word)


def test_the_file_is_one_that_setup_takes(tmp_path):
    (file,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "board.toml").write_text(file, encoding="utf-8")
    said = board_settings.read(tmp_path / "board.toml")
    assert set(said) == set(tomllib.loads(file)) and len(said["sensors"]) == 2
    more = re.findall(r"A file may also hold (.*?)\. What", PAGE, re.DOTALL)[0]
    settings = {word for word in quoted(more) if word.isidentifier()}
    assert settings | set(said) == {"city", *config._DEFAULTS}


def patterns():
    """A pattern for each text of the firmware that says something, and for what it fills in."""
    files = [file for folder in ("deskonomy_board", "deskonomy") for file in (paths.FIRMWARE / folder).rglob("*.py")]
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = re.split(r"%\w+", node.value.strip())
            if sum(map(len, parts)) > 10:
                yield ".*".join(map(re.escape, parts))


@pytest.mark.parametrize("line", [quoted(row[0])[0] for row in rows("What it says, and what helps")])
def test_the_console_says_so(line):
    assert any(re.fullmatch(pattern, line) for pattern in patterns())
