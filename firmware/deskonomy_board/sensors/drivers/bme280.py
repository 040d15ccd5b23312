"""BME280 over I2C: hundredths of a degree Celsius or of a per cent of humidity, or Pa. A BMP280 has no humidity.

The chip measures by itself once a second. Its data become readings by the calibration in the chip, with the integer
formulas of Bosch's datasheet BST-BME280-DS002, section 4.2.3; as there, shifts round down.

The datasheet gives the range: -40 to 85 degrees, 0 to 100 %, 300 to 1100 hPa. A bus at ground answers zeros, an open
one ones; both show in the calibration or in the temperature, which every other quantity needs.
"""

import struct

from deskonomy.compat import TYPE_CHECKING
from machine import Pin, SoftI2C
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ID = const(0xD0)
_BME280 = const(0x60)
_BMP280 = const(0x58)
_CTRL_HUM = const(0xF2)
_CTRL_MEAS = const(0xF4)
_CONFIG = const(0xF5)
_DATA = const(0xF7)
_MEASUREMENT_SAMPLES = const(10)  # from one measurement to the next
_NO_DATA = const(0x80000)  # of temperature and pressure: before the first measurement, or not measured
_NO_HUMIDITY = const(0x8000)  # the same of humidity


def read_sensor(settings: dict) -> "Iterator[int | None]":
    """Yield readings of the quantity that the setting `reads` names, None between two measurements.

    Raises:
        OSError: The chip does not answer, has no such quantity, or has lost its power.
    """
    bus = SoftI2C(scl=Pin(settings["scl"]), sda=Pin(settings["sda"]), freq=100_000, timeout=1000)
    address, quantity = settings.get("address", 0x76), settings["reads"]
    chip = bus.readfrom_mem(address, _ID, 1)[0]
    if chip != _BME280 and (chip != _BMP280 or quantity == "humidity"):
        raise OSError("a chip 0x%02x has no %s" % (chip, quantity))
    dig_t = struct.unpack("<Hhh", read_calibration(bus, address, 0x88, 6))
    dig = dig_t
    if quantity == "pressure":
        dig = struct.unpack("<Hhhhhhhhh", read_calibration(bus, address, 0x8E, 18))
    elif quantity == "humidity":
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", read_calibration(bus, address, 0xE1, 7))
        dig = bus.readfrom_mem(address, 0xA1, 1)[0], h2, h3, e4 << 4 | e5 & 15, e6 << 4 | e5 >> 4, h6
    # Sleep mode, the only one in which the chip takes settings; a second between measurements; single oversampling.
    for register, value in ((_CTRL_MEAS, 0), (_CONFIG, 0xA0), (_CTRL_HUM, 1), (_CTRL_MEAS, 0x27)):
        bus.writeto_mem(address, register, bytes((value,)))
    yield None
    while True:
        data = bus.readfrom_mem(address, _DATA, 8)
        adc = data[3] << 12 | data[4] << 4 | data[5] >> 4
        if adc == _NO_DATA:
            raise OSError("it lost its power")
        fine = compute_fine_temperature(adc, dig_t)
        reading = fine * 5 + 128 >> 8
        is_possible = -4000 <= reading <= 8500
        if quantity == "pressure":
            adc = data[0] << 12 | data[1] << 4 | data[2] >> 4
            reading = compute_pressure(adc, fine, dig)
            is_possible = is_possible and adc != _NO_DATA and 30_000 <= reading <= 110_000
        elif quantity == "humidity":
            adc = data[6] << 8 | data[7]
            reading = compute_humidity(adc, fine, dig)
            is_possible = is_possible and adc != _NO_HUMIDITY
        if not is_possible:
            raise OSError("impossible answer " + data.hex())
        yield reading
        for _ in range(_MEASUREMENT_SAMPLES - 1):
            yield None


def read_calibration(bus: SoftI2C, address: int, register: int, count: int) -> bytes:
    """Return a part of the chip's calibration. Raises OSError if all its bytes are the same, as no chip has them."""
    block = bus.readfrom_mem(address, register, count)
    if len(set(block)) == 1:
        raise OSError("impossible calibration " + block.hex())
    return block


def compute_fine_temperature(adc: int, dig: "Sequence[int]") -> int:
    """Return the temperature in 1/5120 of a degree, from the chip's data and its calibration T1 to T3."""
    t1, t2, t3 = dig
    deviation = (adc >> 4) - t1
    return (((adc >> 3) - (t1 << 1)) * t2 >> 11) + ((deviation * deviation >> 12) * t3 >> 14)


def compute_pressure(adc: int, fine: int, dig: "Sequence[int]") -> int:
    """Return the pressure in Pa, from data, fine temperature and calibration P1 to P9; 0 if that is all zeros."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = dig
    warmth = fine - 128000
    offset = warmth * warmth * p6 + (warmth * p5 << 17) + (p4 << 35)
    scale = ((1 << 47) + (warmth * warmth * p3 >> 8) + (warmth * p2 << 12)) * p1 >> 33
    if scale == 0:
        return 0
    p = ((1048576 - adc << 31) - offset) * 3125 // scale
    p = (p + ((p9 * (p >> 13) * (p >> 13)) >> 25) + (p8 * p >> 19) >> 8) + (p7 << 4)
    return p + 128 >> 8


def compute_humidity(adc: int, fine: int, dig: "Sequence[int]") -> int:
    """Return the humidity in hundredths of a per cent, from data, fine temperature and calibration H1 to H6."""
    h1, h2, h3, h4, h5, h6 = dig
    warmth = fine - 76800
    gain = ((warmth * h6 >> 10) * ((warmth * h3 >> 11) + 32768) >> 10) + 2097152
    h = ((adc << 14) - (h4 << 20) - h5 * warmth + 16384 >> 15) * (gain * h2 + 8192 >> 14)
    h -= ((h >> 15) * (h >> 15) >> 7) * h1 >> 4
    return max(0, min(419430400, h)) * 25 + (1 << 19) >> 20
