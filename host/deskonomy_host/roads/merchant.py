"""A merchant as a program holds it in its hands.

Here: its amounts in coins, and the way to and from the core's own. Not here: its travels (library.py), what a city lets
in (deskonomy.codec).

Amounts are coins, as float: each is rounded to the nearest mill (1/1000 coin) where it leaves the program, and every
whole number of mills up to a million coins is one float and back, exactly. A program that adds up many of them does
so in `money_mills`.
"""

from dataclasses import dataclass, field

from deskonomy.economy.merchant import Merchant as Record
from deskonomy.errors import InvalidLineError
from deskonomy.wire import codec


@dataclass
class Merchant:
    """A merchant on its way between two cities.

    good: the name of what it buys and sells. money: 0 to 1,000,000 coins. capacity: 1 to 10,000 units. owned: units of
    its good, 0 to 10,000. prices: {good: {city: price in coins}}, what it expects to pay there. Raises ValueError for
    what no city would let in; so does sending one that was changed into that.
    """

    good: str
    money: float = 1000.0
    capacity: int = 20
    owned: int = 0
    prices: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        record_of(self)

    @property
    def money_mills(self) -> int:
        """The money as a whole number of mills, 1000 to a coin."""
        return _mills(self.money)


def record_of(merchant: Merchant) -> Record:
    """The same as the core has it, checked by the core's own rules for whoever comes in. Raises ValueError."""
    try:
        if not isinstance(merchant.capacity, int) or not isinstance(merchant.owned, int):
            raise ValueError("capacity and owned are whole numbers")
        prices = {
            good: {city: _mills(price) for city, price in known.items()} for good, known in merchant.prices.items()
        }
        record = Record(merchant.good, merchant.money_mills, merchant.capacity, merchant.owned, prices)
        codec.decode(b"".join(codec.encode(record)))
    except (InvalidLineError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        raise ValueError(f"no city lets in such a merchant: {error}") from None
    return record


def merchant_of(record: Record) -> Merchant:
    """A merchant of the core, as a program holds it."""
    prices = {
        good: {city: mills / 1000 for city, mills in known.items()} for good, known in record.prices_mills.items()
    }
    return Merchant(record.good, record.money_mills / 1000, record.capacity, record.owned, prices)


def _mills(coins):
    return round(coins * 1000)
