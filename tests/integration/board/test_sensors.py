"""Every kind of sensor on a real MicroPython, on its bus or pin: good and bad readings, and their effect on the city.

The readings are worked examples of datasheets, and bytes of real chips; the source of each stands beside it. A story
runs in programs/sense.py.
"""

import pytest
from helpers.sensor_bytes import BMP280, FIRST_BME280, SECOND_BME280, scratchpad

MINUTE = 600  # samples


# Kinds with a reading at every sample.


def test_adc_touch_and_digital_sensors_read_their_pins(sense):
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
def test_unsuitable_pin_is_reported(sense, kind, pin):
    [result] = sense({"kind": kind, "pin": pin}, ({}, 30))
    assert "invalid pin" in result["sensors"]["it"]["error"]
    assert len(result["log"]) == 1 and "Is it wired as config.json says?" in result["log"][0]


def test_rssi_is_minus_100_without_wifi(sense):
    first, second = sense({"kind": "rssi", "low": -90, "high": -40}, ({"rssi": -65}, 1), ({"rssi": None}, 1))
    assert (first["sensors"]["it"]["raw"], first["sensors"]["it"]["level"]) == (-65, 0.5)
    assert second["sensors"]["it"]["raw"] == -100


def test_chip_temperature_of_esp32_is_converted_from_fahrenheit(sense):
    [result] = sense({"kind": "mcu", "high": 10000}, ({"mcu": 131}, 1))
    assert result["sensors"]["it"]["raw"] == 5500


def test_chip_temperature_of_s3_or_c3_is_read_in_celsius(sense):
    [result] = sense({"kind": "mcu", "high": 10000}, ({"mcu": 41.5}, 1), celsius=True)
    assert result["sensors"]["it"]["raw"] == 4150


BOUNCING_MS = [0, 2, 5, 9]  # edges of one contact that closes or opens


@pytest.mark.parametrize("pull, released", [("up", 1), ("down", 0), (None, 1)])
def test_press_of_button_steps_reading_and_wraps_at_high(sense, pull, released):
    pressed = 1 - released
    press, release = ({"14": pressed}, 2, BOUNCING_MS), ({"14": released}, 2, BOUNCING_MS[:3])
    button = {"kind": "button", "pin": 14, "pull": pull, "low": 0, "high": 2}
    steps = sense(button, ({"14": released}, 2), *4 * [press, release])
    assert [step["sensors"]["it"]["raw"] for step in steps] == [0, 1, 1, 2, 2, 0, 0, 1, 1]


@pytest.mark.parametrize("days", [1, 6.3, 8, 12.4, 20])
def test_first_press_after_days_without_a_press_counts(sense, days):
    """Ticks differ by a negative number from 6.2 days on, and wrap after 12.4 days."""
    button = {"kind": "button", "pin": 14, "low": 0, "high": 9}
    press, release = ({"14": 0, "idle_ms": int(days * 86_400_000)}, 2, BOUNCING_MS), ({"14": 1}, 2, [0])
    steps = sense(button, ({"14": 1}, 2), press, release, press)
    assert [step["sensors"]["it"]["raw"] for step in steps] == [0, 1, 1, 2]


def test_press_between_two_samples_counts(sense):
    quick = ({"14": 1}, 2, [10, 70])
    steps = sense({"kind": "button", "pin": 14, "low": 3, "high": 0}, ({"14": 1}, 2), quick, quick)
    assert [step["sensors"]["it"]["raw"] for step in steps] == [3, 2, 1]


def test_default_smoothing_reaches_nine_tenths_of_a_step_in_nine_readings(sense):
    sensors = [
        {"name": "usual", "kind": "adc", "pin": 34, "smoothing": None},
        {"name": "slow", "kind": "adc", "pin": 34, "smoothing": 40},
    ]
    _, result = sense(sensors, ({"34": 0}, 1), ({"34": 1000}, 9))
    assert result["sensors"]["usual"]["level"] == pytest.approx(0.925, abs=0.002)
    assert result["sensors"]["slow"]["level"] == pytest.approx(1 - (39 / 40) ** 9, abs=0.002)


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
def test_dht_readings_are_those_of_its_datasheet(sense, kind, data, temperature, humidity):
    sensors = [{"name": reads, "kind": kind, "pin": 4, "reads": reads} for reads in ("temperature", "humidity")]
    [result] = sense(sensors, ({"4": data}, 1))
    assert result["sensors"]["temperature"]["raw"] == temperature
    assert result["sensors"]["humidity"]["raw"] == humidity


def test_dht_shared_by_two_sensors_is_measured_every_two_seconds(sense):
    sensors = [{"name": reads, "kind": "dht22", "pin": 4, "reads": reads} for reads in ("temperature", "humidity")]
    steps = sense(sensors, *[({"4": data}, 20) for data in ("028c015fee", "028c806573")])  # too soon would be an error
    assert [step["sensors"]["temperature"]["raw"] for step in steps] == [3510, -1010]
    assert not any(step["log"] for step in steps)


def test_second_wrong_checksum_in_a_row_is_reported(sense):
    good, bad = {"4": "028c015fee"}, {"4": "028c015fef"}
    steps = sense(
        {"kind": "dht22", "pin": 4, "reads": "humidity"}, (good, 20), (bad, 20), (good, 20), (bad, 60), (good, 30)
    )
    errors = [step["sensors"]["it"].get("error") for step in steps]
    assert errors == [None, None, None, "checksum error", None]
    assert [len(step["log"]) for step in steps] == [0, 0, 0, 1, 1]
    assert steps[4]["log"] == ["sensor it is back"]


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
def test_ds18b20_readings_are_those_of_its_datasheet(sense, sixteenths, hundredths):
    first, second = sense(
        {"kind": "ds18b20", "pin": 4}, ({"4": {"28ff641e8c160432": scratchpad(sixteenths)}}, 8), ({}, 1)
    )
    assert first["sensors"]["it"] == {"good": "wood"}  # still measuring
    assert second["sensors"]["it"]["raw"] == hundredths


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
            '"rom" has to be 28ff641e8c160432 or 28ff641e8c160433',
        ),
    ],
)
def test_failing_ds18b20_reports_its_error(sense, wire, error):
    [result] = sense({"kind": "ds18b20", "pin": 4}, ({"4": wire}, 60))
    assert error in result["sensors"]["it"]["error"]
    assert len(result["log"]) == 1


def test_two_ds18b20_on_a_wire_are_selected_by_rom(sense):
    wire = {"28ff641e8c160432": scratchpad(0x0191), "28ff641e8c160433": scratchpad(8)}
    sensors = [{"name": rom, "kind": "ds18b20", "pin": 4, "rom": rom} for rom in wire]
    [result] = sense(sensors, ({"4": wire}, 9))
    assert [result["sensors"][rom]["raw"] for rom in wire] == [2506, 50]


def test_ds18b20_removed_during_measurement_returns_when_reconnected(sense):
    wire = {"28ff641e8c160432": scratchpad(0x0191)}
    steps = sense({"kind": "ds18b20", "pin": 4}, ({"4": wire}, 12), ({"4": {}}, 60), ({"4": wire}, 30))
    assert [len(step["log"]) for step in steps] == [0, 1, 1]
    assert steps[2]["sensors"]["it"]["raw"] == 2506


def test_ds18b20_does_not_disturb_another_one_on_its_wire(sense):
    """Each has its 750 ms for a conversion, also out of step after a wrong answer."""
    good = {"28ff641e8c160432": scratchpad(0x0191), "28ff641e8c160433": scratchpad(8)}
    corrupt = {**good, "28ff641e8c160432": "91014b467fff0c1000"}
    sensors = [{"name": rom, "kind": "ds18b20", "pin": 4, "rom": rom} for rom in good]
    for samples in (9, 14):
        *_, result = sense(sensors, ({"4": corrupt}, samples), ({"4": good}, 60))
        assert [result["sensors"][rom]["raw"] for rom in good] == [2506, 50]
        assert result["log"] == []


def test_ds18s20_is_not_read_as_ds18b20(sense):
    [result] = sense({"kind": "ds18b20", "pin": 4}, ({"4": {"10ff641e8c160432": scratchpad(50)}}, 60))
    assert result["sensors"]["it"]["error"] == "no DS18B20 on this wire"


# BH1750.


def test_bh1750_reading_is_that_of_its_datasheet(sense):
    first, second = sense({"kind": "bh1750", "scl": 22, "sda": 21}, ({"21": {"35": "8390"}}, 2), ({}, 1))
    assert first["sensors"]["it"] == {"good": "wood"}  # still measuring
    assert second["sensors"]["it"]["raw"] == 28067  # its datasheet's example


def test_two_bh1750_on_a_bus_are_selected_by_address(sense):
    sensors = [{"name": str(n), "kind": "bh1750", "scl": 22, "sda": 21, "address": n} for n in (0x23, 0x5C)]
    [result] = sense(sensors, ({"21": {"35": "0168", "92": "ffff"}}, 3))
    assert [result["sensors"][name]["raw"] for name in ("35", "92")] == [300, 54613]


# BME280, BMP280.


@pytest.mark.parametrize(
    "device, reads, expected",
    [
        (BMP280, "temperature", 2508),
        (BMP280, "pressure", 100653),
        (FIRST_BME280, "temperature", 2610),
        (FIRST_BME280, "pressure", 100130),
        (FIRST_BME280, "humidity", 4506),
        (SECOND_BME280, "temperature", 1927),
        (SECOND_BME280, "pressure", 99856),
        (SECOND_BME280, "humidity", 5094),
    ],
)
def test_bme280_readings_are_those_of_floating_point_drivers(sense, device, reads, expected):
    sensor = {"kind": "bme280", "scl": 22, "sda": 21, "reads": reads}
    first, second = sense(sensor, ({"21": {"118": device}}, 1), ({}, 1))
    assert first["sensors"]["it"] == {"good": "wood"}  # still measuring
    assert second["sensors"]["it"]["raw"] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    "devices, error",
    [
        ({}, "no answer ([Errno 19] ENODEV)"),
        ({"118": BMP280}, "a chip 0x58 has no humidity"),
        ({"118": {**FIRST_BME280, "208": "ff"}}, "a chip 0xff has no humidity"),
        ({"118": {**FIRST_BME280, str(0xF7): "8000008000008000"}}, "it lost its power"),
    ],
)
def test_failing_bme280_reports_its_error(sense, devices, error):
    sensor = {"kind": "bme280", "scl": 22, "sda": 21, "reads": "humidity"}
    bad, good = sense(sensor, ({"21": devices}, 30), ({"21": {"118": FIRST_BME280}}, 30))
    assert bad["sensors"]["it"] == {"good": "wood", "error": error}
    assert (len(bad["log"]), good["log"]) == (1, ["sensor it is back"])
    assert good["sensors"]["it"]["raw"] == 4506


# The effect of a reading, and of none.


def test_yield_of_failed_sensor_stays_for_a_minute_and_then_is_one(sense):
    on, off = {"21": {"35": "04b0"}}, {"21": {}}  # 1000 lx
    steps = sense(
        {"kind": "bh1750", "scl": 22, "sda": 21}, (on, 3), (off, MINUTE - 1), (off, 1), (off, 10 * MINUTE), (on, 30)
    )
    assert [step["yield_mills"]["wood"] for step in steps] == [2000, 2000, 1000, 1000, 2000]
    assert [len(step["log"]) for step in steps] == [0, 1, 0, 0, 1]
    assert steps[1]["sensors"]["it"] == {"good": "wood", "error": "no answer ([Errno 19] ENODEV)"}


def test_sensor_that_never_answers_leaves_the_yield_for_a_minute(sense):
    steps = sense({"kind": "ds18b20", "pin": 4}, ({}, MINUTE - 1), ({}, 1))
    assert [step["yield_mills"]["wood"] for step in steps] == [1000, 1000]
    assert "level" not in steps[1]["sensors"]["it"]


def test_second_recipe_is_used_above_half_a_level_without_flicker(sense):
    usual, cheap = {"wood": 2, "thread": 10}, {"wood": 2, "thread": 1}
    sensor = {"kind": "adc", "pin": 34, "good": "bed", "recipe": [usual, cheap], "yield": None}
    levels = [(0, usual), (540, usual), (550, cheap), (460, cheap), (449, usual), (1000, cheap)]
    steps = sense(sensor, *[({"34": raw}, 1) for raw, _ in levels])
    assert [step["needs"]["bed"] for step in steps] == [needs for _, needs in levels]
    assert {step["yield_mills"]["bed"] for step in steps} == {1000}


def test_recipe_of_failed_sensor_is_the_first_one_after_a_minute(sense):
    sensor = {"kind": "bh1750", "scl": 22, "sda": 21, "recipe": [{"thread": 3}, {}], "yield": None}
    steps = sense(sensor, ({"21": {"35": "ffff"}}, 3), ({"21": {}}, MINUTE - 1), ({}, 1))
    assert [step["needs"]["wood"] for step in steps] == [{}, {}, {"thread": 3}]
