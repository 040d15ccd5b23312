"""What the examples that deal in one good share: how a merchant trades with a place that names a price.

Here: one rule. It is the cities' own: sell where one expects the most, buy where one expects the least.
"""

MOVING_COST = 1.0  # coins a unit, as every merchant reckons


def trade(merchant, place, good, price, stock):
    """Let a merchant trade at this place, for a price in coins; returns the units that it bought, below 0 if it sold.

    It learns the price, whatever it does. stock: the most that it can buy. The merchant is changed.
    """
    known = merchant.prices.setdefault(good, {})
    elsewhere = [known[city] for city in known if city != place]
    known[place] = price
    if merchant.good == good and merchant.owned and price >= max(elsewhere, default=0):
        bought = -merchant.owned
    elif (merchant.good == good or not merchant.owned) and price + MOVING_COST < max(elsewhere, default=0):
        merchant.good = good
        bought = min(merchant.capacity - merchant.owned, int(merchant.money / price), int(stock))
    else:
        return 0
    merchant.owned += bought
    merchant.money = round(min(merchant.money - bought * price, 1_000_000), 3)
    return bought
