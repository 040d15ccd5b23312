"""JSON read strictly, and the same on every interpreter: their own json modules differ in what they accept.

Here: finding one's way through the bytes of one line, texts, and numbers as decimal text straight into whole mills (a
board's floats have 24 bits, so none exists here). Not here: what a line means (codec.py). Functions take the line and
where a thing begins, and return where it ends, after the thing itself if it is wanted. Whatever the line holds, they
raise nothing but Refused, and IndexError where a line ends too early.

Characters are looked at as bytes: MicroPython makes a name of each character of a text that is looked at by itself, and
keeps names for ever, so that a board's memory would fill with all the characters that there are.
"""

from deskonomy.compat import const
from deskonomy.errors import InvalidLineError

# What nobody here understands is read past without taking a board's stack and heap.
DEPTH_MAX = const(4)  # levels
FIELDS_MAX = const(64)  # of an object
NUMBER_BYTES = const(64)  # a number; a 64-bit float is written with 24 at most
TOO_LARGE_MILLS = const(1_000_000_000_000_000)  # stands for every larger number

QUOTE = const(0x22)  # "
COMMA = const(0x2C)
COLON = const(0x3A)
BACKSLASH = const(0x5C)
OBJECT = const(0x7B)  # {
OBJECT_END = const(0x7D)
ARRAY = const(0x5B)  # [
ARRAY_END = const(0x5D)
SPACE = b" \t\r\n"
_ESCAPES = {34: b'"', 47: b"/", 92: b"\\", 98: b"\b", 102: b"\f", 110: b"\n", 114: b"\r", 116: b"\t"}


# Finding one's way.


def past_space(line, at):
    """Where the next thing begins."""
    while line[at] in SPACE:
        at += 1
    return at


def enter(line, at):
    """Into the object or array at `at`: where its first member begins, or its closing byte."""
    return past_space(line, at + 1)


def after(line, at, end):
    """After a member that ended at `at`: where the next one begins, or the closing byte `end`."""
    at = past_space(line, at)
    if line[at] == end:
        return at
    if line[at] != COMMA:
        raise InvalidLineError("a comma is missing")
    at = past_space(line, at + 1)
    if line[at] == end:
        raise InvalidLineError("a comma too many")
    return at


def value_of_key(line, at):
    """After a key that ended at `at`: where its value begins."""
    at = past_space(line, at)
    if line[at] != COLON:
        raise InvalidLineError("a colon is missing")
    return past_space(line, at + 1)


def key(line, at, keys):
    """The key at `at`, which is new among the set `keys`, and where its value begins."""
    text, at = string(line, at)
    if text in keys:
        raise InvalidLineError("%s is there twice" % shown(text.encode()))
    if len(keys) == FIELDS_MAX:
        raise InvalidLineError("more than %d fields" % FIELDS_MAX)
    keys.add(text)
    return text, value_of_key(line, at)


def skip(line, at, depth=1):
    """Past any value; returns where it ends."""
    first = line[at]
    if first == QUOTE:
        return string(line, at)[1]
    if first != OBJECT and first != ARRAY:
        bare, at = word(line, at)
        if bare not in (b"true", b"false", b"null"):
            mills(bare)
        return at
    if depth == DEPTH_MAX:
        raise InvalidLineError("more than %d levels deep" % DEPTH_MAX)
    end = OBJECT_END if first == OBJECT else ARRAY_END
    keys = set()
    at = enter(line, at)
    while line[at] != end:
        if first == OBJECT:
            at = key(line, at, keys)[1]
        at = after(line, skip(line, at, depth + 1), end)
    return at + 1


def shown(raw):
    """What was written, fit for a log: short, printable ASCII."""
    text = bytes([byte if 32 <= byte < 127 else 63 for byte in raw[:24]]).decode()  # "?"
    return text + "..." if len(raw) > 24 else text or "nothing"


# Texts.


def string(line, at):
    """The text of the string at `at`, and where it ends."""
    end = line.find(b'"', at + 1)
    if line[at] != QUOTE or end < 0:
        raise InvalidLineError("a text in quotes is missing")
    raw = line[at + 1 : end]
    if b"\\" in raw:
        raw, end = _unescaped(line, at + 1)
    elif raw and min(raw) < 32:
        raise InvalidLineError("a control character in a text")
    return utf8(raw), end + 1


def utf8(raw):
    """The text that these bytes are in UTF-8."""
    try:
        text = raw.decode()
    except UnicodeError:
        raise InvalidLineError("not UTF-8") from None
    # MicroPython lets overlong forms, surrogates and numbers beyond Unicode pass.
    before = 0
    for byte in raw:
        overlong = byte in b"\xc0\xc1" or (before == 0xE0 and byte < 0xA0) or (before == 0xF0 and byte < 0x90)
        beyond = byte > 0xF4 or (before == 0xF4 and byte >= 0x90)
        if overlong or beyond or (before == 0xED and byte >= 0xA0):
            raise InvalidLineError("not UTF-8")
        before = byte
    return text


def _in_utf8(code):
    """The bytes of the character of this number."""
    if code < 0x80:
        return bytes([code])
    if code < 0x800:
        return bytes([0xC0 | code >> 6, 0x80 | code & 63])
    if code < 0x10000:
        return bytes([0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63])
    return bytes([0xF0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63])


def _unescaped(line, at):
    """The bytes of a string with escapes whose first character is at `at`, and where its closing quote is."""
    pieces = []
    while line[at] != QUOTE:
        if line[at] != BACKSLASH:
            end = line.find(b'"', at)
            escape = line.find(b"\\", at, end)
            piece = line[at : end if escape < 0 else escape]
            if end < 0 or min(piece) < 32:
                raise InvalidLineError("a control character in a text, or no end of it")
            at += len(piece)
        elif line[at + 1] in _ESCAPES:
            piece = _ESCAPES[line[at + 1]]
            at += 2
        else:
            code, at = _code(line, at)
            if 0xD800 <= code < 0xDC00:
                low, at = _code(line, at)
                code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00 if 0xDC00 <= low < 0xE000 else 0xD800
            if 0xD800 <= code < 0xE000:
                raise InvalidLineError("half a character in a text")
            piece = _in_utf8(code)
        pieces.append(piece)
    return b"".join(pieces), at


def _code(line, at):
    r"""The number that the escape \uXXXX at `at` stands for, and where it ends."""
    digits = line[at + 2 : at + 6].lower()
    if line[at : at + 2] != b"\\u" or len(digits) < 4 or digits.strip(b"0123456789abcdef"):
        raise InvalidLineError("an escape that JSON does not have")
    return int(digits, 16), at + 6


# Numbers.


def word(line, at):
    """The bytes of the number, or of the word like null, at `at`, and where it ends: at a comma or a bracket."""
    end = len(line)
    for stop in (b",", b"}", b"]"):
        found = line.find(stop, at, end)
        if found >= 0:
            end = found
    return line[at:end].strip(SPACE), end


def mills(number):
    """The bytes of a JSON number as thousandths, rounded to the nearest; any number is at most TOO_LARGE_MILLS."""
    if len(number) > NUMBER_BYTES:
        raise InvalidLineError("a number of more than %d characters" % NUMBER_BYTES)
    point = number.find(b".")
    whole, part = (number, b"0") if point < 0 else (number[:point], number[point + 1 :])
    if _are_digits(whole, part):
        return _rounded(whole, part)
    # A sign, an exponent, or no number at all.
    unsigned = number[1:] if number[:1] == b"-" else number
    mantissa, mark, exponent = unsigned.lower().partition(b"e")
    whole, point, part = mantissa.partition(b".")
    power = exponent[1:] if exponent[:1] in (b"+", b"-") else exponent
    if not _are_digits(whole, part if point else b"0") or (mark and not power.isdigit()):
        raise InvalidLineError("%s is not a number" % shown(number))
    # 10 ** 200 is too large, and 10 ** -200 nothing, whatever 64 digits stand before it.
    places = min(int(power), 200) if mark else 0
    if exponent[:1] == b"-":
        digits = b"0" * places + whole
        whole, part = digits[: len(whole)], digits[len(whole) :] + part
    else:
        digits = part + b"0" * places
        whole, part = whole + digits[:places], digits[places:]
    return -_rounded(whole, part) if unsigned is not number else _rounded(whole, part)


def _are_digits(whole, part):
    return whole.isdigit() and part.isdigit() and (len(whole) == 1 or whole[0] != 48)


def _rounded(whole, part):
    """The number whole.part in thousandths."""
    amount = int(whole + (part + b"000")[:3])
    if len(part) > 3 and part[3] >= 53:  # "5"
        amount += 1
    return amount if amount < TOO_LARGE_MILLS else TOO_LARGE_MILLS


def integer(number, least, most, field):
    """The bytes of a JSON number as an int from least to most, 0 or more; `field` is what a refusal calls it."""
    if not number.isdigit() or (number[0] == 48 and len(number) > 1):
        raise InvalidLineError("%s is %s, not a whole number" % (field, shown(number)))
    value = int(number) if len(number) <= 16 else most + 1
    if not least <= value <= most:
        raise InvalidLineError("%s is %s, not %d to %d" % (field, shown(number), least, most))
    return value
