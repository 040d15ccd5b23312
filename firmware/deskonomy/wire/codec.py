"""A merchant as a line of the wire, and back; control messages, too.

Here: the fields of a line, their names and their limits. Not here: JSON itself (wire/strict_json.py), lines in a stream
(wire/protocol.py), what a city does with a merchant (economy/city.py). Whatever a line holds, the functions that decode
it raise nothing but InvalidLineError. docs/protocol.md describes the fields.
"""

from deskonomy.compat import TYPE_CHECKING, const
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.text import format_decimal, is_printable, quote
from deskonomy.wire.strict_json import (
    ARRAY,
    ARRAY_END,
    OBJECT,
    OBJECT_END,
    QUOTE,
    SPACE,
    decode_utf8,
    enter,
    next_member,
    parse_integer,
    parse_mills,
    printable,
    read_bare,
    read_key,
    read_string,
    skip_colon,
    skip_space,
    skip_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

LINE_MAX_BYTES = const(8192)  # the longest line that is written: what a board reads
NAME_MAX_BYTES = const(64)  # a name, in UTF-8
MONEY_MAX_MILLS = const(1_000_000_000)  # the most money, and the highest price: a million coins
UNITS_MAX = const(10_000)  # the most that a merchant carries, or owns
# Prices that a merchant may know: of four goods in 64 cities, for example; some 5 KiB of line, and 4 KiB of a board's
# heap.
PRICES_MAX = const(256)
GOODS_MAX = const(32)
# A line is written in pieces, because a board has little memory in one piece. A merchant that knows few cities is one.
_PIECE_BYTES = const(1024)
_PRICES_AT_ONCE = const(8)  # written as one text
# Cities of the reference let prices sink a little below 0. Down to here that reads as 0, further down it is an error.
BELOW_ZERO_MILLS = const(10_000)
MESSAGE_FIELDS_MAX = const(8)
ID_MAX = const(0x1FFFFFFFFFFFFF)  # the largest number that a reader with 64-bit floats reads exactly

# {bytes of a name: the name} of names that came lately. So each is checked once, and is one object for all merchants.
_names: "dict[bytes, str]" = {}
# More than 64 cities and 4 goods: a cache of just that size would be emptied again and again.
_NAMES_MAX = const(96)


def decode_merchant(line: bytes, whole: bool = True) -> Merchant:
    """Return the merchant that a line holds.

    Amounts are rounded to the nearest mill. `Mills`, where given, is the money, unless `Money` differs by more than
    rounding: a peer that passes on fields that it does not know may have changed Money, so then Money is right.

    Args:
        line: one JSON object.
        whole: whether the merchant keeps the prices that it knows.

    Raises:
        InvalidLineError: The line breaks a rule; the text says which.
    """
    return _decode_line(line, OBJECT, _read_merchant, whole)


def decode_message(line: bytes) -> "list[str | int]":
    """Return the control message that a line holds, one JSON array: a str, then int and str.

    Raises InvalidLineError.
    """
    fields = _decode_line(line, ARRAY, _read_fields)
    if not fields or not isinstance(fields[0], str):
        raise InvalidLineError("a message begins with a word")
    return fields


def find_id(line: bytes) -> "tuple[int, int] | None":
    """Return the id of the merchant on a line that may be invalid, None if none is found."""
    keys = set()
    try:
        at = enter(line, skip_space(line, 0))
        while line[at] != OBJECT_END:
            field, at = read_key(line, at, keys)
            if field == "Id":
                return _read_id(line, at)[0]
            at = next_member(line, skip_value(line, at), OBJECT_END)
    except (InvalidLineError, IndexError):
        pass
    return None


def encode_message(fields: "Sequence[str | int]") -> bytes:
    """Return a control message as a line without its newline."""
    texts = [quote(field.replace('"', "'")) if isinstance(field, str) else "%d" % field for field in fields]
    return ("[%s]" % ",".join(texts)).encode()


def encode_merchant(merchant: Merchant, goods: "Sequence[str] | None" = None) -> "list[bytearray]":
    """Return a merchant as a line without its newline, in pieces.

    With the newline the line has at most LINE_MAX_BYTES. Prices that do not fit (of hundreds of cities) are left out,
    from the end in the order of good and city.

    Args:
        merchant: the merchant.
        goods: the goods whose prices are on the line, each also without a price; None for those that have prices.
    """
    assert merchant.good is not None
    start = '{"Money":%s,"BuysSells":%s,"CarryingCapacity":%d,"Owned":%d,"Mills":%d%s,"ExpectedPrices":{' % (
        format_decimal(merchant.money_mills),
        quote(merchant.good),
        merchant.capacity,
        merchant.owned,
        merchant.money_mills,
        "" if merchant.id is None else ',"Id":[%d,%d]' % merchant.id,  # before the prices, so that find_id() is quick
    )
    end = b"}}"
    line = [bytearray(start.encode())]
    left = LINE_MAX_BYTES - len(line[0]) - len(end) - 2  # the newline, and the end of a good whose prices are cut off
    text = "}"
    for part in _encode_prices(merchant, goods):
        raw = part.encode()
        left -= len(raw)
        if left < 0:
            break
        if len(line[-1]) + len(raw) > _PIECE_BYTES:
            line.append(bytearray())
        line[-1].extend(raw)
        text = part
    line[-1].extend(end if text == "}" else b"}" + end)
    return line


def _encode_prices(merchant: Merchant, goods: "Sequence[str] | None") -> "Iterator[str]":
    """Yield the prices of a line as text, good by good, a few at a time; a separate "}" ends each good."""
    left = PRICES_MAX
    before = ""
    prices_mills = merchant.flat_prices_mills
    rows = list(merchant.iterate_prices())
    if goods is not None:
        known = [good for good, _, _ in rows]
        rows = [row for row in rows if row[0] in goods] + [(good, (), 0) for good in goods if good not in known]
    for good, cities, begin in sorted(rows)[:GOODS_MAX]:
        text = before + quote(good) + ":{"
        count = min(left, len(cities))
        left -= count
        for at in range(0, max(1, count), _PRICES_AT_ONCE):
            some = range(at, min(count, at + _PRICES_AT_ONCE))
            yield text + ",".join([quote(cities[n]) + ":" + format_decimal(prices_mills[begin + n]) for n in some])
            text = ","
        yield "}"
        before = ","


def decode_name(raw: bytes) -> str:
    """Return bytes as a name: 1 to 64 bytes of UTF-8, printable, without {, [ and ", and no line of HTTP.

    Raises InvalidLineError.
    """
    if not 1 <= len(raw) <= NAME_MAX_BYTES:
        raise InvalidLineError("a name is 1 to %d bytes long, not %d" % (NAME_MAX_BYTES, len(raw)))
    text = decode_utf8(raw)
    if not is_printable(raw) or b"{" in raw or b"[" in raw or b'"' in raw:
        raise InvalidLineError("a name has printable characters only, and none of { [ and the quote")
    if is_http(raw):
        raise InvalidLineError("a name is no line of HTTP")
    return text


def is_http(raw: bytes) -> bool:
    """Return whether the first line is one of HTTP: a request of any method for any target, or an answer."""
    parts = raw.split(b"\n", 1)[0].upper().split()
    if len(parts) < 2:
        return False
    return parts[1][:1] == b"/" or b"://" in parts[1] or b"HTTP/" in (parts[0][:5], parts[-1][:5])


def _decode_line(line: bytes, first: int, read: "Callable[..., tuple[Any, int]]", *options: bool) -> "Any":
    """Return what read(line, at, *options) finds in a line that begins with the byte `first`."""
    try:
        at = skip_space(line, 0)
        if line[at] != first:
            raise InvalidLineError("it does not begin with %s" % chr(first))
        result, at = read(line, at, *options)
    except IndexError:
        raise InvalidLineError("it ends too early") from None
    if line[at:].strip(SPACE):
        raise InvalidLineError("something follows its end")
    return result


# Each of these returns what begins at `at`, and where it ends.


def _read_merchant(line: bytes, at: int, whole: bool) -> "tuple[Merchant, int]":
    good = money = money_exact = capacity = owned = id = None
    merchant = Merchant(None)
    keys = set()
    at = enter(line, at)
    while line[at] != OBJECT_END:
        field, at = read_key(line, at, keys)
        if field == "ExpectedPrices":
            at = _read_all_prices(line, at, merchant, whole)
        elif field == "BuysSells":
            good, at = _read_name(line, at)
        elif field == "Id":
            id, at = _read_id(line, at)
        elif field == "Money":
            number, at = read_bare(line, at)
            money = _parse_coins(number, 0, field)
        elif field == "Mills":
            number, at = read_bare(line, at)
            money_exact = parse_integer(number, 0, MONEY_MAX_MILLS, field)
        elif field == "CarryingCapacity":
            number, at = read_bare(line, at)
            capacity = parse_integer(number, 1, UNITS_MAX, field)
        elif field == "Owned":
            number, at = read_bare(line, at)
            owned = parse_integer(number, 0, UNITS_MAX, field)
        else:
            at = skip_value(line, at)
        at = next_member(line, at, OBJECT_END)
    if money is None or good is None or capacity is None or owned is None:
        had = (("Money", money), ("BuysSells", good), ("CarryingCapacity", capacity), ("Owned", owned))
        raise InvalidLineError("%s is missing" % ", ".join([field for field, value in had if value is None]))
    # A 24-bit float is off by less than 1 in 2 ** 23.
    if money_exact is not None and abs(money_exact - money) <= 1 + (money_exact >> 23):
        money = money_exact
    merchant.good, merchant.money_mills, merchant.id = good, money, id
    merchant.capacity, merchant.owned = capacity, owned
    return merchant, at + 1


def _read_all_prices(line: bytes, at: int, merchant: Merchant, whole: bool) -> int:
    """Let a merchant learn its prices if it is to be whole. Return where they end."""
    goods = set()
    left = PRICES_MAX
    if line[at] != OBJECT:
        return _skip_null(line, at)  # an empty map of a Go program
    at = enter(line, at)
    while line[at] != OBJECT_END:
        good, at = _read_name(line, at)
        if good in goods:
            raise InvalidLineError("ExpectedPrices has %s twice" % printable(good.encode()))
        if len(goods) == GOODS_MAX:
            raise InvalidLineError("ExpectedPrices has more than %d goods" % GOODS_MAX)
        goods.add(good)
        prices_mills, at = _read_prices(line, skip_colon(line, at), left, whole)
        if whole:
            merchant.learn_prices(good, prices_mills)
        left -= len(prices_mills)
        at = next_member(line, at, OBJECT_END)
    return at + 1


def _read_prices(line: bytes, at: int, left: int, whole: bool) -> "tuple[dict[str, int], int]":
    """Read the prices of one good, at most `left`, as {city: mills}. Most of a merchant's line is this."""
    prices_mills = {}
    if line[at] != OBJECT:
        return prices_mills, _skip_null(line, at)
    at = enter(line, at)
    while line[at] != OBJECT_END:
        city, at = _read_name(line, at)
        if city in prices_mills:
            raise InvalidLineError("ExpectedPrices has %s twice" % printable(city.encode()))
        if len(prices_mills) == left:
            raise InvalidLineError("ExpectedPrices has more than %d prices" % PRICES_MAX)
        number, at = read_bare(line, skip_colon(line, at))
        price_mills = _parse_coins(number, -BELOW_ZERO_MILLS, "a price")
        if whole:
            prices_mills[city] = price_mills if price_mills > 0 else 0
        at = next_member(line, at, OBJECT_END)
    return prices_mills, at + 1


def _skip_null(line: bytes, at: int) -> int:
    bare, at = read_bare(line, at)
    if bare != b"null":
        raise InvalidLineError("ExpectedPrices has %s where an object belongs" % printable(bare))
    return at


def _parse_coins(number: bytes, least_mills: int, field: str) -> int:
    """Return a number of coins, up to a million, as mills."""
    amount_mills = parse_mills(number)
    if not least_mills <= amount_mills <= MONEY_MAX_MILLS:
        raise InvalidLineError("%s is %s, not 0 to %d" % (field, printable(number), MONEY_MAX_MILLS // 1000))
    return amount_mills


def _read_name(line: bytes, at: int) -> "tuple[str, int]":
    end = line.find(b'"', at + 1)
    raw = line[at + 1 : end]
    if line[at] == QUOTE and end > 0 and raw in _names:
        return _names[raw], end + 1
    text, end = read_string(line, at)
    text = decode_name(text.encode())
    if "\\" not in text:  # a name in the cache has no escapes, so that its bytes on the line are its own
        if len(_names) == _NAMES_MAX:
            _names.clear()
        _names[text.encode()] = text
    return text, end


def _read_id(line: bytes, at: int) -> "tuple[tuple[int, int], int]":
    fields, at = _read_fields(line, at) if line[at] == ARRAY else ((), at)
    if len(fields) != 2 or not (isinstance(fields[0], int) and isinstance(fields[1], int)):
        raise InvalidLineError("Id is not a pair of whole numbers")
    return (fields[0], fields[1]), at


def _read_fields(line: bytes, at: int) -> "tuple[list[str | int], int]":
    """Read a flat array of int and str."""
    fields = []
    at = enter(line, at)
    while line[at] != ARRAY_END:
        if len(fields) == MESSAGE_FIELDS_MAX:
            raise InvalidLineError("more than %d words in a message" % MESSAGE_FIELDS_MAX)
        if line[at] == QUOTE:
            field, at = read_string(line, at)
        else:
            number, at = read_bare(line, at)
            field = parse_integer(number, 0, ID_MAX, "a word of a message")
        fields.append(field)
        at = next_member(line, at, ARRAY_END)
    return fields, at + 1
