"""What the board senses, and which yields follow from it.

Here: reading -> level 0..1 by the sensor's own low and high -> smoothed -> yield. All of it is integers: levels are
thousandths, finer inside the smoothing. Not here: what a yield does (deskonomy/city.py), which sensors there are
(config.json). Another kind of sensor is another class like Adc and a row of KINDS.
"""

import asyncio

from machine import ADC, Pin
from micropython import const

_SAMPLE_MS = const(100)
_SMOOTHING = const(4)  # each sample counts for one part in so many: a step is nine tenths done after 9 samples
_FINE = const(256)  # parts of a thousandth that smoothing works in, so that it does not stop short


class Adc:
    """A voltage on an analog pin; raw is 0..4095."""

    def __init__(self, settings):
        self._adc = ADC(Pin(settings["pin"]), atten=ADC.ATTN_11DB)

    def read(self):
        return self._adc.read()


KINDS = {"adc": Adc}


class Sensor:
    """One sensor as config.json describes it. raw: the last reading. level: smoothed, in thousandths."""

    def __init__(self, settings):
        self.name = settings["name"]
        self.good = settings["good"]
        self._source = KINDS[settings["kind"]](settings)
        self._low = settings["low"]
        self._span = settings["high"] - settings["low"]
        self._yield_low, self._yield_high = [round(value * 1000) for value in settings["yield"]]
        self._fine = None
        self.sample()

    def sample(self):
        """Read it once."""
        self.raw = self._source.read()
        level = max(0, min(1000, (self.raw - self._low) * 1000 // self._span)) * _FINE
        if self._fine is None:
            self._fine = level
        self._fine += (level - self._fine) // _SMOOTHING
        self.level = (self._fine + _FINE // 2) // _FINE

    def yield_mills(self):
        """The yield that goes with the level, in mills of a unit."""
        return self._yield_low + (self._yield_high - self._yield_low) * self.level // 1000


async def follow(sensors, city):
    """Let the city's yields follow these sensors, for ever."""
    while True:
        for sensor in sensors:
            sensor.sample()
            city.set_yield(sensor.good, sensor.yield_mills())
        await asyncio.sleep_ms(_SAMPLE_MS)
