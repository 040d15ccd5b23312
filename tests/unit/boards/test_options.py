"""Options of a board: their way into config.json, and the errors for options that make no sense."""

import io

import pytest
from deskonomy_host.boards.spec import catalog
from deskonomy_host.boards.spec import options as board_settings
from deskonomy_host.boards.spec.defaults import fill_defaults, find_quantity
from deskonomy_host.boards.spec.options import BoardOptions
from deskonomy_host.boards.spec.sensors import SENSORS
from deskonomy_host.errors import OperationError, UsageError

BOARD = catalog.load_board("ESP32_GENERIC")


@pytest.mark.parametrize("kind", SENSORS)
def test_sensor_of_each_kind_needs_only_its_pins(kind):
    pins = [f"{setting}=4" for setting, _ in SENSORS[kind].pins]
    sensor = fill_defaults(board_settings.parse_sensor(" ".join(["it", kind, *pins])))
    assert (sensor["name"], sensor["kind"], sensor["good"], sensor["yield"]) == ("it", kind, "wood", [0.0, 2.0])
    quantity = find_quantity(sensor)
    assert (sensor["low"], sensor["high"]) == (quantity.low, quantity.high)


def test_sensor_settings_are_parsed_as_numbers_lists_and_text():
    text = "cellar ds18b20 pin=4 rom=28ff641e8216034e low=-500 high=3000 smoothing=8 good=bed yield=[2,0.5]"
    assert board_settings.parse_sensor(text) == {
        "name": "cellar",
        "kind": "ds18b20",
        "pin": 4,
        "rom": "28ff641e8216034e",
        "low": -500,
        "high": 3000,
        "smoothing": 8,
        "good": "bed",
        "yield": [2, 0.5],
    }
    text = 'air bme280 scl=22 sda=21 address=0x77 reads=pressure recipe=[{"wood":4},{"wood":2}] good=chair'
    sensor = board_settings.parse_sensor(text)
    assert (sensor["address"], sensor["recipe"]) == (0x77, [{"wood": 4}, {"wood": 2}])
    assert fill_defaults(sensor)["low"] == 98_000 and "yield" not in fill_defaults(sensor)


def test_touch_sensor_defaults_are_those_of_the_board():
    pad = board_settings.parse_sensor("pad touch pin=4")
    sensors = [fill_defaults(pad, board) for board in (BOARD, catalog.load_board("ESP32_GENERIC_S3"))]
    assert [(sensor["low"], sensor["high"]) for sensor in sensors] == [(600, 200), (20000, 100000)]
    assert fill_defaults({**pad, "low": 1}, BOARD)["low"] == 1


@pytest.mark.parametrize(
    "parse, text, message",
    [
        (
            "parse_sensor",
            "soil",
            'takes "NAME KIND SETTING=VALUE ...", such as "soil adc pin=33 good=thread", not "soil"',
        ),
        ("parse_sensor", "adc pin=33", "takes"),
        ("parse_sensor", "soil adc 33", "takes"),
        ("parse_sensor", "soil laser", "--sensor 'soil laser': a sensor's \"kind\" must be one of adc, bh1750,"),
        ("parse_sensor", "soil adc", "a sensor's \"pin\" must be a pin's number$"),
        ("parse_sensor", "soil adc pin=x", 'a sensor\'s "pin" must be a pin\'s number, not "x"'),
        ("parse_sensor", "soil adc pin=33 rom=1", 'a sensor\'s "rom" must be left out, for adc takes only .*pin$'),
        ("parse_sensor", "soil adc pin=33 good=gold", '"good" must be one of wood, .*, not "gold"'),
        ("parse_sensor", "soil adc pin=33 low=5 high=5", 'another reading than "low"'),
        (
            "parse_sensor",
            "damp dht22 pin=4 reads=pressure",
            '"reads" must be "temperature" or "humidity", not "pressure"',
        ),
        ("parse_indicator", "pin=2", 'takes "KIND SETTING=VALUE ...", such as "led pin=2 good=wood"'),
        ("parse_indicator", "laser pin=2", "--indicator 'laser pin=2': \"indicator\" must be {"),
        ("parse_page", "0", "--page takes a whole number from 1 to 65535, such as 80 .or off., not '0'"),
    ],
)
def test_typed_option_that_makes_no_sense_is_rejected_with_its_text(parse, text, message):
    with pytest.raises(UsageError, match=message):
        getattr(board_settings, parse)(text)


def test_given_sensor_replaces_sensor_of_same_name_or_good():
    light, soil = (
        board_settings.parse_sensor("light adc pin=32"),
        board_settings.parse_sensor("soil adc pin=33 good=thread"),
    )
    made = BoardOptions(sensors=[soil], light=34).merge_into(BOARD.config, BOARD, {})
    assert [(sensor["name"], sensor["good"]) for sensor in made["sensors"]] == [("light", "wood"), ("soil", "thread")]
    assert made["sensors"][0]["pin"] == 34 and made["page"] == BOARD.config["page"]
    again = BoardOptions(sensors=[light], page=0, indicator={}, watchdog=False, name="OAKHAM").merge_into(
        made, BOARD, {}
    )
    assert [sensor["name"] for sensor in again["sensors"]] == ["soil", "light"]
    assert (again["city"], again["page"], again["indicator"], again["watchdog"]) == ("OAKHAM", None, None, False)
    catalog.check_config(again)


def test_removed_sensor_is_reported_and_sensor_is_switched_off_by_name(capsys):
    cellar, motion = (
        board_settings.parse_sensor("cellar ds18b20 pin=4 good=bed"),
        board_settings.parse_sensor("motion digital pin=13"),
    )
    made = BoardOptions(sensors=[cellar, motion]).merge_into(BOARD.config, BOARD, {})
    assert [sensor["name"] for sensor in made["sensors"]] == ["cellar", "motion"]
    assert capsys.readouterr().out == "  air makes way for motion: both decide the yield or recipe of wood\n"
    stairs = board_settings.parse_sensor('stairs digital pin=14 good=bed recipe=[{"wood":4},{"wood":2}]')
    made = BoardOptions(sensors=[stairs, board_settings.parse_sensor("motion off")]).merge_into(made, BOARD, {})
    assert [sensor["name"] for sensor in made["sensors"]] == ["cellar", "stairs"]
    assert capsys.readouterr().out == "  motion is no sensor any more\n"
    with pytest.raises(UsageError, match="there is no sensor motion to be switched off, only: cellar, stairs"):
        BoardOptions(sensors=[board_settings.parse_sensor("motion off")]).merge_into(made, BOARD, {})


def test_file_switches_page_and_light_off(tmp_path):
    (tmp_path / "board.toml").write_text("page = 'off'\nindicator = 'off'")
    assert board_settings.read_file(tmp_path / "board.toml") == {"page": None, "indicator": None}


@pytest.mark.parametrize(
    "sensors, message",
    [
        (["light adc pin=4"], "the adc sensor light goes to one of the pins 32 to 36, 39 of ESP32_GENERIC, "),
        (["a adc pin=32", "a rssi good=bed"], "two sensors are called a: call one of them something else"),
        (
            ["a dht22 pin=4 good=bed", "b digital pin=4"],
            "the dht22 sensor a and the digital sensor b are both at pin 4: ",
        ),
        (
            ["a touch pin=2 good=bed"],
            r"the touch sensor a and the board's own light \(--indicator\) are both at pin 2: ",
        ),
        (["a adc pin=32", "b rssi"], "a and b both decide the yield of wood: give one of them another good"),
    ],
)
def test_sensors_that_exclude_each_other_are_rejected(sensors, message):
    with pytest.raises(UsageError, match=message):
        BoardOptions(sensors=list(map(board_settings.parse_sensor, sensors))).merge_into(BOARD.config, BOARD, {})


def test_yield_and_recipe_of_the_same_good_are_accepted():
    sensors = ["a adc pin=32 good=chair", 'b rssi good=chair recipe=[{"wood":4},{"wood":2}]']
    made = BoardOptions(sensors=list(map(board_settings.parse_sensor, sensors))).merge_into(BOARD.config, BOARD, {})
    catalog.check_config(made)


def test_password_comes_from_board_file_or_environment(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    known = {"HOME": "one", "WORK": "two"}
    assert BoardOptions(wifi=["WORK", "HOME"]).merge_into({}, BOARD, known)["wifi"] == [
        ["WORK", "two"],
        ["HOME", "one"],
    ]
    assert BoardOptions().merge_into({"wifi": ["HOME", ["CAFE", "x"]]}, BOARD, known)["wifi"] == [
        ["HOME", "one"],
        ["CAFE", "x"],
    ]
    with pytest.raises(UsageError, match="the password of CAFE belongs in the environment's DESKONOMY_WIFI_PASSWORD"):
        BoardOptions(wifi=["CAFE"]).merge_into({}, BOARD, known)
    with pytest.raises(UsageError, match=r"the password of CAFE belongs in a --config file, as in wifi = \[\[\"CAFE\""):
        BoardOptions(wifi=["HOME", "CAFE"]).merge_into({}, BOARD, known)
    monkeypatch.setenv(board_settings.PASSWORD, "three")
    assert BoardOptions(wifi=["HOME"]).merge_into({}, BOARD, known)["wifi"] == [["HOME", "three"]]


@pytest.mark.parametrize(
    "text, error, message",
    [
        ("city = ", UsageError, "is not TOML"),
        ("sensor = 3", UsageError, 'board.toml: "sensor" must be a setting: city, checkpoint_s, .*wifi$'),
        ("[[sensors]]\nkind = 'adc'", UsageError, "board.toml: a sensor's \"pin\" must be a pin's number"),
        ("[[sensors]]\nname = 'x'", UsageError, 'board.toml: a sensor\'s "kind" must be one of'),
        ("sensors = 3", UsageError, 'board.toml: "sensors" must be a list of sensors'),
        ("sensors = [3]", UsageError, 'board.toml: "sensors" must be a list of sensors'),
        ("[[sensors]]\nkind = ['adc']", UsageError, 'board.toml: a sensor\'s "kind" must be one of'),
        ("connect = ['h:²']", UsageError, r'board\.toml: "connect" must be a list of "HOST:PORT"'),
        ("page = 2026-01-01", UsageError, r"board\.toml: no setting is a date or a time"),
        ("wifi = [3]", UsageError, 'board.toml: "wifi" must be a list of'),
        (
            "[[sensors]]\nkind = 'mcu'\n[[sensors]]\nkind = 'rssi'",
            UsageError,
            "mcu and rssi both decide the yield of wood",
        ),
        (None, OperationError, "cannot read .*board.toml: No such file"),
    ],
)
def test_file_that_makes_no_sense_is_rejected_with_its_name(tmp_path, monkeypatch, text, error, message):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "board.toml").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        board_settings.read_file("board.toml")
