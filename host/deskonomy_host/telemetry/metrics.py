"""Metrics: the numbers of a status that are kept over time, and rates that follow from successive statuses.

Here: a status in, {metric: number} out. Not here: time series of metrics (timeseries.py).
"""

# pyright: strict
from collections import deque
from typing import NamedTuple

from deskonomy_host.telemetry.schema import Status

_RATE_SAMPLES = 6  # a rate is the mean over so many samples, because residents act at random moments
_STANDSTILL_S = 2  # a tick that has not changed for so long stands still; a board reports once a second only
_COUNTER_MAX = 2**30  # a city's counters wrap there


class _Mark(NamedTuple):
    """The counters of a city at one moment."""

    time_s: float
    tick: int
    made: dict[str, int]  # {good: units}


class MetricReader:
    """Reads the metrics of statuses, and remembers the latest counters of each city for its rates."""

    def __init__(self) -> None:
        self._marks: dict[str, deque[_Mark]] = {}  # by city, the oldest first

    def read(self, time_s: float, status: Status) -> dict[str, float]:
        """Return the metrics of a city's status.

        Args:
            time_s: When the status was read; later than in the previous call for the same city.
            status: The status of the city.

        Returns:
            money: all money in coins, with that of merchants under way.
            price.GOOD.min, price.GOOD.mean, price.GOOD.max: expected prices in coins.
            yield.GOOD: units an act.
            made.GOOD: units a second, once two samples are known.
            sensor.NAME: 0 to 1.
        """
        under_way = status["detail"]["under_way"] if "detail" in status else 0
        metrics = {"money": status["money"]["total"] + under_way}
        for good, price in status["price"].items():
            metrics[f"price.{good}.min"] = price["min"]
            metrics[f"price.{good}.mean"] = price["mean"]
            metrics[f"price.{good}.max"] = price["max"]
            metrics[f"yield.{good}"] = status["yield"][good]
        for name, sensor in status.get("sensors", {}).items():
            if "level" in sensor:
                metrics[f"sensor.{name}"] = sensor["level"]
        return metrics | self._read_rates(time_s, status)

    def _read_rates(self, time_s: float, status: Status) -> dict[str, float]:
        marks = self._marks.setdefault(status["city"], deque(maxlen=_RATE_SAMPLES))
        if marks and status["tick"] < marks[-1].tick:
            marks.clear()  # the city was reset, and its counters with it
        if not marks or status["tick"] != marks[-1].tick or time_s - marks[-1].time_s >= _STANDSTILL_S:
            marks.append(_Mark(time_s, status["tick"], status.get("made", {})))
        first, last = marks[0], marks[-1]
        seconds = last.time_s - first.time_s
        if not seconds:
            return {}
        return {
            f"made.{good}": (count - first.made.get(good, count)) % _COUNTER_MAX / seconds
            for good, count in last.made.items()
        }
