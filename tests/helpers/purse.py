"""A field of a status for tests with several processes, which import it: the money of a city and of its roads' ends.

Here: the field. Not here: the sum (core/scenarios.py).
"""

from collections.abc import Callable

from core import scenarios
from deskonomy.economy.city import City


def make_purse() -> Callable[[City], int]:
    """Return a function of a city: its money in mills, with that of merchants at its end of each road."""
    return lambda city: scenarios.sum_money_mills([city])
