"""Stands in for `neopixel`: a strip whose colours the simulator reads."""

import hardware


class NeoPixel:
    def __init__(self, pin, n, bpp=3, timing=1):
        self._pin = pin
        self._colours = [(0,) * bpp] * n

    def __len__(self):
        return len(self._colours)

    def __getitem__(self, i):
        return self._colours[i]

    def __setitem__(self, i, v):
        self._colours[i] = tuple(v)

    def fill(self, v):
        self._colours = [tuple(v)] * len(self._colours)

    def write(self):
        hardware.write("pin%d" % self._pin._id, self._colours)
