"""Thinning: which samples of a growing series are merged, so that it stays small however long it grows.

Here: the decision alone, as row numbers. Series in memory (timeseries.py) and histories on disk (history/recorder.py)
follow it, each with its own limits; the page keeps the same rows as the server by the same rule
(dashboard/page/store.js). Not here: how the values of two rows are merged.

The newest rows are samples as they were taken. Of older ones, two become one row of age 1; of rows of age 1, the oldest
two become one row of age 2; and so on. A row of age n stands for 2**n samples, so the number of rows grows with the
logarithm of the number of samples.
"""

# pyright: strict
from collections.abc import Iterable, Iterator


class Thinning:
    """Counts the rows of each age and decides which become one.

    Attributes:
        recent: How many rows of age 0 are kept before two of them are merged.
        older: The same for each further age.
        counts: The number of rows of each age; counts[0] are single samples. Rows of a higher age are older.
    """

    def __init__(self, recent: int, older: int, counts: Iterable[int] = ()) -> None:
        """Start with a series that has these rows already, or with an empty one."""
        self.recent = recent
        self.older = older
        self.counts = list(counts) or [0]

    def add(self) -> Iterator[int]:
        """Count one more sample at the end of the series, and yield the merges that follow from it.

        Yields:
            The number of a row, 0 being the oldest. The caller merges this row and the next one into one row before it
            asks for the next merge.
        """
        counts = self.counts
        counts[0] += 1
        age = 0
        while age < len(counts):
            while counts[age] > (self.older if age else self.recent) + 1:
                if age + 1 == len(counts):
                    counts.append(0)
                older_rows = sum(counts[age + 1 :])
                counts[age] -= 2
                counts[age + 1] += 1
                yield older_rows
            age += 1
