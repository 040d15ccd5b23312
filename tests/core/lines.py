"""The line of a merchant on the wire, for tests."""

from deskonomy.wire.codec import encode_merchant


def line_of(merchant):
    """Return the whole line of a merchant, with its newline."""
    return b"".join(encode_merchant(merchant)) + b"\n"
