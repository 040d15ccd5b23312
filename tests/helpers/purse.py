"""A field of a status for tests of several processes, which import it: all the money of a city, on its roads too."""

from core import scenarios


def purse():
    """A function of a City: its money in mills, with that of merchants on its side of each road."""
    return lambda city: scenarios.money_mills([city])
