"""Text of names and amounts, exact to the mill.

Here: amounts as decimal numbers, names and objects as JSON text, also where floats have 24 bits; which characters are
printable, and text from a peer made fit for an output. Not here: the fields of a status line (status.py), the lines of
a road (wire/codec.py).
"""

# The characters from U+007F on that are not printable, in rows of four bytes: the first one's number, and how many
# follow it. They are Unicode's control and format characters, separators of lines and paragraphs, and spaces other than
# U+0020. Those for private use are two blocks more, which is_printable() states itself.
_UNPRINTABLE = (
    b"\x00\x00\x7f\x21\x00\x00\xad\x00\x00\x06\x00\x05\x00\x06\x1c\x00\x00\x06\xdd\x00"
    b"\x00\x07\x0f\x00\x00\x08\x90\x01\x00\x08\xe2\x00\x00\x16\x80\x00\x00\x18\x0e\x00"
    b"\x00\x20\x00\x0f\x00\x20\x28\x07\x00\x20\x5f\x10\x00\x30\x00\x00\x00\xfe\xff\x00"
    b"\x00\xff\xf9\x02\x01\x10\xbd\x00\x01\x10\xcd\x00\x01\x34\x30\x0f\x01\xbc\xa0\x03"
    b"\x01\xd1\x73\x07\x0e\x00\x00\x7f"
)


def is_printable(raw: bytes) -> bool:
    """Return whether a text, in valid UTF-8, has printable characters only. The rule is the same on every machine."""
    # Numbers, not characters: MicroPython keeps each character of a str that is indexed for ever.
    code = 32
    for byte in raw + b" ":
        if byte & 0xC0 == 0x80:
            code = code << 6 | byte & 63
            continue
        code &= 0x1FFFFF
        if code < 32 or 0xE000 <= code < 0xF900 or code >= 0xF0000:
            return False
        for at in range(0, len(_UNPRINTABLE) if code >= 127 else 0, 4):
            above = code - (_UNPRINTABLE[at] << 16 | _UNPRINTABLE[at + 1] << 8 | _UNPRINTABLE[at + 2])
            if 0 <= above <= _UNPRINTABLE[at + 3]:
                return False
        code = byte if byte < 128 else byte & 31
    return True


def escape(text: str) -> str:
    """Return a text that is safe on any output: as it is if it is printable, else as one line of ASCII with escapes."""
    raw = text.encode("utf-8", "replace")
    if is_printable(raw):
        return raw.decode()
    escaped = bytearray()
    for byte in raw:
        escaped.extend(b"\\x%02x" % byte if byte < 32 or byte > 126 else bytes((byte,)))
    return escaped.decode()


def format_decimal(mills: int) -> str:
    """Return an amount in mills as a decimal number of whole units: 1211480 becomes "1211.48"."""
    text = "%d.%03d" % (abs(mills) // 1000, abs(mills) % 1000)
    text = text[:-1] if text.endswith("0") else text
    text = text[:-1] if text.endswith("0") else text
    return "-" + text if mills < 0 else text


def quote(name: str) -> str:
    """Return a name as JSON text."""
    # The protocol allows no control characters and no quotes in a name: only the backslash needs an escape.
    return '"%s"' % name.replace("\\", "\\\\")


def format_object(pairs: "list[tuple[str, str]]") -> str:
    """Return the JSON object of these (name, JSON text) pairs."""
    return "{" + ", ".join(["%s: %s" % (quote(name), value) for name, value in pairs]) + "}"
