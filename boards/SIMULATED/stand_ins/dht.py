"""Stands in for the ESP32's `dht`: sensors that send what the simulator puts on their pin, five bytes in hex.

As on a board, an empty pin is a timeout, and so is a second measurement within two seconds.
"""

import time
from binascii import unhexlify

import hardware

_measured = {}  # pin: time of its latest measurement


class DHTBase:
    def __init__(self, pin):
        self.pin = pin
        self.buf = bytearray(5)

    def measure(self):
        data = hardware.read("pins").get(str(self.pin._id))
        now = time.ticks_ms()
        too_soon = self.pin._id in _measured and time.ticks_diff(now, _measured[self.pin._id]) < 2000
        _measured[self.pin._id] = now
        if not data or too_soon:
            raise OSError(116)  # an ESP32's ETIMEDOUT
        self.buf[:] = unhexlify(data)
        if sum(self.buf[:4]) & 255 != self.buf[4]:
            raise Exception("checksum error")
