"""Text of names and amounts, exact to the mill.

Here: amounts as decimal numbers, names and objects as JSON text, also where floats have 24 bits. Not here: the fields
of a status line (status.py), the lines of a road (wire/codec.py).
"""


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
