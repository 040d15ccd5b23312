"""Stands in for a part of the ESP32's `machine`: an I2C bus with the chips that the simulator puts on its SDA pin.

They are {address: bytes} for a chip without registers and {address: {register: bytes from there on}} for one with
registers; addresses and registers are decimal text, bytes are hex. Other addresses are not acknowledged.
"""

from binascii import unhexlify

import hardware
import machine


class SoftI2C:
    def __init__(self, scl, sda, *, freq=400_000, timeout=50_000):
        self._sda = str(sda._id)

    def _chip(self, address):
        chips = hardware.read("pins").get(self._sda) or {}
        if str(address) not in chips:
            raise OSError(19)  # ENODEV
        return chips[str(address)]

    def writeto(self, address, data):
        self._chip(address)
        return len(data)

    def readfrom(self, address, count):
        return unhexlify(self._chip(address))[:count]

    def readfrom_mem(self, address, register, count):
        chip = self._chip(address)
        for begin in chip:
            data = unhexlify(chip[begin])
            offset = register - int(begin)
            if 0 <= offset < len(data):
                return (data[offset:] + bytes(count))[:count]
        return bytes(count)

    def writeto_mem(self, address, register, data):
        self._chip(address)


machine.SoftI2C = SoftI2C
