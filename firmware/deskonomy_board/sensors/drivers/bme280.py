"""BME280 over I2C: hundredths of a degree Celsius or of a per cent of humidity, or Pa. A BMP280 has no humidity.

The chip measures by itself once a second. What it gives becomes numbers by the calibration that lies in it, with the
integer formulas of Bosch's datasheet BST-BME280-DS002, section 4.2.3; as there, shifts round down.
"""

import struct

from machine import Pin, SoftI2C
from micropython import const

_ID = const(0xD0)
_BME280 = const(0x60)
_BMP280 = const(0x58)
_CTRL_HUM = const(0xF2)
_CTRL_MEAS = const(0xF4)
_CONFIG = const(0xF5)
_DATA = const(0xF7)
_SAMPLES = const(10)  # from one measurement to the next
_NONE = const(0x80000)  # what it gives before its first measurement


def readings(settings):
    bus = SoftI2C(scl=Pin(settings["scl"]), sda=Pin(settings["sda"]), freq=100_000, timeout=1000)
    address, what = settings.get("address", 0x76), settings["reads"]
    chip = bus.readfrom_mem(address, _ID, 1)[0]
    if chip != _BME280 and (chip != _BMP280 or what == "humidity"):
        raise OSError("a chip 0x%02x has no %s" % (chip, what))
    dig_t = struct.unpack("<Hhh", bus.readfrom_mem(address, 0x88, 6))
    dig = dig_t
    if what == "pressure":
        dig = struct.unpack("<Hhhhhhhhh", bus.readfrom_mem(address, 0x8E, 18))
    elif what == "humidity":
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", bus.readfrom_mem(address, 0xE1, 7))
        dig = bus.readfrom_mem(address, 0xA1, 1)[0], h2, h3, e4 << 4 | e5 & 15, e6 << 4 | e5 >> 4, h6
    # Asleep, which is when it takes settings; one second between measurements; each once, by itself.
    for register, value in ((_CTRL_MEAS, 0), (_CONFIG, 0xA0), (_CTRL_HUM, 1), (_CTRL_MEAS, 0x27)):
        bus.writeto_mem(address, register, bytes((value,)))
    yield None
    while True:
        data = bus.readfrom_mem(address, _DATA, 8)
        adc = data[3] << 12 | data[4] << 4 | data[5] >> 4
        if adc == _NONE:
            raise OSError("it lost its power")
        fine = fine_temperature(adc, dig_t)
        if what == "temperature":
            yield (fine * 5 + 128) >> 8
        elif what == "pressure":
            yield pressure(data[0] << 12 | data[1] << 4 | data[2] >> 4, fine, dig)
        else:
            yield humidity(data[6] << 8 | data[7], fine, dig)
        for _ in range(_SAMPLES - 1):
            yield None


def fine_temperature(adc, dig):
    """The temperature in 1/5120 of a degree."""
    t1, t2, t3 = dig
    deviation = (adc >> 4) - t1
    return (((adc >> 3) - (t1 << 1)) * t2 >> 11) + ((deviation * deviation >> 12) * t3 >> 14)


def pressure(adc, fine, dig):
    """In Pa, rounded; 0 for a calibration of zeros."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = dig
    warmth = fine - 128000
    offset = warmth * warmth * p6 + (warmth * p5 << 17) + (p4 << 35)
    scale = ((1 << 47) + (warmth * warmth * p3 >> 8) + (warmth * p2 << 12)) * p1 >> 33
    if scale == 0:
        return 0
    p = ((1048576 - adc << 31) - offset) * 3125 // scale
    p = (p + ((p9 * (p >> 13) * (p >> 13)) >> 25) + (p8 * p >> 19) >> 8) + (p7 << 4)
    return p + 128 >> 8


def humidity(adc, fine, dig):
    """In hundredths of a per cent, rounded."""
    h1, h2, h3, h4, h5, h6 = dig
    warmth = fine - 76800
    gain = ((warmth * h6 >> 10) * ((warmth * h3 >> 11) + 32768) >> 10) + 2097152
    h = ((adc << 14) - (h4 << 20) - h5 * warmth + 16384 >> 15) * (gain * h2 + 8192 >> 14)
    h -= ((h >> 15) * (h >> 15) >> 7) * h1 >> 4
    return max(0, min(419430400, h)) * 25 + (1 << 19) >> 20
