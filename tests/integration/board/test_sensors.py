"""Every kind of sensor on a real MicroPython, at its bus or pin: good and bad readings, and what follows from them.

The readings are worked examples of datasheets and what chips really sent; where each is from stands beside it. How a
story is told is sense.py's.
"""

import json
import subprocess
from pathlib import Path

import pytest
from deskonomy_host import paths
from helpers.commands import PATIENCE_S

SENSE = Path(__file__).parent / "programs" / "sense.py"
STAND_INS = paths.BOARDS / "SIMULATED" / "stand_ins"
COMMON = {"name": "it", "low": 0, "high": 1000, "good": "wood", "yield": [0.0, 2.0], "smoothing": 1}
MINUTE = 600  # samples


@pytest.fixture
def sense(micropython, tmp_path):
    """Tells sensors a story of (what lies on the pins, samples[, edges]); returns what they made of each step."""

    def run(sensors, *steps, celsius=False):
        sensors = [{**COMMON, **words} for words in (sensors if isinstance(sensors, list) else [sensors])]
        sensors = [{key: word for key, word in words.items() if word is not None} for words in sensors]
        steps = [
            {"pins": pins, "samples": samples, "edges": edges[0] if edges else []} for pins, samples, *edges in steps
        ]
        story = {"sensors": sensors, "steps": steps, "celsius": celsius}
        (tmp_path / "story.json").write_text(json.dumps(story))
        command = [micropython, SENSE, STAND_INS, paths.FIRMWARE, tmp_path / "story.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def crc8(data):
    """The 1-Wire checksum, from its polynomial x^8 + x^5 + x^4 + 1 (Maxim's application note 27)."""
    crc = 0
    for byte in data:
        for bit in range(8):
            mix = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (0x8C if mix else 0)
    return crc


def scratchpad(sixteenths):
    """A DS18B20's nine bytes at 12 bits of resolution."""
    data = (sixteenths & 0xFFFF).to_bytes(2, "little") + bytes([0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10])
    return (data + bytes([crc8(data)])).hex()


# Kinds that are read at once.


def test_adc_and_touch_and_digital_read_their_pins(sense):
    sensors = [
        {"name": "light", "kind": "adc", "pin": 34, "low": 200, "high": 3900},
        {"name": "pad", "kind": "touch", "pin": 33, "low": 700, "high": 200, "good": "bed"},
        {"name": "motion", "kind": "digital", "pin": 13, "low": 0, "high": 1, "good": "chair"},
    ]
    first, second = sense(sensors, ({"34": 2050, "33": 700, "13": 0}, 1), ({"34": 3900, "33": 200, "13": 1}, 1))
    assert first["sensors"]["light"] == {"raw": 2050, "level": 0.5, "good": "wood"}
    assert [first["sensors"][name]["level"] for name in ("pad", "motion")] == [0, 0]
    assert [second["sensors"][name]["level"] for name in ("light", "pad", "motion")] == [1, 1, 1]
    assert second["yield_mills"] == {"wood": 2000, "bed": 2000, "chair": 2000, "thread": 1000}


@pytest.mark.parametrize("kind, pin", [("adc", 2), ("touch", 25)])
def test_a_pin_that_cannot_do_that_is_said(sense, kind, pin):
    [told] = sense({"kind": kind, "pin": pin}, ({}, 30))
    assert "invalid pin" in told["sensors"]["it"]["error"]
    assert len(told["said"]) == 1 and "Is it wired as config.json says?" in told["said"][0]


def test_rssi_is_minus_100_without_wifi(sense):
    first, second = sense({"kind": "rssi", "low": -90, "high": -40}, ({"rssi": -65}, 1), ({"rssi": None}, 1))
    assert (first["sensors"]["it"]["raw"], first["sensors"]["it"]["level"]) == (-65, 0.5)
    assert second["sensors"]["it"]["raw"] == -100


def test_the_chip_of_an_esp32_says_fahrenheit(sense):
    [told] = sense({"kind": "mcu", "high": 10000}, ({"mcu": 131}, 1))
    assert told["sensors"]["it"]["raw"] == 5500


def test_the_chip_of_an_s3_or_c3_says_celsius(sense):
    [told] = sense({"kind": "mcu", "high": 10000}, ({"mcu": 41.5}, 1), celsius=True)
    assert told["sensors"]["it"]["raw"] == 4150


BOUNCING_MS = [0, 2, 5, 9]  # edges of one contact that closes or opens


@pytest.mark.parametrize("pull, released", [("up", 1), ("down", 0), (None, 1)])
def test_each_press_of_a_button_is_one_more_and_round_again(sense, pull, released):
    pressed = 1 - released
    hold, let_go = ({"14": pressed}, 2, BOUNCING_MS), ({"14": released}, 2, BOUNCING_MS[:3])
    button = {"kind": "button", "pin": 14, "pull": pull, "low": 0, "high": 2}
    steps = sense(button, ({"14": released}, 2), *4 * [hold, let_go])
    assert [told["sensors"]["it"]["raw"] for told in steps] == [0, 1, 1, 2, 2, 0, 0, 1, 1]


def test_a_press_between_two_samples_counts(sense):
    quick = ({"14": 1}, 2, [10, 70])
    steps = sense({"kind": "button", "pin": 14, "low": 3, "high": 0}, ({"14": 1}, 2), quick, quick)
    assert [told["sensors"]["it"]["raw"] for told in steps] == [3, 2, 1]


def test_smoothing_makes_nine_tenths_of_a_step_in_nine_readings_unless_said_otherwise(sense):
    sensors = [
        {"name": "usual", "kind": "adc", "pin": 34, "smoothing": None},
        {"name": "slow", "kind": "adc", "pin": 34, "smoothing": 40},
    ]
    _, told = sense(sensors, ({"34": 0}, 1), ({"34": 1000}, 9))
    assert told["sensors"]["usual"]["level"] == pytest.approx(0.925, abs=0.002)
    assert told["sensors"]["slow"]["level"] == pytest.approx(1 - (39 / 40) ** 9, abs=0.002)


# DHT11, DHT22.


@pytest.mark.parametrize(
    "kind, data, temperature, humidity",
    [
        ("dht22", "028c015fee", 3510, 6520),  # the AM2302 datasheet's example
        ("dht22", "028c806573", -1010, 6520),  # its example of a temperature below zero
        ("dht11", "350018004d", 2400, 5300),  # the DHT11 datasheet's example
        ("dht11", "26001c0042", 2800, 3800),  # seen on a logic analyzer (hutscape.com)
    ],
)
def test_dht(sense, kind, data, temperature, humidity):
    sensors = [{"name": reads, "kind": kind, "pin": 4, "reads": reads} for reads in ("temperature", "humidity")]
    [told] = sense(sensors, ({"4": data}, 1))
    assert told["sensors"]["temperature"]["raw"] == temperature
    assert told["sensors"]["humidity"]["raw"] == humidity


def test_a_dht_is_asked_every_two_seconds_though_two_sensors_share_it(sense):
    sensors = [{"name": reads, "kind": "dht22", "pin": 4, "reads": reads} for reads in ("temperature", "humidity")]
    steps = sense(sensors, *[({"4": data}, 20) for data in ("028c015fee", "028c806573")])  # too soon would be an error
    assert [told["sensors"]["temperature"]["raw"] for told in steps] == [3510, -1010]
    assert not any(told["said"] for told in steps)


def test_one_wrong_checksum_is_overlooked_and_two_are_said(sense):
    good, bad = {"4": "028c015fee"}, {"4": "028c015fef"}
    steps = sense(
        {"kind": "dht22", "pin": 4, "reads": "humidity"}, (good, 20), (bad, 20), (good, 20), (bad, 60), (good, 30)
    )
    errors = [told["sensors"]["it"].get("error") for told in steps]
    assert errors == [None, None, None, "checksum error", None]
    assert [len(told["said"]) for told in steps] == [0, 0, 0, 1, 1]
    assert steps[4]["said"] == ["sensor it is back"]


# DS18B20.


@pytest.mark.parametrize(
    "sixteenths, hundredths",  # table 1 of the DS18B20's datasheet, without the 85 degrees of power-on
    [
        (0x07D0, 12500),
        (0x0191, 2506),
        (0x00A2, 1012),
        (8, 50),
        (0, 0),
        (-8, -50),
        (-162, -1013),
        (-401, -2507),
        (-880, -5500),
    ],
)
def test_ds18b20(sense, sixteenths, hundredths):
    first, told = sense(
        {"kind": "ds18b20", "pin": 4}, ({"4": {"28ff641e8c160432": scratchpad(sixteenths)}}, 8), ({}, 1)
    )
    assert first["sensors"]["it"] == {"good": "wood"}  # it is still measuring
    assert told["sensors"]["it"]["raw"] == hundredths


@pytest.mark.parametrize(
    "wire, error",
    [
        ({}, "no DS18B20 on this wire"),
        ({"28ff641e8c160432": "91014b467fff0c1000"}, "CRC error"),
        ({"28ff641e8c160432": "00" * 9}, "shorted"),  # its checksum is right
        ({"28ff641e8c160432": "ff" * 9}, "CRC error"),  # taken off between two samples
        ({"28ff641e8c160432": "50054b467fff0c101c"}, "lost its power"),  # 85 degrees
        (
            {"28ff641e8c160432": "", "28ff641e8c160433": ""},
            '"rom" has to say which: 28ff641e8c160432 or 28ff641e8c160433',
        ),
    ],
)
def test_a_ds18b20_in_trouble_says_which(sense, wire, error):
    [told] = sense({"kind": "ds18b20", "pin": 4}, ({"4": wire}, 60))
    assert error in told["sensors"]["it"]["error"]
    assert len(told["said"]) == 1


def test_two_ds18b20_on_a_wire_are_told_apart(sense):
    wire = {"28ff641e8c160432": scratchpad(0x0191), "28ff641e8c160433": scratchpad(8)}
    sensors = [{"name": rom, "kind": "ds18b20", "pin": 4, "rom": rom} for rom in wire]
    [told] = sense(sensors, ({"4": wire}, 9))
    assert [told["sensors"][rom]["raw"] for rom in wire] == [2506, 50]


def test_a_ds18b20_that_is_pulled_off_in_a_measurement_comes_back(sense):
    wire = {"28ff641e8c160432": scratchpad(0x0191)}
    steps = sense({"kind": "ds18b20", "pin": 4}, ({"4": wire}, 12), ({"4": {}}, 60), ({"4": wire}, 30))
    assert [len(told["said"]) for told in steps] == [0, 1, 1]
    assert steps[2]["sensors"]["it"]["raw"] == 2506


def test_a_ds18b20_does_not_disturb_another_one_on_its_wire(sense):
    """Out of step, for the one began anew after an answer that was spoilt, each still has its 750 ms."""
    good = {"28ff641e8c160432": scratchpad(0x0191), "28ff641e8c160433": scratchpad(8)}
    spoilt = {**good, "28ff641e8c160432": "91014b467fff0c1000"}
    sensors = [{"name": rom, "kind": "ds18b20", "pin": 4, "rom": rom} for rom in good]
    for samples in (9, 14):
        *_, told = sense(sensors, ({"4": spoilt}, samples), ({"4": good}, 60))
        assert [told["sensors"][rom]["raw"] for rom in good] == [2506, 50]
        assert told["said"] == []


def test_a_ds18s20_counts_otherwise_and_is_not_taken_for_a_ds18b20(sense):
    [told] = sense({"kind": "ds18b20", "pin": 4}, ({"4": {"10ff641e8c160432": scratchpad(50)}}, 60))
    assert told["sensors"]["it"]["error"] == "no DS18B20 on this wire"


# BH1750.


def test_bh1750(sense):
    first, told = sense({"kind": "bh1750", "scl": 22, "sda": 21}, ({"21": {"35": "8390"}}, 2), ({}, 1))
    assert first["sensors"]["it"] == {"good": "wood"}  # it is still measuring
    assert told["sensors"]["it"]["raw"] == 28067  # its datasheet's example


def test_two_bh1750_on_a_bus_are_told_apart(sense):
    sensors = [{"name": str(n), "kind": "bh1750", "scl": 22, "sda": 21, "address": n} for n in (0x23, 0x5C)]
    [told] = sense(sensors, ({"21": {"35": "0168", "92": "ffff"}}, 3))
    assert [told["sensors"][name]["raw"] for name in ("35", "92")] == [300, 54613]


# BME280, BMP280.

UNSIGNED = {"T1", "P1"}
DATASHEET = dict(  # the BMP280 datasheet's example (BST-BMP280-DS001, section 3.12)
    zip(
        ("T1", "T2", "T3", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"),
        (27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000),
        strict=True,
    )
)


def packed(calibration):
    """Calibration as it lies at 0x88."""
    return b"".join(n.to_bytes(2, "little", signed=name not in UNSIGNED) for name, n in calibration.items())


def chip(id, calibration, data, h1=0, humidity=bytes(7)):
    """A chip as i2c.py has it."""
    blocks = {0xD0: bytes([id]), 0x88: calibration, 0xA1: bytes([h1]), 0xE1: humidity, 0xF7: data}
    return {str(register): block.hex() for register, block in blocks.items()}


BMP280 = chip(0x58, packed(DATASHEET), (415148 << 4).to_bytes(3, "big") + (519888 << 4).to_bytes(3, "big") + bytes(2))
# Two chips' calibration and readings, and what floating-point drivers of others make of them: those of the tests of
# pyserialsensors (26.105 degrees, 100129.98 Pa, 45.058 %) and of pymeterreader (19.27, 99855.57, 50.936).
ONE = chip(
    0x60,
    packed(
        dict(
            zip(DATASHEET, (28470, 26738, 50, 37529, -10507, 3024, 9278, -158, -7, 9900, -10230, 4285), strict=True),
        )
    ),
    bytes.fromhex("491d008334007718"),
    75,
    (352).to_bytes(2, "little") + bytes([0, 345 >> 4, 345 & 15 | (50 & 15) << 4, 50 >> 4, 30]),
)
OTHER = chip(
    0x60,
    bytes.fromhex("6d6f9d683200218ef8d6d00bc91ce6fff9ffac260ad8bd10"),
    bytes([83, 224, 0, 126, 41, 128, 97, 8]),
    75,
    bytes([135, 1, 0, 15, 46, 3, 30]),
)


@pytest.mark.parametrize(
    "there, reads, expected",
    [
        (BMP280, "temperature", 2508),
        (BMP280, "pressure", 100653),
        (ONE, "temperature", 2610),
        (ONE, "pressure", 100130),
        (ONE, "humidity", 4506),
        (OTHER, "temperature", 1927),
        (OTHER, "pressure", 99856),
        (OTHER, "humidity", 5094),
    ],
)
def test_bme280(sense, there, reads, expected):
    sensor = {"kind": "bme280", "scl": 22, "sda": 21, "reads": reads}
    first, told = sense(sensor, ({"21": {"118": there}}, 1), ({}, 1))
    assert first["sensors"]["it"] == {"good": "wood"}  # it is still measuring
    assert told["sensors"]["it"]["raw"] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    "there, error",
    [
        ({}, "no answer ([Errno 19] ENODEV)"),
        ({"118": BMP280}, "a chip 0x58 has no humidity"),
        ({"118": {**ONE, "208": "ff"}}, "a chip 0xff has no humidity"),
        ({"118": {**ONE, str(0xF7): "8000008000008000"}}, "it lost its power"),
    ],
)
def test_a_bme280_in_trouble_says_which(sense, there, error):
    sensor = {"kind": "bme280", "scl": 22, "sda": 21, "reads": "humidity"}
    bad, good = sense(sensor, ({"21": there}, 30), ({"21": {"118": ONE}}, 30))
    assert bad["sensors"]["it"] == {"good": "wood", "error": error}
    assert (len(bad["said"]), good["said"]) == (1, ["sensor it is back"])
    assert good["sensors"]["it"]["raw"] == 4506


# What follows from a reading, and from none.


def test_without_a_sensor_its_yield_stays_for_a_minute_and_then_is_one(sense):
    on, off = {"21": {"35": "04b0"}}, {"21": {}}  # 1000 lx
    steps = sense(
        {"kind": "bh1750", "scl": 22, "sda": 21}, (on, 3), (off, MINUTE - 1), (off, 1), (off, 10 * MINUTE), (on, 30)
    )
    assert [told["yield_mills"]["wood"] for told in steps] == [2000, 2000, 1000, 1000, 2000]
    assert [len(told["said"]) for told in steps] == [0, 1, 0, 0, 1]
    assert steps[1]["sensors"]["it"] == {"good": "wood", "error": "no answer ([Errno 19] ENODEV)"}


def test_a_sensor_that_was_never_there_leaves_the_yield_of_before_for_a_minute(sense):
    steps = sense({"kind": "ds18b20", "pin": 4}, ({}, MINUTE - 1), ({}, 1))
    assert [told["yield_mills"]["wood"] for told in steps] == [1000, 1000]
    assert "level" not in steps[1]["sensors"]["it"]


def test_above_half_a_level_a_good_is_made_another_way_and_does_not_flicker(sense):
    usual, cheap = {"wood": 2, "thread": 10}, {"wood": 2, "thread": 1}
    sensor = {"kind": "adc", "pin": 34, "good": "bed", "recipe": [usual, cheap], "yield": None}
    levels = [(0, usual), (540, usual), (550, cheap), (460, cheap), (449, usual), (1000, cheap)]
    steps = sense(sensor, *[({"34": raw}, 1) for raw, _ in levels])
    assert [told["needs"]["bed"] for told in steps] == [needs for _, needs in levels]
    assert {told["yield_mills"]["bed"] for told in steps} == {1000}


def test_a_recipe_without_its_sensor_is_the_first_one_after_a_minute(sense):
    sensor = {"kind": "bh1750", "scl": 22, "sda": 21, "recipe": [{"thread": 3}, {}], "yield": None}
    steps = sense(sensor, ({"21": {"35": "ffff"}}, 3), ({"21": {}}, MINUTE - 1), ({}, 1))
    assert [told["needs"]["wood"] for told in steps] == [{}, {}, {"thread": 3}]
