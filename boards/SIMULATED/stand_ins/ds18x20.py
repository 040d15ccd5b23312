"""Stands in for the ESP32's `ds18x20`: thermometers whose nine bytes are what lies on the wire, see onewire.py.

What was there when a conversion began is what they answer from 750 ms later on; until then 85 degrees, as after
power-on.
"""

import time
from binascii import hexlify, unhexlify

_POWER_ON = "50054b467fff0c101c"
_CONVERSION_MS = 750


class DS18X20:
    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)
        self._began = None
        self._answers = {}

    def scan(self):
        return [rom for rom in self.ow.scan() if rom[0] in (0x10, 0x22, 0x28)]

    def convert_temp(self):
        self.ow.reset(True)
        self._began = time.ticks_ms()
        self._answers = self.ow._answers()

    def read_scratch(self, rom):
        self.ow.reset(True)
        done = self._began is not None and time.ticks_diff(time.ticks_ms(), self._began) >= _CONVERSION_MS
        nothing = "ff" * 9  # the wire is pulled up, and nobody pulls it down
        self.buf[:] = unhexlify(self._answers.get(hexlify(rom).decode(), nothing) if done else _POWER_ON)
        if self.ow.crc8(self.buf):
            raise Exception("CRC error")
        return self.buf
