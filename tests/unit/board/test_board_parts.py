"""The parts of board and host tool that need no board: console lines, constants put in, config.json."""

import pytest
from deskonomy.errors import ConfigError
from deskonomy_board import config
from deskonomy_host.boards.serial.lines import BoardConsole

STATUS = b'{"city": "A", "tick": 1, "price": {}, "yield": {}, "merchants": {}, "roads": {}}'


def test_console_lines_come_whole_however_the_bytes_come():
    text = b"on Wi-Fi\r\n\r\n" + STATUS + b"\r\nlog\n>>> "
    for cut in range(len(text) + 1):
        console = BoardConsole()
        lines = console.feed(text[:cut]) + console.feed(text[cut:])
        assert lines == ["on Wi-Fi", STATUS.decode(), "log"]
        assert console.status["city"] == "A"
        assert console.at_prompt


@pytest.mark.parametrize("line", [b"{", b'{"city": "A"}', b"{1}", b'{"a": "\xff"}', b"[1]", b"5"])
def test_what_is_no_status_is_a_log_line(line):
    console = BoardConsole()
    assert len(console.feed(line + b"\n")) == 1
    assert console.status is None


def test_noise_without_a_line_end_takes_no_memory():
    console = BoardConsole()
    for _ in range(100):
        console.feed(b"x" * 10_000)
    assert len(console._part) <= 75_536


def test_a_config_may_have_a_key():
    for key in (None, "0123456789abcdef" * 4, "AB" * 32):
        assert config.check({"city": "OAKHAM", "key": key})["key"] == key


def test_a_config_gets_its_defaults():
    settings = config.check({"city": "OAKHAM"})
    assert (settings["city"], settings["port"], settings["wifi"], settings["sensors"]) == ("OAKHAM", 55555, [], [])


LIGHT = {"name": "light", "kind": "adc", "pin": 34, "low": 200, "high": 3900, "good": "wood", "yield": [0.0, 2.0]}


@pytest.mark.parametrize(
    "settings, complaint",
    [
        ([], r"it must be an object in { }, not \[\]"),
        ({}, '"city" must be a name of 1 to 64 bytes .* { or .$'),
        ({"city": 'A"'}, '"city" must be'),
        ({"city": "A", "sped": 5}, '"sped" must be a setting: city, checkpoint_s, connect, .*'),
        ({"city": "A", "seed": True}, '"seed" must be a whole number .*, not true'),
        ({"city": "A", "speed": 0}, '"speed" must be ticks a second'),
        ({"city": "A", "port": 70000}, '"port" must be a whole number from 1 to 65535, not 70000'),
        (
            {"city": "A", "key": "5ec4e7"},
            r'"key" must be 64 hex digits, as deskonomy keygen makes them, or null, not "\*',
        ),
        ({"city": "A", "key": 5}, '"key" must be 64 hex digits'),
        ({"city": "A", "key": "g" * 64}, '"key" must be 64 hex digits'),
        ({"city": "A", "connect": "b:1"}, '"connect" must be a list of "HOST:PORT"'),
        ({"city": "A", "connect": ["b"]}, '"connect" must be a list of "HOST:PORT"'),
        ({"city": "A", "wifi": [["home"]]}, r'"wifi" must be a list of \["network", "password"\]'),
        (
            {"city": "A", "sensors": [{**LIGHT, "good": "gold"}]},
            'a sensor\'s "good" must be one of wood, chair, thread, bed',
        ),
        ({"city": "A", "sensors": [{**LIGHT, "high": 200}]}, 'a sensor\'s "high" must be another reading than "low"'),
        ({"city": "A", "sensors": [{**LIGHT, "yield": 2}]}, 'a sensor\'s "yield" must be .at level 0, at level 1.'),
    ],
)
def test_a_config_that_cannot_be_used_says_what_to_put_right(settings, complaint):
    with pytest.raises(ConfigError, match="^config.json: " + complaint):
        config.check(settings)
