"""The final check of a soak run: no money and no merchant is lost or doubled.

Here: the sums over the saved cities. Not here: the run that saves them (soak_run.py).
"""

from collections.abc import Sequence

from deskonomy.economy import kernel
from deskonomy.economy.city import City

BORN_WITH_MILLS = 1_000_000  # of each resident


def check_conservation(cities: Sequence[City], locals_: int, merchants: int) -> None:
    """Check that every mill and every merchant is in exactly one place.

    Args:
        cities: All cities that traded, as their last checkpoints hold them.
        locals_: How many locals all cities had at their birth.
        merchants: How many merchants all cities had at their birth.

    Raises:
        AssertionError: A sum differs.
    """
    by_name = {city.name: city for city in cities}
    found_mills = found_merchants = 0
    for city in cities:
        found_mills += sum(city.locals_column(kernel.MONEY)) + sum(city.merchants_column(kernel.MONEY))
        found_merchants += city.state[kernel.MERCHANTS]
        for road in city.ledger.roads.values():
            last = by_name[road.name].ledger.find_last_sequence(city.ledger.incarnation, city.name) or 0
            in_ledger = [merchant for merchant in road.list_kept() if merchant.id[1] > last] + road.list_returning()
            found_mills += sum(merchant.money_mills for merchant in in_ledger)
            found_merchants += len(in_ledger)
    expected_mills = (locals_ + merchants) * BORN_WITH_MILLS
    assert (found_mills, found_merchants) == (expected_mills, merchants), "%d mills of %d, %d merchants of %d" % (
        *(found_mills, expected_mills),
        *(found_merchants, merchants),
    )
