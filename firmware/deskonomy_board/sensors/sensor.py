"""What the board senses, and which yields and recipes follow from it.

Here: reading -> level 0..1 by the sensor's own low and high -> smoothed -> yield or recipe; and what happens when there
is no reading. All of it is integers: levels are thousandths, finer inside the smoothing. Not here: how a kind of sensor
is read (kinds/), what a yield does (deskonomy/city.py), which sensors there are (config.json).

A kind is a module of kinds/, loaded only if a sensor is of it, with a generator readings(settings). It is asked for one
reading a sample, at least 100 ms after the last, and never waits: it yields None while there is none yet. Whatever it
raises says that the sensor failed; it is then begun anew, and sets up its sensor again.
"""

import asyncio
import json

from deskonomy.status import decimal, quoted
from micropython import const

_SAMPLE_MS = const(100)
_SMOOTHING = const(4)  # each reading counts for one part in so many: a step is nine tenths done after 9 readings
_FINE = const(256)  # parts of a thousandth that smoothing works in, so that it does not stop short
_AGAIN = const(20)  # samples from a failure to the next try
_FAILURES = const(2)  # in a row that are worth a word: a single one is often a disturbance
_STALE = const(600)  # samples without a reading after which the yield goes to 1
_HALF = const(500)  # the level from which on the second recipe is followed,
_SWING = const(50)  # give or take this much, so that it does not flicker


class Sensor:
    """One sensor as config.json describes it.

    raw: the last reading, None before the first. level: smoothed, in thousandths. error: why there is none now, in
    words; None if all is well.
    """

    rounds = 0  # of follow(), which grow for as long as it lives

    def __init__(self, settings, log=print):
        self.name = settings["name"]
        self.good = settings["good"]
        self.raw = self.level = self.error = None
        self._settings = settings
        self._log = log
        self._readings = None
        self._fine = 0
        self._failures = 0
        self._pause = 0  # samples until it is tried again
        self._stale = 0  # samples since the last reading
        self._way = None  # which of two recipes is followed

    def sample(self):
        """Read it once, if it has a reading. Never waits, and raises nothing."""
        self._stale = min(self._stale + 1, _STALE)
        if self._pause:
            self._pause -= 1
            return
        try:
            if self._readings is None:
                self._readings = _kind(self._settings["kind"])(self._settings)
            raw = next(self._readings)
        except Exception as error:  # whatever a driver raises, the city goes on
            self._readings = None
            self._fail(error)
            return
        if raw is not None:
            self._take(raw)

    def _fail(self, error):
        words = str(error)
        if not words or (isinstance(error, OSError) and isinstance(error.errno, int)):
            words = "no answer (%s)" % (words or type(error).__name__)
        self._pause = _AGAIN
        self._failures += 1
        if self._failures == _FAILURES:
            self._log("sensor %s: %s. Is it wired as config.json says?" % (self.name, words))
        if self._failures >= _FAILURES:
            self.error = words

    def _take(self, raw):
        if self.error:
            self._log("sensor %s is back" % self.name)
        settings = self._settings
        low = settings["low"]
        fine = max(0, min(1000, (raw - low) * 1000 // (settings["high"] - low))) * _FINE
        if self.level is None:
            self._fine = fine
        self._fine += (fine - self._fine) // settings.get("smoothing", _SMOOTHING)
        self.level = (self._fine + _FINE // 2) // _FINE
        self.raw = raw
        self.error = None
        self._failures = self._stale = 0

    def yield_mills(self):
        """The yield that goes with the level, in mills of a unit; None if nothing says what it should be."""
        span = self._settings.get("yield")
        if span is None or (self.level is None and self._stale < _STALE):
            return None
        if self._stale == _STALE:
            return 1000
        low, high = [round(value * 1000) for value in span]
        return low + (high - low) * self.level // 1000

    def influence(self, city):
        """Let its good's yield, or recipe, follow the level."""
        yield_mills = self.yield_mills()
        if yield_mills is not None:
            city.set_yield(self.good, yield_mills)
        recipes = self._settings.get("recipe")
        if recipes:
            way = self._way
            if self._stale == _STALE:
                way = 0
            elif self.level is not None:
                way = 1 if self.level >= _HALF + (-_SWING if way else _SWING) else 0
            if way != self._way:
                from deskonomy.economy.recipes import set_recipe

                set_recipe(city, self.good, recipes[way])
                self._way = way

    def status(self):
        """Its part of a status line, as (name, JSON text) pairs."""
        pairs = [("good", quoted(self.good))]
        if self.error:
            pairs.append(("error", json.dumps(self.error)))
        elif self.level is not None:
            pairs += [("raw", "%d" % self.raw), ("level", decimal(self.level))]
        return pairs


def _kind(name):
    """Return readings() of a module of drivers/."""
    return __import__("deskonomy_board.sensors.drivers." + name, None, None, ("readings",)).readings


async def follow(sensors, city):
    """Let the city's yields and recipes follow these sensors, for ever."""
    while True:
        for sensor in sensors:
            sensor.sample()
            sensor.influence(city)
        Sensor.rounds += 1
        await asyncio.sleep_ms(_SAMPLE_MS)
