"""Stands in for the ESP32's `ds18x20`: thermometers whose nine bytes the simulator puts on the wire, see onewire.py.

A thermometer answers with the bytes at the begin of its latest conversion, from 750 ms after that; before, with
85 degrees, as after power-on.
"""

import time
from binascii import hexlify, unhexlify

from onewire import _conversions

_POWER_ON = "50054b467fff0c101c"
_NOTHING = "ff" * 9  # no thermometer pulls the wire down
_CONVERSION_MS = 750


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)

    def scan(self):
        return [rom for rom in self.ow.scan() if rom[0] in (0x10, 0x22, 0x28)]

    def read_scratch(self, rom):
        self.ow.reset(True)
        began, answer = _conversions.get((self.ow.pin._id, hexlify(rom).decode()), (None, None))
        done = began is not None and time.ticks_diff(time.ticks_ms(), began) >= _CONVERSION_MS
        self.buf[:] = unhexlify((answer or _NOTHING) if done else _POWER_ON)
        if self.ow.crc8(self.buf):
            raise Exception("CRC error")
        return self.buf
