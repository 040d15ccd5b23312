"""Goods and recipes as data.

Here: which goods there are, what they are made from and what they are worth to locals, the same in every city. A new
good is a new row. Not here: how residents make and trade them (kernel.py).
"""

from collections import namedtuple

# name         its name on the wire, in the CLI and in charts
# stock        a local has 0 .. stock - 1 units at its birth
# value_mills  (low, high): its personal value is drawn from [low, high), in mills
# half         the stock at which a further unit is worth half of the personal value
# needs        what one unit is made from, {good: count}; {} for a good that is gathered from nothing
# breaks       whether it wears out in use
Good = namedtuple("Good", ("name", "stock", "value_mills", "half", "needs", "breaks"))

GOODS = (
    Good("wood", 20, (4000, 8000), 15, {}, False),
    Good("chair", 10, (30000, 50000), 5, {"wood": 4}, True),
    Good("thread", 30, (2000, 4000), 50, {}, False),
    Good("bed", 2, (50000, 60000), 2, {"wood": 2, "thread": 10}, True),
)

# The result of resting; it is never traded.
LEISURE = Good("leisure", 1, (2000, 6000), 50, {}, False)

# The good that a merchant chooses when no good promises a profit.
FALLBACK = "bed"

# Cities with recipes of their own, {city: {good: needs}}.
CITY_RECIPES = {"RIVERWOOD": {"bed": {"wood": 2, "thread": 1}}}
