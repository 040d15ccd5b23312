"""Stands in for the ESP32's `onewire`: a wire with the devices that the simulator puts on its pin.

They are {rom: answer of that device}, all in hex.
"""

import time
from binascii import hexlify, unhexlify

import hardware

_CONVERT = 0x44
_conversions = {}  # (pin, rom): (begin of its latest conversion, its answer after that)


class OneWireError(Exception):
    pass


class OneWire:
    def __init__(self, pin):
        self.pin = pin
        self._selected = None

    def _answers(self):
        return hardware.read("pins").get(str(self.pin._id)) or {}

    def reset(self, required=False):
        present = bool(self._answers())
        if required and not present:
            raise OneWireError
        return present

    def select_rom(self, rom):
        self._selected = hexlify(rom).decode()

    def writebyte(self, value):
        if value == _CONVERT:
            _conversions[self.pin._id, self._selected] = (time.ticks_ms(), self._answers().get(self._selected))

    def scan(self):
        return [bytearray(unhexlify(rom)) for rom in sorted(self._answers())]

    def crc8(self, data):
        crc = 0
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
        return crc
