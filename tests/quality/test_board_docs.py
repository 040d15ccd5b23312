"""docs/board.md and boards/README.md agree with the firmware: sensor kinds, examples, messages, pins."""

import ast
import re
import tomllib

import pytest
from deskonomy_board import config
from deskonomy_host import paths
from deskonomy_host.boards.spec import catalog, pins
from deskonomy_host.boards.spec import options as board_settings
from deskonomy_host.boards.spec.defaults import fill_defaults
from deskonomy_host.boards.spec.sensors import SENSORS
from helpers import stubs
from helpers.repository import REPO

PAGE = (REPO / "docs" / "board.md").read_text(encoding="utf-8")


def read_rows(heading):
    """Return the cells of each row of the table below a heading."""
    below = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ")[0].split("\n\n")
    table = next(part for part in below if part.startswith("|"))
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]


def find_code(cell):
    return re.findall(r"`([^`]+)`", cell)


def format_quantities(spec, format_quantity):
    """Return a cell of the table of sensors: the values of the only quantity, or of each with its name."""
    if len(spec.quantities) == 1:
        return format_quantity(spec.quantities[0])
    return "<br>".join("%s %s" % (quantity.name, format_quantity(quantity)) for quantity in spec.quantities)


def format_range(quantity):
    return "`low` to `high`" if quantity.lowest is None else "%d to %d" % (quantity.lowest, quantity.highest)


def format_usual(quantity):
    return "%d, %d" % (quantity.low, quantity.high)


def test_table_of_sensors_agrees_with_the_firmware():
    rows = read_rows("Sensors")
    assert [find_code(kind)[0] for kind, *_ in rows] == list(SENSORS)
    for kind, _, readings, usual, wiring, _ in rows:
        spec = SENSORS[find_code(kind)[0]]
        assert readings == format_quantities(spec, format_range)
        assert usual == format_quantities(spec, format_usual)
        assert all(setting in wiring for setting in spec.options if setting == "address"), wiring


def test_examples_are_sensors_of_every_kind():
    sensors = []
    for kind, *_, examples in read_rows("Sensors"):
        of_kind = [fill_defaults(board_settings.parse_sensor(text)) for text in find_code(examples)]
        assert {sensor["kind"] for sensor in of_kind} == set(find_code(kind))
        sensors += of_kind
    catalog.check_config({"city": "DESKTOWN", "sensors": sensors})
    for name in ("ESP32_GENERIC", "SIMULATED"):
        board = catalog.load_board(name)
        assert [pins.explain_misplaced(sensor, board) for sensor in sensors] == [None] * len(sensors)


@pytest.mark.parametrize("name", stubs.CHIPS)
def test_pins_in_boards_readme_are_those_of_the_board(name):
    readme = (paths.BOARDS / "README.md").read_text(encoding="utf-8")
    rows = [row for row in readme.splitlines() if row.startswith(f"| `{name}` |")]
    light, analog, touch = [cell.strip().removeprefix("GPIO") for cell in rows[0].split("|")[5:8]]
    board = catalog.load_board(name)
    assert board.light["pin"] == int(light)
    inputs, outputs = [cell.strip() for cell in rows[1].split("|")[2:4]]
    outputs = inputs if outputs == "the same" else outputs
    digital = {"in": parse_numbers(inputs), "out": parse_numbers(outputs)}
    analog = sorted([int(light), *parse_numbers(analog)])
    assert board.pins == {"adc": analog, "touch": parse_numbers(touch), **digital}


def parse_numbers(text):
    """Return [1, 2, 5, 6, 7] for "1, 2, 5 to 7"."""
    spans = [span.split(" to ") for span in text.split(", ") if span != "none"]
    return [number for span in spans for number in range(int(span[0]), int(span[-1]) + 1)]


def test_commands_have_options_that_setup_accepts():
    commands = [line for line in PAGE.splitlines() if line.startswith("deskonomy board setup")]
    assert len(commands) == 3
    for command in commands:
        for option, text in re.findall(r'--(sensor|indicator) "([^"]+)"', command):
            getattr(board_settings, "parse_" + option)(text)


def test_file_has_settings_that_setup_accepts(tmp_path):
    (file,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "board.toml").write_text(file, encoding="utf-8")
    settings = board_settings.read_file(tmp_path / "board.toml")
    assert set(settings) == set(tomllib.loads(file)) and len(settings["sensors"]) == 2
    others = re.findall(r"A file may also hold (.*?)\. An", PAGE, re.DOTALL)[0]
    other_settings = {code for code in find_code(others) if code.isidentifier()}
    assert other_settings | set(settings) == {"city", *config.DEFAULTS}


def message_patterns():
    """Return a pattern for each text of the firmware that may be a message, with any text for what it fills in."""
    files = [file for folder in ("deskonomy_board", "deskonomy") for file in (paths.FIRMWARE / folder).rglob("*.py")]
    patterns = []
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = re.split(r"%\w+", node.value.strip())
            if sum(map(len, parts)) > 10:
                patterns.append(".*".join(map(re.escape, parts)))
    return patterns


@pytest.mark.parametrize("message", [find_code(row[0])[0] for row in read_rows("Messages and what helps")])
def test_message_is_in_the_firmware(message):
    assert any(re.fullmatch(pattern, message) for pattern in message_patterns())
