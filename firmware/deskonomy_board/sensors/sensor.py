"""A sensor: from its readings to the yield or the recipe of a good.

Here: reading -> level 0..1 between the sensor's own low and high -> smoothed -> yield or recipe; and what happens
without a reading. All of it is integers: levels are thousandths, with a finer resolution inside the smoothing.
Not here: how a kind of sensor is read (drivers/), the effect of a yield (deskonomy/economy/), the sensors of a board
(config.json).

A driver is a module of drivers/, loaded only if a sensor is of its kind, with a generator read_sensor(settings). The
generator is asked for one reading a sample, at least 100 ms after the last one. It never waits: it yields None while it
has no reading. An exception means that the sensor failed, or its driver; a new generator then sets up the sensor again.
A driver of the board's owner is a module of the folder /drivers, such as drivers/soil.py for the kind "drivers/soil".
"""

import asyncio
import json

from deskonomy.compat import TYPE_CHECKING
from deskonomy.events import SENSOR_FAILED, SENSOR_RESTORED
from deskonomy.text import format_decimal, quote
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deskonomy.economy.city import City

_SAMPLE_MS = const(100)
_SMOOTHING = const(4)  # a reading counts for one part in so many: a step is nine tenths done after 9 readings
_FINE = const(256)  # parts of a thousandth inside the smoothing, so that it reaches the end of a step
_RETRY_SAMPLES = const(20)  # from a failure to the next attempt
_FAILURES_MIN = const(2)  # failures in a row before one is reported: a single one is often a disturbance
_FAILURES_MAX = const(3)  # failures, with readings between them, before one is reported
_CALM_SAMPLES = const(100)  # without a failure, after which the earlier ones count no longer
_STALE_SAMPLES = const(600)  # without a reading, after which the yield returns to 1
_HALF_LEVEL = const(500)  # the second recipe is used from this level on,
_HYSTERESIS = const(50)  # plus or minus this much, so that recipes do not flicker


class Sensor:
    """A sensor as config.json describes it.

    Attributes:
        name: Its name.
        good: The good whose yield or recipe it sets.
        raw: The latest reading; None before the first.
        level: The smoothed level in thousandths; None before the first reading.
        error: Why there is no reading, or none to rely on; None while there are readings.
        samples: How often sample() was called.
    """

    def __init__(self, settings: dict, log: "Callable[[str, str], None]") -> None:
        self.name = settings["name"]
        self.good = settings["good"]
        self.raw = self.level = self.error = None
        self.samples = 0
        self._settings = settings
        self._log = log
        self._readings = None
        self._fine_level = 0
        self._failures = 0  # since the sensor was calm
        self._failures_in_row = 0
        self._disturbed = 0  # samples until the sensor is calm again
        self._stale = 0  # samples since the latest reading
        self._recipe = None  # 0 or 1, the recipe in use

    def sample(self) -> None:
        """Take a reading if the sensor has one. Never waits, and raises nothing."""
        self.samples += 1
        self._stale = min(self._stale + 1, _STALE_SAMPLES)
        if self._disturbed:
            self._disturbed -= 1
            if self._disturbed >= _CALM_SAMPLES - _RETRY_SAMPLES:
                return
        try:
            if self._readings is None:
                self._readings = _load_driver(self._settings["kind"])(self._settings)
            raw = next(self._readings)
            if raw is not None:
                self._handle_reading(int(raw))
        except Exception as error:  # the city goes on, whatever a driver raises
            self._handle_failure(error)

    def _handle_failure(self, error):
        reason, text = str(error), "sensor %s: %s. Is it wired as config.json says?"
        # A sensor fails by an OSError, a ValueError of an unsuitable pin, a plain Exception as of MicroPython's `dht`.
        if not self._readings or not (isinstance(error, (OSError, ValueError)) or type(error) is Exception):
            reason, text = "its driver failed: %s: %s" % (type(error).__name__, reason), "sensor %s: %s"
        elif not reason or (isinstance(error, OSError) and isinstance(error.errno, int)):
            reason = "no answer (%s)" % (reason or type(error).__name__)
        self._readings = None
        self._disturbed = _CALM_SAMPLES
        self._failures += 1
        self._failures_in_row += 1
        if self._failures_in_row >= _FAILURES_MIN or self._failures >= _FAILURES_MAX:
            if not self.error:
                self._log(SENSOR_FAILED, text % (self.name, reason))
            self.error = reason

    def _handle_reading(self, raw):
        if not self._disturbed:
            self._failures = 0
        # After an outage the first reading ends the error; between failures that come and go, only a calm time does.
        if self.error and self._failures - self._failures_in_row < _FAILURES_MAX - 1:
            self._log(SENSOR_RESTORED, "sensor %s is back" % self.name)
            self.error = None
        settings = self._settings
        low = settings["low"]
        fine_level = max(0, min(1000, (raw - low) * 1000 // (settings["high"] - low))) * _FINE
        if self.level is None:
            self._fine_level = fine_level
        self._fine_level += (fine_level - self._fine_level) // settings.get("smoothing", _SMOOTHING)
        self.level = (self._fine_level + _FINE // 2) // _FINE
        self.raw = raw
        self._failures_in_row = self._stale = 0

    def yield_mills(self) -> "int | None":
        """Return the yield for the level, in mills of a unit; None if the sensor sets no yield, or has no level yet."""
        yields = self._settings.get("yield")
        if yields is None or (self.level is None and self._stale < _STALE_SAMPLES):
            return None
        if self._stale == _STALE_SAMPLES:
            return 1000
        low, high = [round(units * 1000) for units in yields]
        return low + (high - low) * self.level // 1000

    def update_city(self, city: "City") -> None:
        """Set the yield or the recipe of the sensor's good in a city by the level."""
        yield_mills = self.yield_mills()
        if yield_mills is not None:
            city.set_yield(self.good, yield_mills)
        recipes = self._settings.get("recipe")
        if recipes:
            recipe = self._recipe
            if self._stale == _STALE_SAMPLES:
                recipe = 0
            elif self.level is not None:
                recipe = 1 if self.level >= _HALF_LEVEL + (-_HYSTERESIS if recipe else _HYSTERESIS) else 0
            if recipe != self._recipe:
                from deskonomy.economy.recipes import set_recipe

                set_recipe(city, self.good, recipes[recipe])
                self._recipe = recipe

    def status(self) -> "list[tuple[str, str]]":
        """Return the sensor's part of a status line as (name, JSON text) pairs."""
        pairs = [("good", quote(self.good))]
        if self.error:
            pairs.append(("error", json.dumps(self.error)))
        elif self.level is not None:
            pairs += [("raw", "%d" % self.raw), ("level", format_decimal(self.level))]
            if self._failures:
                pairs.append(("failures", "%d" % self._failures))
        return pairs


async def run_sensors(sensors: "Sequence[Sensor]", city: "City") -> None:
    """Sample the sensors ten times a second, and set the yields and recipes of a city by them, for ever."""
    while True:
        for sensor in sensors:
            sensor.sample()
            sensor.update_city(city)
        await asyncio.sleep_ms(_SAMPLE_MS)


def _load_driver(kind):
    """Return read_sensor() of the driver of a kind; a kind with a slash is the path of an owner's driver."""
    module = kind.replace("/", ".") if "/" in kind else "deskonomy_board.sensors.drivers." + kind
    return __import__(module, None, None, ("read_sensor",)).read_sensor
