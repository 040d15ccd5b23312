"""Another recipe for a good of a city that lives.

Here: the words of the array that say what a good is made of. Not here: the recipes that a city is born with (goods.py),
when they change (board/sensors.py). A board without a sensor that changes one does not load this.
"""

from deskonomy.economy import kernel as k


def set_recipe(city, good, needs):
    """From the next tick on this city makes a good of these needs, {good: count}; of {} it is gathered from nothing.

    Part of the city's state, so of its digest and of what is saved. Raises ValueError for a good that it has not.
    """
    names = city.good_names
    for name in [good] + list(needs):
        if name not in names:
            raise ValueError("%s makes no %s, only %s" % (city.name, name, ", ".join(names)))
    row = city.words[k.AT_GOODS] + names.index(good) * city.words[k.GOOD_WORDS]
    city.words[row + k.CRAFTED] = 1 if needs else 0
    for index, name in enumerate(names):
        city.words[row + k.NEEDS + index] = needs.get(name, 0)
