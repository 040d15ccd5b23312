"""Stands in for the ESP32's `esp32`: the temperature of the chip, which the simulator puts on a pin "mcu"."""

import hardware


def raw_temperature():
    return hardware.read("pins").get("mcu", 113)
