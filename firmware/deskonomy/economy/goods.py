"""Goods and recipes as data.

Here: what can be made, of what, and how much people care for it (shared by every city). A new good is a new row.
Not here: what people do with them (kernel.py).
"""

from collections import namedtuple

# name        what it is called on the wire, in the CLI and in pictures
# stock       a local is born with 0 .. stock - 1 units
# value_mills (low, high): its personal value is drawn from [low, high), in mills
# half        the stock at which one more is worth half of that
# needs       what one of it is made from, {good: count}; {} is gathered from nothing
# breaks      whether it wears out in use
Good = namedtuple("Good", ("name", "stock", "value_mills", "half", "needs", "breaks"))

GOODS = (
    Good("wood", 20, (4000, 8000), 15, {}, False),
    Good("chair", 10, (30000, 50000), 5, {"wood": 4}, True),
    Good("thread", 30, (2000, 4000), 50, {}, False),
    Good("bed", 2, (50000, 60000), 2, {"wood": 2, "thread": 10}, True),
)

# What resting gives; nobody trades it.
LEISURE = Good("leisure", 1, (2000, 6000), 50, {}, False)

# What a merchant turns to when nothing promises a profit.
FALLBACK = "bed"

# Cities that make something their own way, {city: {good: needs}}.
CITY_RECIPES = {"RIVERWOOD": {"bed": {"wood": 2, "thread": 1}}}
