"""The past in bounded memory: numbers by city and name over time, recent ones as they were, old ones joined.

Here: keeping and joining. Not here: which numbers of a status are kept (feed.py). The page keeps its own the same way
(page/store.js).
"""

import math
from array import array

RECENT = 300  # samples that are kept as they were
OLD = 300  # rows of older samples at most; each stands for as many samples as it takes


class Track:
    """times: when, in seconds, oldest first. columns: {city: {name: array of doubles, NaN where nothing is known}}.

    A name that ends in ".min" or ".max" is joined as such, any other by the mean. At most OLD + RECENT + 2 * span rows.
    """

    def __init__(self, old=OLD, recent=RECENT):
        self.times = array("d")
        self.columns = {}
        self._old = old
        self._recent = recent
        self._joined = 0  # rows at the beginning that each stand for `span` samples
        self._span = 1

    def add(self, time_s, rows):
        """Add a sample: {city: {name: number}}."""
        for city, row in rows.items():
            columns = self.columns.setdefault(city, {})
            for name in row:
                if name not in columns:
                    columns[name] = array("d", [math.nan]) * len(self.times)
        self.times.append(time_s)
        for city, columns in self.columns.items():
            row = rows.get(city, {})
            for name, column in columns.items():
                column.append(row.get(name, math.nan))
        if len(self.times) - self._joined >= self._recent + self._span:
            self._join(self._joined, self._joined + self._span, self._span)
            self._joined += 1
        if self._joined > self._old:
            even = self._joined - self._joined % 2
            self._join(0, even, 2)
            self._joined = even // 2 + self._joined % 2
            self._span *= 2

    def clear(self):
        """Forget everything."""
        self.__init__(self._old, self._recent)

    def _join(self, start, end, size):
        """Put one row in the place of each `size` rows between these."""
        if size == 1:
            return
        self.times[start:end] = array("d", (self.times[at] for at in range(start, end, size)))
        for city, columns in list(self.columns.items()):
            for name, column in columns.items():
                join = min if name.endswith(".min") else max if name.endswith(".max") else _mean
                parts = (column[at : at + size] for at in range(start, end, size))
                column[start:end] = array("d", (_known(join, part) for part in parts))
            if all(math.isnan(value) for column in columns.values() for value in column):
                del self.columns[city]  # gone for longer than this looks back


def _mean(values):
    return sum(values) / len(values)


def _known(join, values):
    known = [value for value in values if not math.isnan(value)]
    return join(known) if known else math.nan
