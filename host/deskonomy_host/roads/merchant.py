"""The merchant of the public library, with its amounts in coins.

Here: its fields, and the conversion from and to the core's merchant. Not here: sending it (client.py), the limits of
its fields (deskonomy/wire/codec.py).

Amounts are coins, as float. Each is rounded to the nearest mill (1/1000 coin) when the merchant is sent. A whole number
of mills up to a million coins survives the conversion to a float and back exactly; a program that adds up many amounts
adds `money_mills`.
"""

# pyright: strict
from dataclasses import dataclass, field

from deskonomy.economy.merchant import Merchant as CoreMerchant
from deskonomy.errors import InvalidLineError
from deskonomy.wire import codec


@dataclass
class Merchant:
    """A merchant between two cities.

    Attributes:
        good: the name of the good that it buys and sells.
        money: 0 to 1,000,000 coins.
        capacity: how many units it can carry, 1 to 10,000.
        owned: units of its good that it carries, 0 to 10,000.
        prices: the prices that it expects, {good: {city: coins}}.

    Raises:
        ValueError: no city accepts such a merchant. Sending a merchant that was changed raises it, too.
    """

    good: str
    money: float = 1000.0
    capacity: int = 20
    owned: int = 0
    prices: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def __post_init__(self) -> None:
        to_core_merchant(self)

    @property
    def money_mills(self) -> int:
        """The money as a whole number of mills, 1000 to a coin."""
        return _to_mills(self.money)


def to_core_merchant(merchant: Merchant) -> CoreMerchant:
    """Return the merchant as the core has it, checked by the core's rules for arrivals.

    Raises:
        ValueError: no city accepts such a merchant.
    """
    try:
        for units in (merchant.capacity, merchant.owned):
            if not isinstance(units, int):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ValueError("capacity and owned are whole numbers")
        prices_mills = {
            good: {city: _to_mills(coins) for city, coins in prices.items()} for good, prices in merchant.prices.items()
        }
        core = CoreMerchant(merchant.good, merchant.money_mills, merchant.capacity, merchant.owned, prices_mills)
        codec.decode_merchant(b"".join(codec.encode_merchant(core)))
    except (InvalidLineError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        raise ValueError(f"no city accepts such a merchant: {error}") from None
    return core


def from_core_merchant(core: CoreMerchant) -> Merchant:
    """Return a merchant of the core as a program has it."""
    assert core.good is not None  # a merchant that has arrived has a good
    prices = {good: {city: mills / 1000 for city, mills in known.items()} for good, known in core.prices_mills.items()}
    return Merchant(core.good, core.money_mills / 1000, core.capacity, core.owned, prices)


def _to_mills(coins: float) -> int:
    return round(coins * 1000)
