"""A measured figure: its values round by round, their median and spread, and its target.

Here: arithmetic and the JSON form. Not here: measuring, tables (tables.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """A figure of a section.

    Attributes:
        name, unit: together unique in the section.
        values: one for each round; none if the figure could not be measured.
        at_least, at_most: the target of the median.
        note: what a reader has to know, or why there are no values.
    """

    name: str
    unit: str
    values: tuple[float, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def median(self) -> float | None:
        """The median of the values; None without values."""
        return median(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """The range of the values, in percent of the median; None for fewer than two values or a median of 0."""
        if len(self.values) < 2 or not self.median:
            return None
        return 100 * (max(self.values) - min(self.values)) / self.median

    @property
    def is_target(self) -> bool:
        """Whether the figure has a target."""
        return self.at_least is not None or self.at_most is not None

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; None without a target or without values."""
        found = self.median
        if found is None or not self.is_target:
            return None
        return (self.at_least is None or found >= self.at_least) and (self.at_most is None or found <= self.at_most)

    def as_dict(self) -> dict[str, object]:
        """Return the figure in its JSON form."""
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


def ratios(values: Iterable[float], baseline: Iterable[float]) -> tuple[float, ...]:
    """Return values / baseline, round by round."""
    return tuple(value / base for value, base in zip(values, baseline, strict=True))
