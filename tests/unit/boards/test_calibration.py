"""Calibration: readings that fail, cannot be or are not there yet do not count, nor a single one far off."""

import pytest
from deskonomy_host.boards.calibration import Calibration
from deskonomy_host.boards.spec.defaults import find_quantity


def calibrate(sensor, *statuses):
    calibration = Calibration(find_quantity(sensor))
    for status in statuses:
        calibration.add(status)
    return calibration


def readings(*raw):
    return [{"good": "wood", "raw": reading, "level": 0.5} for reading in raw]


DHT22 = {"kind": "dht22", "reads": "temperature"}


@pytest.mark.parametrize("impossible", [-32746, 4088 * 10, 8001, -4001])
def test_reading_outside_range_of_sensor_is_ignored_and_counted(impossible):
    calibration = calibrate(DHT22, *readings(1500, impossible, 3000))
    assert calibration.find_levels() == (1500, 3000)
    assert calibration.describe_ignored() == "not counted: 1 that failed or cannot be"


def test_failures_between_two_statuses_are_counted():
    statuses = readings(1500, 1500, 1500, 3000)
    statuses[1]["failures"], statuses[2]["failures"] = 1, 2
    calibration = calibrate(DHT22, *statuses, {"error": "checksum error"})
    assert (calibration.failed, calibration.error) == (3, "checksum error")
    assert calibration.find_levels() == (1500, 3000)


def test_signal_without_wifi_and_absent_reading_are_not_counted():
    calibration = calibrate({"kind": "rssi"}, {"good": "wood"}, *readings(-100, -100, -61, -60, -48))
    assert calibration.find_levels() == (-61, -48)
    assert calibration.describe_ignored() == "not counted: 3 before the sensor was ready"


def test_single_reading_far_off_among_ten_is_no_level():
    calibration = calibrate({"kind": "adc"}, *readings(*[800] * 5, 0, 4095, *[2500] * 5))
    assert calibration.find_levels() == (800, 2500)


def test_levels_are_percentiles_of_many_readings():
    calibration = calibrate({"kind": "adc"}, *readings(*range(1000)))
    assert calibration.find_levels() == (20, 979)


def test_few_readings_count_all_and_nothing_is_reported_as_ignored():
    calibration = calibrate({"kind": "adc"}, *readings(800, 2500))
    assert (calibration.find_levels(), calibration.describe_ignored()) == ((800, 2500), "")


def test_driver_of_owner_has_no_range():
    calibration = calibrate({"kind": "drivers/mine"}, *readings(-90_000, 5, 9_000_000))
    assert calibration.find_levels() == (-90_000, 9_000_000)
