"""A merchant as a line of the wire, and back; control messages too.

Here: the fields, their names and their limits. Not here: JSON itself (strict_json.py), how lines are cut out of a
stream (protocol.py), what becomes of a merchant (city.py). Whatever a line holds, decode() raises nothing but Refused.
"""

from deskonomy.compat import const
from deskonomy.economy.merchant import Merchant
from deskonomy.errors import InvalidLineError
from deskonomy.status import decimal, quoted
from deskonomy.wire.strict_json import (
    ARRAY,
    ARRAY_END,
    OBJECT,
    OBJECT_END,
    QUOTE,
    SPACE,
    after,
    enter,
    integer,
    key,
    mills,
    past_space,
    shown,
    skip,
    string,
    utf8,
    value_of_key,
    word,
)

LINE_BYTES = const(8192)  # the longest line that we write: what a board reads
NAME_BYTES = const(64)  # a name, in UTF-8
COINS_MILLS = const(1_000_000_000)  # the most money, and the highest price: a million coins
UNITS = const(10_000)  # the most that a merchant carries, or owns
# What a merchant may know: 64 cities' prices of four goods, say; some 5 KiB of line, and 4 KiB of a board's heap.
PRICES_MAX = const(256)
GOODS_MAX = const(32)
# A line is written in pieces, for a board's memory has little room in one piece. Who knows a few cities is one of them.
_PIECE_BYTES = const(1024)
_AT_ONCE = const(8)  # prices
# Cities of the reference let prices sink a little below 0. Down to here that reads as 0, further down it is an error.
BELOW_ZERO_MILLS = const(10_000)
WORDS_MAX = const(8)  # of a control message
ID_MAX = const(0x1FFFFFFFFFFFFF)  # the largest number that a reader with 64-bit floats still has exactly

# Names seen lately, by their bytes: each is checked once, and is one object for all merchants. Emptied when full.
_names = {}
_NAMES_MAX = const(96)  # more than 64 cities and 4 goods: at its very size it would be emptied again and again


def decode(line, whole=True):
    """The Merchant that a line (bytes, one JSON object) holds; if not whole, without what it knows. Raises
    InvalidLineError.

    Amounts are rounded to the nearest mill. `Mills`, where given, is the money, unless `Money` differs by more than
    rounding: a peer that passes on fields that it does not know may have changed Money, so then Money is right.
    """
    return _whole_line(line, OBJECT, _merchant, whole)


def decode_message(line):
    """The control message that a line (bytes, one JSON array) holds: a word, then int and str. Raises
    InvalidLineError."""
    words = _whole_line(line, ARRAY, _words)
    if not words or not isinstance(words[0], str):
        raise InvalidLineError("a message begins with a word")
    return words


def id_of(line):
    """The id of a merchant whose line decode() refuses, None where that cannot be told either."""
    keys = set()
    try:
        at = enter(line, past_space(line, 0))
        while line[at] != OBJECT_END:
            field, at = key(line, at, keys)
            if field == "Id":
                return _id(line, at)[0]
            at = after(line, skip(line, at), OBJECT_END)
    except (InvalidLineError, IndexError):
        pass
    return None


def encode_message(words):
    """A control message (a sequence of str and int) as a line (bytes, without its newline)."""
    texts = [quoted(word.replace('"', "'")) if isinstance(word, str) else "%d" % word for word in words]
    return ("[%s]" % ",".join(texts)).encode()


def encode(merchant):
    """A Merchant as a line that decode() takes: a list of pieces (bytearray), without its newline.

    With it the line has no more than LINE_BYTES. What does not fit (prices of hundreds of cities) stays behind, last in
    order of good and city first.
    """
    start = '{"Money":%s,"BuysSells":%s,"CarryingCapacity":%d,"Owned":%d,"Mills":%d%s,"ExpectedPrices":{' % (
        decimal(merchant.money_mills),
        quoted(merchant.good),
        merchant.capacity,
        merchant.owned,
        merchant.money_mills,
        "" if merchant.id is None else ',"Id":[%d,%d]' % merchant.id,  # before the prices, so that id_of() is quick
    )
    end = b"}}"
    line = [bytearray(start.encode())]
    room = LINE_BYTES - len(line[0]) - len(end) - 2  # the newline, and the end of a good that is not all there
    text = "}"
    for more in _row(merchant):
        raw = more.encode()
        room -= len(raw)
        if room < 0:
            break
        if len(line[-1]) + len(raw) > _PIECE_BYTES:
            line.append(bytearray())
        line[-1].extend(raw)
        text = more
    line[-1].extend(end if text == "}" else b"}" + end)
    return line


def _row(merchant):
    """Good by good the prices that a line has, as text, a few at a time; a "}" of its own ends each good."""
    left = PRICES_MAX
    before = ""
    for good, cities, begin in sorted(merchant.rows())[:GOODS_MAX]:
        text = before + quoted(good) + ":{"
        count = min(left, len(cities))
        left -= count
        for at in range(0, max(1, count), _AT_ONCE):
            some = range(at, min(count, at + _AT_ONCE))
            yield text + ",".join([quoted(cities[n]) + ":" + decimal(merchant.mills[begin + n]) for n in some])
            text = ","
        yield "}"
        before = ","


def name(raw):
    """These bytes as a name (str): 1 to 64 bytes of UTF-8, no control characters, none of { [ ". Raises
    InvalidLineError."""
    if not 1 <= len(raw) <= NAME_BYTES:
        raise InvalidLineError("a name is 1 to %d bytes long, not %d" % (NAME_BYTES, len(raw)))
    text = utf8(raw)
    before = 0
    for byte in raw:
        if byte < 32 or byte == 127 or (before == 0xC2 and byte < 0xA0) or byte in b'{["':
            raise InvalidLineError("a name has no control characters and none of { [ and the quote")
        before = byte
    return text


def _whole_line(line, first, read, *more):
    try:
        at = past_space(line, 0)
        if line[at] != first:
            raise InvalidLineError("it does not begin with %s" % chr(first))
        result, at = read(line, at, *more)
    except IndexError:
        raise InvalidLineError("it ends too early") from None
    if line[at:].strip(SPACE):
        raise InvalidLineError("something follows its end")
    return result


def _merchant(line, at, whole):
    good = money = money_exact = capacity = owned = id = None
    merchant = Merchant(None)
    keys = set()
    at = enter(line, at)
    while line[at] != OBJECT_END:
        field, at = key(line, at, keys)
        if field == "ExpectedPrices":
            at = _expected_prices(line, at, merchant, whole)
        elif field == "BuysSells":
            good, at = _name(line, at)
        elif field == "Id":
            id, at = _id(line, at)
        elif field == "Money":
            number, at = word(line, at)
            money = _coins(number, 0, field)
        elif field == "Mills":
            number, at = word(line, at)
            money_exact = integer(number, 0, COINS_MILLS, field)
        elif field == "CarryingCapacity":
            number, at = word(line, at)
            capacity = integer(number, 1, UNITS, field)
        elif field == "Owned":
            number, at = word(line, at)
            owned = integer(number, 0, UNITS, field)
        else:
            at = skip(line, at)
        at = after(line, at, OBJECT_END)
    if money is None or good is None or capacity is None or owned is None:
        had = (("Money", money), ("BuysSells", good), ("CarryingCapacity", capacity), ("Owned", owned))
        raise InvalidLineError("%s is missing" % ", ".join([field for field, value in had if value is None]))
    # A 24-bit float is off by less than 1 in 2 ** 23.
    if money_exact is not None and abs(money_exact - money) <= 1 + (money_exact >> 23):
        money = money_exact
    merchant.good, merchant.money_mills, merchant.id = good, money, id
    merchant.capacity, merchant.owned = capacity, owned
    return merchant, at + 1


def _expected_prices(line, at, merchant, whole):
    """Where it ends; the merchant has learnt it if it is to be whole. A Go city's empty map is null."""
    goods = set()
    left = PRICES_MAX
    if line[at] != OBJECT:
        return _null(line, at)
    at = enter(line, at)
    while line[at] != OBJECT_END:
        good, at = _name(line, at)
        if good in goods:
            raise InvalidLineError("ExpectedPrices has %s twice" % shown(good.encode()))
        if len(goods) == GOODS_MAX:
            raise InvalidLineError("ExpectedPrices has more than %d goods" % GOODS_MAX)
        goods.add(good)
        prices, at = _prices(line, value_of_key(line, at), left, whole)
        if whole:
            merchant.learn(good, prices)
        left -= len(prices)
        at = after(line, at, OBJECT_END)
    return at + 1


def _prices(line, at, left, whole):
    """One good's {city: mills}, no more than `left`, and where it ends. Most of a merchant is this."""
    prices = {}
    if line[at] != OBJECT:
        return prices, _null(line, at)
    at = enter(line, at)
    while line[at] != OBJECT_END:
        city, at = _name(line, at)
        if city in prices:
            raise InvalidLineError("ExpectedPrices has %s twice" % shown(city.encode()))
        if len(prices) == left:
            raise InvalidLineError("ExpectedPrices has more than %d prices" % PRICES_MAX)
        number, at = word(line, value_of_key(line, at))
        price = _coins(number, -BELOW_ZERO_MILLS, "a price")
        if whole:
            prices[city] = price if price > 0 else 0
        at = after(line, at, OBJECT_END)
    return prices, at + 1


def _null(line, at):
    bare, at = word(line, at)
    if bare != b"null":
        raise InvalidLineError("ExpectedPrices has %s where an object belongs" % shown(bare))
    return at


def _coins(number, least_mills, field):
    """The bytes of a number of coins as mills, up to a million coins."""
    amount = mills(number)
    if not least_mills <= amount <= COINS_MILLS:
        raise InvalidLineError("%s is %s, not 0 to %d" % (field, shown(number), COINS_MILLS // 1000))
    return amount


def _name(line, at):
    """The name in the string at `at`, and where it ends."""
    end = line.find(b'"', at + 1)
    raw = line[at + 1 : end]
    if line[at] == QUOTE and end > 0 and raw in _names:
        return _names[raw], end + 1
    text, end = string(line, at)
    text = name(text.encode())
    if "\\" not in text:  # so that what is found here needs no look at escapes
        if len(_names) == _NAMES_MAX:
            _names.clear()
        _names[text.encode()] = text
    return text, end


def _id(line, at):
    """(incarnation, sequence) and where it ends."""
    words, at = _words(line, at) if line[at] == ARRAY else ((), at)
    if len(words) != 2 or not (isinstance(words[0], int) and isinstance(words[1], int)):
        raise InvalidLineError("Id is not a pair of whole numbers")
    return (words[0], words[1]), at


def _words(line, at):
    """The flat array of int and str at `at`, as a list, and where it ends."""
    words = []
    at = enter(line, at)
    while line[at] != ARRAY_END:
        if len(words) == WORDS_MAX:
            raise InvalidLineError("more than %d words in a message" % WORDS_MAX)
        if line[at] == QUOTE:
            item, at = string(line, at)
        else:
            number, at = word(line, at)
            item = integer(number, 0, ID_MAX, "a word of a message")
        words.append(item)
        at = after(line, at, ARRAY_END)
    return words, at + 1
