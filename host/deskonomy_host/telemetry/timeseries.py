"""Time series in memory: metrics of each city over time, recent samples as they were, older ones merged.

Here: adding samples and merging rows. Not here: which rows are merged (thinning.py), which metrics a status gives
(metrics.py).
"""

# pyright: strict
import math
from array import array
from collections.abc import Mapping

from deskonomy_host.telemetry.thinning import Thinning

RECENT = 300  # samples kept as they were: 150 s of them, and the page begins with the latest 2 minutes
OLDER = 60  # rows of each further age: a series of an hour has some 650 rows, one of a day some 950


class TimeSeries:
    """Columns of numbers over time.

    A metric whose name ends in ".min" or ".max" keeps its lowest or highest value when rows are merged, any other the
    mean of the two rows. A merged row has the time of its first sample.

    Attributes:
        times: The time of each row in seconds, the oldest first.
        columns: {city: {metric: values}}, each as long as `times`; NaN where no value is known.
        thinning: The rows by age.
    """

    def __init__(self, recent: int = RECENT, older: int = OLDER) -> None:
        """Create an empty series; see Thinning for its limits."""
        self.times = array("d")
        self.columns: dict[str, dict[str, array[float]]] = {}
        self.thinning = Thinning(recent, older)

    def add(self, time_s: float, metrics: Mapping[str, Mapping[str, float]]) -> None:
        """Add a sample, {city: {metric: value}}, that was taken at this time."""
        for city, named in metrics.items():
            columns = self.columns.setdefault(city, {})
            for name in named.keys() - columns.keys():
                columns[name] = array("d", [math.nan]) * len(self.times)
        self.times.append(time_s)
        for city, columns in self.columns.items():
            named = metrics.get(city, {})
            for name, column in columns.items():
                column.append(named.get(name, math.nan))
        for row in self.thinning.add():
            self._merge(row)

    def clear(self) -> None:
        """Remove all samples."""
        self.times = array("d")
        self.columns = {}
        self.thinning = Thinning(self.thinning.recent, self.thinning.older)

    def _merge(self, row: int) -> None:
        """Replace a row and the next one by one row."""
        del self.times[row + 1]
        for columns in self.columns.values():
            for name, column in columns.items():
                column[row] = _merge_values(name, column[row], column[row + 1])
                del column[row + 1]


def _merge_values(name: str, first: float, second: float) -> float:
    if math.isnan(first):
        return second
    if math.isnan(second):
        return first
    if name.endswith(".min"):
        return min(first, second)
    if name.endswith(".max"):
        return max(first, second)
    return (first + second) / 2
