"""Answers that a sensor cannot give, with right checksums: a failure with its bytes in the log, never a reading.

The ranges and power-on values are those of the datasheets; the source of each rule stands beside it.
"""

import pytest
from helpers.sensor_bytes import BMP280, FIRST_BME280, crc8, scratchpad

ROM = "28ff641e8c160432"
I2C = {"scl": 22, "sda": 21}


def dht(*data):
    """Return the five bytes of a DHT with these four, and their checksum."""
    return bytes([*data, sum(data) & 255]).hex()


def with_byte_6(pad, value):
    """Return a scratchpad with another byte 6, and the checksum of that."""
    data = bytes.fromhex(pad)[:6] + bytes([value]) + bytes.fromhex(pad)[7:8]
    return (data + bytes([crc8(data)])).hex()


def bme280(data, chip=FIRST_BME280, **registers):
    return {"21": {"118": {**chip, str(0xF7): data, **registers}}}


def read(sense, kind, pins, samples=30, **settings):
    """Return the status of a sensor that has had these answers for some seconds, and the log."""
    [result] = sense({"kind": kind, **settings}, (pins, samples))
    return result["sensors"]["it"], result["log"]


@pytest.mark.parametrize(
    "data, hundredths",
    [
        ("02b7ffeaa2", -220),  # two's complement, as some makers send it; Tasmota tells both apart by the high nibble
        ("02b7fe70" + "27", -4000),
        ("02b78016" + "4f", -220),
        ("02b78190" + "ca", -4000),
        ("02b70320" + "dc", 8000),
    ],
)
def test_dht22_temperature_has_sign_bit_or_is_twos_complement(sense, data, hundredths):
    status, _ = read(sense, "dht22", {"4": data}, pin=4, reads="temperature")
    assert status["raw"] == hundredths


@pytest.mark.parametrize("reads", ["temperature", "humidity"])
@pytest.mark.parametrize(
    "kind, data",
    [
        ("dht22", "02b70ff8c0"),  # 408.8 degrees
        ("dht22", "81 00 00 d2 53".replace(" ", "")),  # 3302.4 %
        ("dht22", dht(0x02, 0xB7, 0x03, 0x21)),  # 80.1 degrees
        ("dht22", dht(0x02, 0xB7, 0x81, 0x91)),  # -40.1
        ("dht22", dht(0x02, 0xB7, 0xFE, 0x6F)),  # -40.1 as a two's complement
        ("dht22", dht(0x03, 0xE9, 0x00, 0xD2)),  # 100.1 %
        ("dht22", "0000000000"),  # a data wire at ground: a right checksum
        ("dht22", dht(53, 0, 24, 0)),  # a DHT11's answer
        ("dht11", dht(0x02, 0x8C, 0x01, 0x5F)),  # a DHT22's answer
        ("dht11", dht(4, 9, 24, 0)),
        ("dht11", dht(95, 1, 24, 0)),
        ("dht11", dht(53, 0, 60, 1)),
        ("dht11", dht(53, 0, 20, 0x81)),
        ("dht11", dht(53, 10, 24, 0)),  # ten tenths
        ("dht11", dht(53, 0, 24, 10)),
        ("dht11", "0000000000"),
    ],
)
def test_impossible_answer_of_dht_is_failure_of_both_quantities(sense, kind, data, reads):
    status, log = read(sense, kind, {"4": data}, 60, pin=4, reads=reads)
    assert status == {"good": "wood", "error": f"impossible answer {data}"}
    assert log == [f"sensor it: impossible answer {data}. Is it wired as config.json says?"]


@pytest.mark.parametrize("sixteenths", [0x07FF, 125 * 16 + 1, -55 * 16 - 1, 0x0FFF, -0x8000])
def test_temperature_of_ds18b20_outside_its_range_is_failure(sense, sixteenths):
    pad = scratchpad(sixteenths)
    status, log = read(sense, "ds18b20", {"4": {ROM: pad}}, 60, pin=4)
    assert status == {"good": "wood", "error": f"impossible answer {pad}"} and pad in log[0]


def test_85_degrees_of_ds18b20_is_power_on_value_only_with_its_byte_6(sense):
    """As in Linux' w1_therm: byte 6 is 0x0C at power-on, and 0x10 less the sixteenths after a conversion."""
    status, _ = read(sense, "ds18b20", {"4": {ROM: with_byte_6(scratchpad(0x0550), 0x10)}}, pin=4)
    assert status["raw"] == 8500
    status, _ = read(sense, "ds18b20", {"4": {ROM: with_byte_6(scratchpad(0x0550), 0x0C)}}, 60, pin=4)
    assert status["error"] == "it lost its power while it measured"


@pytest.mark.parametrize("reads", ["temperature", "humidity", "pressure"])
@pytest.mark.parametrize("data", ["00" * 8, "ff" * 8, "491d00ffff007718", "491d000001007718"])
def test_impossible_temperature_of_bme280_is_failure_of_every_quantity(sense, data, reads):
    status, log = read(sense, "bme280", bme280(data), 40, **I2C, reads=reads)
    assert status == {"good": "wood", "error": f"impossible answer {data}"} and data in log[0]


@pytest.mark.parametrize(
    "reads, data",
    [
        ("pressure", "8000008334007718"),  # not measured, by the datasheet's section on skipped measurements
        ("humidity", "491d008334008000"),
        ("pressure", "0000008334007718"),  # above 1100 hPa
        ("pressure", "ffff008334007718"),  # below 300 hPa
    ],
)
def test_skipped_or_impossible_quantity_of_bme280_is_failure_of_that_quantity(sense, reads, data):
    status, _ = read(sense, "bme280", bme280(data), 40, **I2C, reads=reads)
    assert status["error"] == f"impossible answer {data}"
    status, _ = read(sense, "bme280", bme280(data), 40, **I2C, reads="temperature")
    assert status["raw"] == 2610


@pytest.mark.parametrize(
    "reads, register, count", [("temperature", 0x88, 6), ("pressure", 0x88, 24), ("humidity", 0xE1, 7)]
)
@pytest.mark.parametrize("filler", ["00", "ff"])
def test_empty_calibration_of_bme280_is_failure(sense, reads, register, count, filler):
    devices = bme280("491d008334007718", **{str(register): filler * count})
    status, _ = read(sense, "bme280", devices, 40, **I2C, reads=reads)
    assert status["error"].startswith("impossible calibration " + filler * 6)


def test_power_on_values_of_bmp280_are_failure(sense):
    status, _ = read(sense, "bme280", bme280("8000008000000000", BMP280), 40, **I2C, reads="pressure")
    assert status["error"] == "it lost its power"


@pytest.mark.parametrize(
    "reading, error",
    [
        (128, "this chip has no thermometer, it reads 128"),  # as ESPHome has it
        (0, "impossible answer 0"),
        (255, "impossible answer 255"),
    ],
)
def test_impossible_chip_temperature_of_esp32_is_failure(sense, reading, error):
    status, log = read(sense, "mcu", {"mcu": reading}, 40)
    assert status == {"good": "wood", "error": error} and len(log) == 1


@pytest.mark.parametrize("celsius", [-41, 126.5])
def test_impossible_chip_temperature_of_s3_or_c3_is_failure(sense, celsius):
    [result] = sense({"kind": "mcu"}, ({"mcu": celsius}, 40), celsius=True)
    assert result["sensors"]["it"]["error"] == f"impossible answer {celsius}"


@pytest.mark.parametrize("rssi", [0, 31, -127, -128])
def test_impossible_signal_strength_is_failure(sense, rssi):
    status, _ = read(sense, "rssi", {"rssi": rssi}, 40)
    assert status["error"] == f"impossible answer {rssi}"


def test_signal_below_range_is_its_lowest(sense):
    status, _ = read(sense, "rssi", {"rssi": -104}, 1)
    assert status["raw"] == -100


def test_touch_pad_that_has_not_measured_has_no_reading_and_then_fails(sense):
    first, later, touched = sense({"kind": "touch", "pin": 33}, ({"33": 0}, 10), ({}, 50), ({"33": 400}, 30))
    assert first["sensors"]["it"] == {"good": "wood"} and first["log"] == []
    assert later["sensors"]["it"]["error"] == "impossible answer 0"
    assert touched["sensors"]["it"]["raw"] == 400


def test_touch_pad_that_never_charges_is_failure(sense):
    status, _ = read(sense, "touch", {"33": 0x3FFFFF}, 40, pin=33)
    assert status["error"] == "impossible answer 4194303"


@pytest.mark.parametrize("bad", ["02b70ff8c0", "810000d253"])
def test_impossible_answer_among_good_ones_changes_neither_reading_nor_level(sense, bad):
    sensor = {"kind": "dht22", "pin": 4, "reads": "temperature", "low": -4000, "high": 8000}
    good, once = {"4": "028c015fee"}, {"4": bad}
    steps = sense(sensor, (good, 20), (once, 20), (good, 60), (good, 100))
    assert [step["sensors"]["it"]["raw"] for step in steps] == [3510] * 4
    assert len({step["sensors"]["it"]["level"] for step in steps}) == 1
    assert [step["sensors"]["it"].get("failures") for step in steps] == [None, 1, 1, None]
    assert not any(step["log"] for step in steps)


def test_failures_that_alternate_with_readings_are_reported_once(sense):
    good, bad = ({"4": "028c015fee"}, 20), ({"4": "02b70ff8c0"}, 20)
    *steps, calm = sense({"kind": "dht22", "pin": 4, "reads": "humidity"}, *6 * [good, bad], ({"4": "028c015fee"}, 140))
    log = [line for step in steps for line in step["log"]]
    assert log == ["sensor it: impossible answer 02b70ff8c0. Is it wired as config.json says?"]
    assert steps[-2]["sensors"]["it"] == {"good": "wood", "error": "impossible answer 02b70ff8c0"}  # after a reading
    assert (calm["log"], calm["sensors"]["it"]["raw"]) == (["sensor it is back"], 6520)


def test_two_failures_a_minute_apart_are_not_reported(sense):
    good, bad = ({"4": "028c015fee"}, 580), ({"4": "02b70ff8c0"}, 20)
    steps = sense({"kind": "dht22", "pin": 4, "reads": "humidity"}, *4 * [good, bad], good)
    assert not any(step["log"] for step in steps)
