"""What people say of a board, as config.json then says it; and what they are told if it makes no sense."""

import io

import pytest
from deskonomy_board import config
from deskonomy_host.boards.spec import catalog as boards
from deskonomy_host.boards.spec import options as board_settings
from deskonomy_host.boards.spec.defaults import filled, typical
from deskonomy_host.boards.spec.options import Typed
from deskonomy_host.errors import OperationError, UsageError

BOARD = boards.load("ESP32_GENERIC")


@pytest.mark.parametrize("kind", sorted(config._KINDS))
def test_a_sensor_of_each_kind_needs_only_its_pins(kind):
    pins = [f"{pin}=4" for pin in config._KINDS[kind] if pin in ("pin", "scl", "sda")]
    found = filled(board_settings.sensor(" ".join(["it", kind, *pins])))
    assert (found["name"], found["kind"], found["good"], found["yield"]) == ("it", kind, "wood", [0.0, 2.0])
    assert (found["low"], found["high"]) == typical(found)[:2]


def test_settings_are_numbers_lists_and_text():
    word = "cellar ds18b20 pin=4 rom=28ff641e8216034e low=-500 high=3000 smoothing=8 good=bed yield=[2,0.5]"
    assert board_settings.sensor(word) == {
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
    word = 'air bme280 scl=22 sda=21 address=0x77 reads=pressure recipe=[{"wood":4},{"wood":2}] good=chair'
    found = board_settings.sensor(word)
    assert (found["address"], found["recipe"]) == (0x77, [{"wood": 4}, {"wood": 2}])
    assert filled(found)["low"] == 98_000 and "yield" not in filled(found)


def test_a_touch_sensor_reads_as_its_chip_does():
    pad = board_settings.sensor("pad touch pin=4")
    spans = [(one["low"], one["high"]) for one in (filled(pad, BOARD), filled(pad, boards.load("ESP32_GENERIC_S3")))]
    assert spans == [(600, 200), (20000, 100000)]
    assert filled({**pad, "low": 1}, BOARD)["low"] == 1


@pytest.mark.parametrize(
    "function, word, complaint",
    [
        ("sensor", "soil", 'takes "NAME KIND SETTING=VALUE ...", such as "soil adc pin=33 good=thread", not "soil"'),
        ("sensor", "adc pin=33", "takes"),
        ("sensor", "soil adc 33", "takes"),
        ("sensor", "soil laser", "--sensor 'soil laser': a sensor's \"kind\" must be one of adc, bh1750,"),
        ("sensor", "soil adc", "a sensor's \"pin\" must be a pin's number$"),
        ("sensor", "soil adc pin=x", 'a sensor\'s "pin" must be a pin\'s number, not "x"'),
        ("sensor", "soil adc pin=33 rom=1", 'a sensor\'s "rom" must be left out, for adc takes only .*pin$'),
        ("sensor", "soil adc pin=33 good=gold", '"good" must be one of wood, .*, not "gold"'),
        ("sensor", "soil adc pin=33 low=5 high=5", 'another reading than "low"'),
        ("indicator", "pin=2", 'takes "KIND SETTING=VALUE ...", such as "led pin=2 good=wood"'),
        ("indicator", "laser pin=2", "--indicator 'laser pin=2': \"indicator\" must be {"),
        ("page", "0", "--page takes a whole number from 1 to 65535, such as 80 .or off., not '0'"),
    ],
)
def test_words_that_make_no_sense(function, word, complaint):
    with pytest.raises(UsageError, match=complaint):
        getattr(board_settings, function)(word)


def test_what_is_typed_takes_the_place_of_what_is_in_its_way():
    light, soil = board_settings.sensor("light adc pin=32"), board_settings.sensor("soil adc pin=33 good=thread")
    made = Typed(sensors=[soil], light=34).into(BOARD.config, BOARD, {})
    assert [(one["name"], one["good"]) for one in made["sensors"]] == [("light", "wood"), ("soil", "thread")]
    assert made["sensors"][0]["pin"] == 34 and made["page"] == BOARD.config["page"]
    again = Typed(sensors=[light], page=0, indicator={}, watchdog=False, name="OAKHAM").into(made, BOARD, {})
    assert [one["name"] for one in again["sensors"]] == ["soil", "light"]
    assert (again["city"], again["page"], again["indicator"], again["watchdog"]) == ("OAKHAM", None, None, False)
    boards.check(again)


def test_what_makes_way_is_said_and_a_sensor_is_switched_off_by_name(capsys):
    cellar, motion = (
        board_settings.sensor("cellar ds18b20 pin=4 good=bed"),
        board_settings.sensor("motion digital pin=13"),
    )
    made = Typed(sensors=[cellar, motion]).into(BOARD.config, BOARD, {})
    assert [one["name"] for one in made["sensors"]] == ["cellar", "motion"]
    assert capsys.readouterr().out == "  air makes way for motion: both decide the yield or recipe of wood\n"
    stairs = board_settings.sensor('stairs digital pin=14 good=bed recipe=[{"wood":4},{"wood":2}]')
    made = Typed(sensors=[stairs, board_settings.sensor("motion off")]).into(made, BOARD, {})
    assert [one["name"] for one in made["sensors"]] == ["cellar", "stairs"]
    assert capsys.readouterr().out == "  motion is no sensor any more\n"
    with pytest.raises(UsageError, match="there is no sensor motion to be switched off, only: cellar, stairs"):
        Typed(sensors=[board_settings.sensor("motion off")]).into(made, BOARD, {})


def test_a_file_switches_page_and_light_off(tmp_path):
    (tmp_path / "board.toml").write_text("page = 'off'\nindicator = 'off'")
    assert board_settings.read(tmp_path / "board.toml") == {"page": None, "indicator": None}


@pytest.mark.parametrize(
    "words, complaint",
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
def test_sensors_that_cannot_be_together(words, complaint):
    with pytest.raises(UsageError, match=complaint):
        Typed(sensors=[board_settings.sensor(word) for word in words]).into(BOARD.config, BOARD, {})


def test_a_yield_and_a_recipe_of_one_good_go_together():
    words = ["a adc pin=32 good=chair", 'b rssi good=chair recipe=[{"wood":4},{"wood":2}]']
    made = Typed(sensors=[board_settings.sensor(word) for word in words]).into(BOARD.config, BOARD, {})
    boards.check(made)


def test_passwords_come_from_where_they_are_known(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    known = {"HOME": "one", "WORK": "two"}
    assert Typed(wifi=["WORK", "HOME"]).into({}, BOARD, known)["wifi"] == [["WORK", "two"], ["HOME", "one"]]
    assert Typed().into({"wifi": ["HOME", ["CAFE", "x"]]}, BOARD, known)["wifi"] == [["HOME", "one"], ["CAFE", "x"]]
    with pytest.raises(UsageError, match="the password of CAFE belongs in the environment's DESKONOMY_WIFI_PASSWORD"):
        Typed(wifi=["CAFE"]).into({}, BOARD, known)
    with pytest.raises(UsageError, match=r"the password of CAFE belongs in a --config file, as in wifi = \[\[\"CAFE\""):
        Typed(wifi=["HOME", "CAFE"]).into({}, BOARD, known)
    monkeypatch.setenv(board_settings.PASSWORD, "three")
    assert Typed(wifi=["HOME"]).into({}, BOARD, known)["wifi"] == [["HOME", "three"]]


@pytest.mark.parametrize(
    "text, error, complaint",
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
def test_files_that_make_no_sense(tmp_path, monkeypatch, text, error, complaint):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "board.toml").write_text(text, encoding="utf-8")
    with pytest.raises(error, match=complaint):
        board_settings.read("board.toml")
