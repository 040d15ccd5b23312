"""Checks of arguments: each function returns the checked value, or raises a UsageError that says what to type instead.

Here: the checks that the command line, world files and control commands share. Not here: HOST:PORT (addresses.py), the
arguments of each command (cli/, control/commands.py).

The first argument of each function is the value, as typed or as TOML and JSON give it; `label` is the name of the
argument in the error message, such as "--seed" or "cities.RIVERWOOD.seed".
"""

import math
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from deskonomy_host.errors import UsageError

LOCALS_MAX = 100_000
SEED_MAX = 2**32 - 1  # the core's random generator takes 32 bits
SPEED_MAX = 1_000_000  # ticks per second
MONEY_MAX = 1_000_000  # coins
SECONDS_MAX = 10**9

Checked = TypeVar("Checked")


def make_parser(parse: Callable[..., Checked], label: str, *limits: object) -> Callable[[object], Checked]:
    """Return a function of the value alone, as typer takes it: `parse` with this label and these limits."""

    def parse_value(value: object) -> Checked:
        return parse(value, label, *limits)

    return parse_value


def parse_integer(value: object, label: str, low: int, high: int, example: object) -> int:
    """Return a whole number from low to high.

    Raises:
        UsageError: any other value, booleans and floats among them.
    """
    try:
        number = int(str(value))
    except ValueError:
        number = None
    if number is None or not low <= number <= high or isinstance(value, (bool, float)):
        raise UsageError(f"{label} takes a whole number from {low} to {high}, such as {example}, not {value!r}")
    return number


def parse_choice(value: object, label: str, choices: Collection[str]) -> str:
    """Return the value, which must be one of the choices. Raises UsageError."""
    if not isinstance(value, str) or value not in choices:
        raise UsageError(f"{label} takes {' or '.join(choices)}, not {value!r}")
    return value


def parse_boolean(value: object, label: str) -> bool:
    """Return the value, which must be True or False. Raises UsageError."""
    if not isinstance(value, bool):
        raise UsageError(f"{label} takes true or false, not {value!r}")
    return value


def parse_decimal(value: object) -> Decimal | None:
    """Return a finite Decimal, or None if the value is not a number (a boolean is not one)."""
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def to_mills(amount: Decimal) -> int:
    """Return an amount in mills (1/1000), rounded to the nearest one."""
    return int((amount * 1000).to_integral_value())


def parse_amount(value: object, label: str, low: float, high: float, example: object) -> int:
    """Return a number from low to high in mills. Raises UsageError."""
    number = parse_decimal(value)
    if number is None or not low <= number <= high:
        raise UsageError(f"{label} takes a number from {low} to {high}, such as {example}, not {value!r}")
    return to_mills(number)


def parse_seconds(value: object, label: str) -> float:
    """Return a number of seconds above 0. Raises UsageError."""
    number = parse_decimal(value)
    if number is None or not 0 < number <= SECONDS_MAX:
        raise UsageError(f"{label} takes a number of seconds above 0, such as 30, not {value!r}")
    return float(number)


def parse_speed(value: object, label: str) -> float:
    """Return ticks per second; math.inf for "max", which means as fast as the machine allows. Raises UsageError."""
    number = parse_decimal(value)
    if value == "max":
        return math.inf
    if number is None or not 0 < number <= SPEED_MAX:
        raise UsageError(f"{label} takes ticks a second, such as 20, or max, not {value!r}")
    return float(number)


def check_name(text: object, label: str) -> str:
    """Return the name of a city or a good, which must be valid on the wire for every peer. Raises UsageError."""
    from deskonomy.errors import InvalidLineError
    from deskonomy.wire.codec import decode_name as check_wire_name

    try:
        check_wire_name(text.encode())  # pyright: ignore[reportAttributeAccessIssue]
    except (InvalidLineError, UnicodeEncodeError, AttributeError):
        rule = 'has 1 to 64 bytes, printable, none of { [ ", and is no line of HTTP'
        raise UsageError(f"{label} {rule}, not {text!r}") from None
    name = str(text)
    if name != name.strip():
        raise UsageError(f"{label} neither begins nor ends with a space: type {name.strip()!r}, not {name!r}")
    return name
