"""Parts of the firmware and the host tool that need no board: console lines, config.json, the table of sensors."""

import asyncio
import importlib
import sys
from types import ModuleType, SimpleNamespace

import pytest
from deskonomy.errors import ConfigError
from deskonomy.wire import connection
from deskonomy_board import config
from deskonomy_board.sensors import specs
from deskonomy_host.boards.serial.lines import LineParser
from deskonomy_host.boards.spec.sensors import list_stand_ins

STATUS = b'{"city": "A", "tick": 1, "price": {}, "yield": {}, "merchants": {}, "roads": {}}'


def test_console_returns_whole_lines_for_any_split_of_the_bytes():
    text = b"on Wi-Fi\r\n\r\n" + STATUS + b"\r\nlog\n>>> "
    for cut in range(len(text) + 1):
        console = LineParser()
        lines = console.feed(text[:cut]) + console.feed(text[cut:])
        assert lines == ["on Wi-Fi", STATUS.decode(), "log"]
        assert console.status["city"] == "A"
        assert console.at_prompt


@pytest.mark.parametrize("line", [b"{", b'{"city": "A"}', b"{1}", b'{"a": "\xff"}', b"[1]", b"5"])
def test_line_that_is_no_status_is_a_log_line(line):
    console = LineParser()
    assert len(console.feed(line + b"\n")) == 1
    assert console.status is None


def test_console_keeps_limited_bytes_of_noise_without_a_line_end():
    console = LineParser()
    for _ in range(100):
        console.feed(b"x" * 10_000)
    assert len(console._incomplete) <= 75_536


def test_config_with_a_key_is_accepted():
    for key in (None, "0123456789abcdef" * 4, "AB" * 32):
        assert config.check_settings({"city": "OAKHAM", "key": key})["key"] == key


def test_config_gets_defaults_for_absent_settings():
    settings = config.check_settings({"city": "OAKHAM"})
    assert (settings["city"], settings["port"], settings["wifi"], settings["sensors"]) == ("OAKHAM", 55555, [], [])


LIGHT = {"name": "light", "kind": "adc", "pin": 34, "low": 200, "high": 3900, "good": "wood", "yield": [0.0, 2.0]}


@pytest.mark.parametrize(
    "settings, message",
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
def test_unusable_config_is_rejected_with_what_to_correct(settings, message):
    with pytest.raises(ConfigError, match="^config.json: " + message):
        config.check_settings(settings)


@pytest.mark.parametrize(
    "sensor, message",
    [
        (
            {"kind": "laser"},
            'a sensor\'s "kind" must be one of adc, .*, touch or, for a driver of yours, drivers/NAME, not "laser"',
        ),
        ({"kind": ["adc"]}, 'a sensor\'s "kind" must be one of .*, not .*adc'),
        ({"kind": "bh1750", "scl": 22}, "a sensor's \"sda\" must be a pin's number$"),
        ({"kind": "adc", "pin": 49}, "a sensor's \"pin\" must be a pin's number, not 49"),
        (
            {"kind": "adc", "pin": 34, "rom": "1"},
            'a sensor\'s "rom" must be left out, for adc takes only name, .*, pin',
        ),
        ({"kind": "bh1750", "scl": 22, "sda": 21, "address": 5}, '"address" must be an I2C address, 8 to 119, not 5'),
        ({"kind": "button", "pin": 4, "pull": "left"}, '"pull" must be "up" or "down", not "left"'),
        ({"kind": "ds18b20", "pin": 4, "rom": "28ff"}, '"rom" must be the 16 hex digits of a DS18B20, not "28ff"'),
        ({"kind": "bme280", "scl": 22, "sda": 21}, '"reads" must be "temperature", "humidity" or "pressure"$'),
        (
            {"kind": "dht11", "pin": 4, "reads": "pressure"},
            '"reads" must be "temperature" or "humidity", not "pressure"',
        ),
        ({"kind": "rssi", "yield": [0, 101]}, '"yield" must be .at level 0, at level 1., each 0 to 100, not'),
    ],
)
def test_sensor_that_breaks_a_rule_of_its_kind_is_rejected(sensor, message):
    common = {"name": "it", "low": 0, "high": 9, "good": "wood", "yield": [0, 2]}
    with pytest.raises(ConfigError, match="^config.json: a sensor's .*" + message.removeprefix("a sensor's ")):
        config.check_settings({"city": "A", "sensors": [{**common, **sensor}]})


def test_rows_of_sensor_table_are_sorted_and_complete():
    kinds = [row[specs.KIND] for row in specs.SENSORS]
    assert kinds == sorted(kinds)
    options = {name for name, _, _ in specs.OPTION_RULES}
    for row in specs.SENSORS + specs.LIGHTS:
        assert len(row) == specs.SIMULATED_BY + 1
        assert {capability for _, capability in row[specs.PINS]} <= {"adc", "touch", "in", "out"}
        assert set(row[specs.OPTIONS]) <= options
        assert row[specs.SIMULATED_BY] in ("", "pin", "rssi")
        assert bool(row[specs.QUANTITIES]) == (row in specs.SENSORS)
        for _, lowest, highest, low, high, difference_min, _ in row[specs.QUANTITIES]:
            assert lowest is None or all(lowest <= reading <= highest for reading in (low, high))
            assert 0 <= difference_min <= abs(high - low)


@pytest.mark.parametrize(
    "config, stand_ins",
    [
        (b"", []),
        (b'{"city": "A", "sensors": [{"kind": "rssi"}]}', []),
        (
            b'{"sensors": [{"kind": "dht11"}, {"kind": "dht22"}], "indicator": {"kind": "neopixel"}}',
            ["dht", "neopixel"],
        ),
        (b'{"sensors": [{"kind": "ds18b20"}], an error', ["onewire", "ds18x20"]),
    ],
)
def test_stand_ins_are_those_of_the_kinds_in_config(config, stand_ins):
    assert list_stand_ins(config) == stand_ins


class Ended(Exception):
    """The end of a task that has none."""


@pytest.fixture
def board_console(monkeypatch):
    """The module of the console, with stand-ins for the modules that only MicroPython has."""
    machine, micropython = ModuleType("machine"), ModuleType("micropython")
    for number, name in enumerate(("PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET")):
        setattr(machine, name, number)
    micropython.const = lambda value: value
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "micropython", micropython)
    for name in ("console", "roads"):
        monkeypatch.delitem(sys.modules, f"deskonomy_board.{name}", raising=False)
    yield importlib.import_module("deskonomy_board.console")
    for name in ("console", "roads"):
        sys.modules.pop(f"deskonomy_board.{name}", None)


def test_clocks_of_board_are_right_after_weeks_without_wifi(board_console, monkeypatch):
    """Ticks wrap after 12.4 days; the console alone makes the clock of the roads see that."""
    day_ms, now_ms = 86_400_000, 0

    def read_ticks():
        return now_ms % 2**30

    def subtract_ticks(later, earlier):
        return (later - earlier + 2**29) % 2**30 - 2**29

    async def sleep_ms(_):
        nonlocal now_ms
        if now_ms == 40 * day_ms:
            raise Ended
        now_ms += day_ms

    monkeypatch.setattr(connection, "ticks_ms", read_ticks)
    monkeypatch.setattr(connection, "ticks_diff", subtract_ticks)
    monkeypatch.setattr(board_console, "time", SimpleNamespace(ticks_ms=read_ticks, ticks_diff=subtract_ticks))
    monkeypatch.setattr(board_console, "asyncio", SimpleNamespace(sleep_ms=sleep_ms))
    free = SimpleNamespace(collect=lambda: None, threshold=lambda _: None, mem_free=lambda: 0)
    monkeypatch.setattr(board_console, "gc", free)
    monkeypatch.setattr(board_console.StatusReport, "format_pieces", lambda self: [])
    monkeypatch.setattr(board_console, "_print_pieces", lambda pieces: asyncio.sleep(0))
    from deskonomy_board.roads import BoardRoads

    roads = BoardRoads(None, 55555, [], None, None)
    assert roads.silence_ms() == 3_600_000
    clock = connection.MonotonicClock()
    roads.network = SimpleNamespace(silence_ms=clock.now_ms)
    report = board_console.StatusReport(SimpleNamespace(tick=0), SimpleNamespace(gap_ms=0), [], None, roads)
    with pytest.raises(Ended):
        asyncio.run(report.print_lines())
    assert clock.now_ms() == report._uptime_ms == 40 * day_ms
