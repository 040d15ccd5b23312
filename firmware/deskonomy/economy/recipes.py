"""A change of a recipe while the city runs.

Here: the fields of the state array that hold a good's recipe. Not here: the recipes of a newborn city (goods.py), when
a recipe changes (deskonomy_board/sensors/). A board without a sensor that changes a recipe does not import this module.
"""

from deskonomy.compat import TYPE_CHECKING
from deskonomy.economy import kernel as k

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deskonomy.economy.city import City


def set_recipe(city: "City", good: str, needs: "Mapping[str, int]") -> None:
    """Set what a good is made from, from the next tick on. The recipe is part of the state, of its digest and saved.

    Args:
        city: the city.
        good: the name of the good.
        needs: {material: count}; {} for a good that is gathered from nothing.

    Raises:
        ValueError: the city has no such good or material.
    """
    names = city.good_names
    for name in [good] + list(needs):
        if name not in names:
            raise ValueError("%s makes no %s, only %s" % (city.name, name, ", ".join(names)))
    row = city.good_offset(good)
    city.state[row + k.CRAFTED] = 1 if needs else 0
    for index, name in enumerate(names):
        city.state[row + k.NEEDS + index] = needs.get(name, 0)
