"""The city after Ctrl-C: `city` and `help()` at the REPL and by `mpremote resume exec`, as docs/board.md has them."""

import re
import threading

import pytest
from helpers.commands import PATIENCE_S
from helpers.repository import REPO

PAGE = (REPO / "docs" / "board.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def look(board, mpremote):
    """Return a function that executes a line on the stopped board and returns what it prints."""
    return lambda line: mpremote(board.serial, "resume", "exec", line)


def wait_for_line(loop, board, pattern, action):
    """Let the board print a line that matches, by this action; the board keeps its latest lines only."""
    printed = threading.Event()
    loop.call(setattr, board, "on_line", lambda line: printed.set() if re.search(pattern, line) else None)
    action()
    assert printed.wait(PATIENCE_S), board.lines


def test_line_after_ctrl_c_names_city_and_help(loop, board, look):
    line = r"^DESKTOWN stands still: city looks at it, help\(\) says how, Ctrl-D starts it again$"
    wait_for_line(loop, board, line, lambda: look("pass"))


def test_every_documented_line_works(look):
    lines = re.search(r"```\nmpremote resume exec \"print\(city\)\"\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
    lines = [line.split("    ")[0].strip() for line in lines if line.startswith(">>> ")]
    assert len(lines) == 4
    for line in lines:
        assert "Error" not in look("print(%s)" % line.removeprefix(">>> "))


def test_city_that_stands_still_has_its_status_and_residents(look):
    assert re.fullmatch(r"DESKTOWN at tick \d+, with 30 residents", look("print(city)"))
    assert look("print(city)") == look("print(city)")
    fields = "city.status['city'], city['yield']['wood'], city.sensors['light']['raw'], len(city)"
    assert look(f"print({fields})") == "DESKTOWN 1.0 2050 30"
    assert look("print(abs(sum([city[n]['money'] for n in range(20)]) - city.money['locals']) < 0.001)") == "True"
    assert look("print([resident['merchant'] for resident in city if 'merchant' in resident])").count("'") == 20


def test_unknown_attribute_names_those_that_are_there(look):
    assert "a city has status, config, address, city, digest" in look(
        "try:\n  city.prices\nexcept AttributeError as error:\n  print(error)"
    )


def test_config_is_shown_without_key_and_passwords(look):
    keys = look("print(sorted(city.config))")
    assert "'sensors'" in keys and "wifi" not in keys and "'key'" not in keys


def test_help_says_where_to_begin_and_explains_objects_as_before(look):
    assert 'city.price["wood"]' in look("help()")
    assert "object 5 is of type int" in look("help(5)")


def test_ctrl_d_starts_city_again(loop, board, look):
    look("pass")
    # A city that has not traded yet may not be saved yet.
    start = "DESKTOWN (goes on from tick|is born)"
    wait_for_line(loop, board, start, lambda: loop.call(board.machine.send, b"\x04"))
