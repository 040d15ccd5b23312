"""The trade of a merchant with a place that has a single good at a single price, as several examples need it.

Here: the rule, which is that of every city: a merchant sells where it expects the highest price, and buys where it
expects the lowest. Not here: the places (fox_and_rabbit.py, stock_market.py).
"""

from deskonomy_host import Merchant

MOVING_COST = 1.0  # coins per unit, as every merchant calculates


def trade(merchant: Merchant, place: str, good: str, price: float, stock: float) -> int:
    """Let a merchant trade at a place; the merchant is changed, and learns the price in any case.

    Args:
        merchant: the merchant.
        place: the name of the place.
        good: the good of the place.
        price: its price in coins.
        stock: how many units the merchant can buy at most.

    Returns:
        The units that it bought; below 0 if it sold.
    """
    known = merchant.prices.setdefault(good, {})
    elsewhere = max((known[city] for city in known if city != place), default=0)
    known[place] = price
    if merchant.good == good and merchant.owned and price >= elsewhere:
        bought = -merchant.owned
    elif (merchant.good == good or not merchant.owned) and price + MOVING_COST < elsewhere:
        merchant.good = good
        bought = min(merchant.capacity - merchant.owned, int(merchant.money / price), int(stock))
    else:
        return 0
    merchant.owned += bought
    merchant.money = round(min(merchant.money - bought * price, 1_000_000), 3)
    return bought
