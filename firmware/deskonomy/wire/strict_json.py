"""JSON read strictly, and the same on every interpreter: their own json modules differ in what they accept.

Here: reading through the bytes of one line, texts, and numbers as decimal text straight into whole mills (a board's
floats have 24 bits, so no float exists here). Not here: what a line means (wire/codec.py). A function takes a line and
where something begins, and returns where it ends, after the thing itself if it is wanted. Whatever the line holds, the
functions raise nothing but InvalidLineError, and IndexError where a line ends too early.

Characters are compared as bytes: MicroPython interns each character of a str that is indexed, and keeps it for ever, so
that a board's memory would fill with all the characters that exist.
"""

from deskonomy.compat import const
from deskonomy.errors import InvalidLineError

# An unknown field is skipped: these limits keep it from taking a board's stack and heap.
DEPTH_MAX = const(4)  # levels
FIELDS_MAX = const(64)  # of an object
NUMBER_MAX_BYTES = const(64)  # a number; a 64-bit float is written with 24 at most
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


# Structure.


def skip_space(line: bytes, at: int) -> int:
    """Return where the space at `at` ends."""
    while line[at] in SPACE:
        at += 1
    return at


def enter(line: bytes, at: int) -> int:
    """Return where the first member of the object or array at `at` begins, or its closing byte."""
    return skip_space(line, at + 1)


def next_member(line: bytes, at: int, end: int) -> int:
    """Return where the member after one that ended at `at` begins, or the closing byte `end`."""
    at = skip_space(line, at)
    if line[at] == end:
        return at
    if line[at] != COMMA:
        raise InvalidLineError("a comma is missing")
    at = skip_space(line, at + 1)
    if line[at] == end:
        raise InvalidLineError("a comma too many")
    return at


def skip_colon(line: bytes, at: int) -> int:
    """Return where the value of a key that ended at `at` begins."""
    at = skip_space(line, at)
    if line[at] != COLON:
        raise InvalidLineError("a colon is missing")
    return skip_space(line, at + 1)


def read_key(line: bytes, at: int, keys: "set[str]") -> "tuple[str, int]":
    """Return the key at `at`, which must be new, and where its value begins; add it to `keys`."""
    text, at = read_string(line, at)
    if text in keys:
        raise InvalidLineError("%s is there twice" % printable(text.encode()))
    if len(keys) == FIELDS_MAX:
        raise InvalidLineError("more than %d fields" % FIELDS_MAX)
    keys.add(text)
    return text, skip_colon(line, at)


def skip_value(line: bytes, at: int, depth: int = 1) -> int:
    """Return where the value at `at` ends, whatever it is."""
    first = line[at]
    if first == QUOTE:
        return read_string(line, at)[1]
    if first != OBJECT and first != ARRAY:
        bare, at = read_bare(line, at)
        if bare not in (b"true", b"false", b"null"):
            parse_mills(bare)
        return at
    if depth == DEPTH_MAX:
        raise InvalidLineError("more than %d levels deep" % DEPTH_MAX)
    end = OBJECT_END if first == OBJECT else ARRAY_END
    keys = set()
    at = enter(line, at)
    while line[at] != end:
        if first == OBJECT:
            at = read_key(line, at, keys)[1]
        at = next_member(line, skip_value(line, at, depth + 1), end)
    return at + 1


def printable(raw: bytes) -> str:
    """Return a part of a line for a log: short, in printable ASCII."""
    text = bytes([byte if 32 <= byte < 127 else 63 for byte in raw[:24]]).decode()  # "?"
    return text + "..." if len(raw) > 24 else text or "nothing"


# Texts.


def read_string(line: bytes, at: int) -> "tuple[str, int]":
    """Return the text of the string at `at`, and where it ends."""
    end = line.find(b'"', at + 1)
    if line[at] != QUOTE or end < 0:
        raise InvalidLineError("a text in quotes is missing")
    raw = line[at + 1 : end]
    if b"\\" in raw:
        raw, end = _unescape(line, at + 1)
    elif raw and min(raw) < 32:
        raise InvalidLineError("a control character in a text")
    return decode_utf8(raw), end + 1


def decode_utf8(raw: bytes) -> str:
    """Return the text of bytes in UTF-8."""
    try:
        text = raw.decode()
    except UnicodeError:
        raise InvalidLineError("not UTF-8") from None
    # MicroPython accepts overlong forms, surrogates and numbers beyond Unicode.
    before = 0
    for byte in raw:
        overlong = byte in b"\xc0\xc1" or (before == 0xE0 and byte < 0xA0) or (before == 0xF0 and byte < 0x90)
        beyond = byte > 0xF4 or (before == 0xF4 and byte >= 0x90)
        if overlong or beyond or (before == 0xED and byte >= 0xA0):
            raise InvalidLineError("not UTF-8")
        before = byte
    return text


def _encode_utf8(code: int) -> bytes:
    """Return the bytes of a character, given by its number."""
    if code < 0x80:
        return bytes([code])
    if code < 0x800:
        return bytes([0xC0 | code >> 6, 0x80 | code & 63])
    if code < 0x10000:
        return bytes([0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63])
    return bytes([0xF0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63])


def _unescape(line: bytes, at: int) -> "tuple[bytes, int]":
    """Return the bytes of a string with escapes whose first character is at `at`, and where its closing quote is."""
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
            code, at = _read_escape(line, at)
            if 0xD800 <= code < 0xDC00:
                low, at = _read_escape(line, at)
                code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00 if 0xDC00 <= low < 0xE000 else 0xD800
            if 0xD800 <= code < 0xE000:
                raise InvalidLineError("half a character in a text")
            piece = _encode_utf8(code)
        pieces.append(piece)
    return b"".join(pieces), at


def _read_escape(line: bytes, at: int) -> "tuple[int, int]":
    r"""Return the number of the escape \uXXXX at `at`, and where it ends."""
    digits = line[at + 2 : at + 6].lower()
    if line[at : at + 2] != b"\\u" or len(digits) < 4 or digits.strip(b"0123456789abcdef"):
        raise InvalidLineError("an escape that JSON does not have")
    return int(digits, 16), at + 6


# Numbers.


def read_bare(line: bytes, at: int) -> "tuple[bytes, int]":
    """Return the bytes of a value without quotes (a number, null) at `at`, and where it ends: at a comma or bracket."""
    end = len(line)
    for stop in (b",", b"}", b"]"):
        found = line.find(stop, at, end)
        if found >= 0:
            end = found
    return line[at:end].strip(SPACE), end


def parse_mills(number: bytes) -> int:
    """Return a JSON number in thousandths, rounded to the nearest; TOO_LARGE_MILLS for any larger number."""
    if len(number) > NUMBER_MAX_BYTES:
        raise InvalidLineError("a number of more than %d characters" % NUMBER_MAX_BYTES)
    point = number.find(b".")
    whole, part = (number, b"0") if point < 0 else (number[:point], number[point + 1 :])
    if _are_digits(whole, part):
        return _round_mills(whole, part)
    # A sign, an exponent, or no number at all.
    unsigned = number[1:] if number[:1] == b"-" else number
    mantissa, mark, exponent = unsigned.lower().partition(b"e")
    whole, point, part = mantissa.partition(b".")
    power = exponent[1:] if exponent[:1] in (b"+", b"-") else exponent
    if not _are_digits(whole, part if point else b"0") or (mark and not power.isdigit()):
        raise InvalidLineError("%s is not a number" % printable(number))
    # 10 ** 200 is too large, and 10 ** -200 nothing, whatever 64 digits stand before it.
    places = min(int(power), 200) if mark else 0
    if exponent[:1] == b"-":
        digits = b"0" * places + whole
        whole, part = digits[: len(whole)], digits[len(whole) :] + part
    else:
        digits = part + b"0" * places
        whole, part = whole + digits[:places], digits[places:]
    return -_round_mills(whole, part) if unsigned is not number else _round_mills(whole, part)


def _are_digits(whole: bytes, part: bytes) -> bool:
    return whole.isdigit() and part.isdigit() and (len(whole) == 1 or whole[0] != 48)


def _round_mills(whole: bytes, part: bytes) -> int:
    """Return the number whole.part in thousandths."""
    amount = int(whole + (part + b"000")[:3])
    if len(part) > 3 and part[3] >= 53:  # "5"
        amount += 1
    return amount if amount < TOO_LARGE_MILLS else TOO_LARGE_MILLS


def parse_integer(number: bytes, least: int, most: int, field: str) -> int:
    """Return a JSON number as an int from least to most, 0 or more; errors call it `field`."""
    if not number.isdigit() or (number[0] == 48 and len(number) > 1):
        raise InvalidLineError("%s is %s, not a whole number" % (field, printable(number)))
    value = int(number) if len(number) <= 16 else most + 1
    if not least <= value <= most:
        raise InvalidLineError("%s is %s, not %d to %d" % (field, printable(number), least, most))
    return value
