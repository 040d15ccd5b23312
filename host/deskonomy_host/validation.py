"""What people type, one function a kind of word: the value, or a UsageError that says what to type instead.

Here: checks that the command line and world files share. Not here: which command takes what (commands.py).
"""

import math
from decimal import Decimal, InvalidOperation

from deskonomy_host.errors import UsageError

LOCALS_MAX = 100_000
SEED_MAX = 2**32 - 1
SPEED_MAX = 1_000_000
MONEY_MAX = 1_000_000


def whole(what, low, high, example):
    """A function from a word to a whole number of low to high; `what` begins its complaint, as --seed does."""

    def parse(word):
        try:
            number = int(str(word))
        except ValueError:
            number = None
        if number is None or not low <= number <= high or isinstance(word, (bool, float)):
            raise UsageError(f"{what} takes a whole number from {low} to {high}, such as {example}, not {word!r}")
        return number

    return parse


def one_of(what, choices):
    """A function from a word to itself, if it is one of these."""

    def parse(word):
        if word not in choices:
            raise UsageError(f"{what} takes {' or '.join(choices)}, not {word!r}")
        return word

    return parse


def decimal(word):
    """A finite Decimal, or None. Accepts what TOML gives for a number too, but no true or false."""
    try:
        number = Decimal(str(word)) if not isinstance(word, bool) else Decimal("NaN")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def mills(number):
    """A Decimal amount in mills, rounded to the nearest."""
    return int((number * 1000).to_integral_value())


def amount(what, low, high, example):
    """A function from a word to mills, for a number of low to high with at most the precision of a mill."""

    def parse(word):
        number = decimal(word)
        if number is None or not low <= number <= high:
            raise UsageError(f"{what} takes a number from {low} to {high}, such as {example}, not {word!r}")
        return mills(number)

    return parse


def seconds(what):
    """A function from a word to a number of seconds above 0, a float."""

    def parse(word):
        number = decimal(word)
        if number is None or not 0 < number <= 10**9:
            raise UsageError(f"{what} takes a number of seconds above 0, such as 30, not {word!r}")
        return float(number)

    return parse


def speed(what):
    """A function from a word to ticks a second, a float; math.inf for "max", as fast as the machine allows."""

    def parse(word):
        number = decimal(word)
        if word == "max":
            return math.inf
        if number is None or not 0 < number <= SPEED_MAX:
            raise UsageError(f"{what} takes ticks a second, such as 20, or max, not {word!r}")
        return float(number)

    return parse


def address(what):
    """A function from "HOST:PORT" to (host, port)."""

    def parse(word):
        host, colon, port = str(word).rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        good = colon and host and not set(host) & set(" \t/@[]") and port.isascii() and port.isdigit()
        if not good or not 1 <= int(port) <= 65535:
            raise UsageError(f"{what} takes HOST:PORT, such as 127.0.0.1:55555, not {word!r}")
        return host, int(port)

    return parse


def host(what):
    """A function from "HOST" or "HOST:PORT" to (host, port); port is None where none is said."""

    def parse(word):
        text = str(word)
        bare = text.endswith("]") or ":" not in text
        try:
            host, port = address(what)(f"{text}:1" if bare else text)
        except UsageError:
            raise UsageError(f"{what} takes HOST or HOST:PORT, such as desktown.local, not {word!r}") from None
        return host, None if bare else port

    return parse


def shown(address):
    """(host, port) as it is typed."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def name(what, text):
    """A name of a city or a good that every kind of peer can read; `what` begins the complaint."""
    from deskonomy.errors import InvalidLineError
    from deskonomy.wire.codec import name as checked

    try:
        checked(text.encode())
    except (InvalidLineError, UnicodeEncodeError, AttributeError):
        raise UsageError(f'{what} has 1 to 64 bytes, no control character and none of {{ [ ", not {text!r}') from None
    if text != text.strip():
        raise UsageError(f"{what} neither begins nor ends with a space: type {text.strip()!r}, not {text!r}")
    return text
