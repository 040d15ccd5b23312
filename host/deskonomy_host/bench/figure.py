"""One measured figure: its values round by round, their median and spread, and what it must be.

Here: arithmetic and the shape of the JSON. Not here: measuring, tables (show.py).
"""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """name, unit: unique in its section, both together. values: one a round; none where it could not be measured.

    at_least, at_most: what the median must be. note: what one must know to read it, or why there are no values.
    """

    name: str
    unit: str
    values: tuple = ()
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def median(self):
        """The median of the values, None without any."""
        return median(self.values) if self.values else None

    @property
    def spread(self):
        """From the lowest to the highest value, in percent of the median; None where that means nothing."""
        if len(self.values) < 2 or not self.median:
            return None
        return 100 * (max(self.values) - min(self.values)) / self.median

    @property
    def is_target(self):
        """Whether there is anything that it must be."""
        return self.at_least is not None or self.at_most is not None

    @property
    def met(self):
        """Whether it is what it must be; None if it must be nothing, or was not measured."""
        found = self.median
        if found is None or not self.is_target:
            return None
        return (self.at_least is None or found >= self.at_least) and (self.at_most is None or found <= self.at_most)

    def as_dict(self):
        """As it stands in the JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "lowest": min(self.values, default=None),
            "highest": max(self.values, default=None),
            "rounds": len(self.values),
            "at_least": self.at_least,
            "at_most": self.at_most,
            "met": self.met,
            "note": self.note,
        }


def ratios(ours, theirs):
    """Round by round, how many times theirs ours is."""
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))
