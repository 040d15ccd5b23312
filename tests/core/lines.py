"""The line of a merchant on the wire, for tests."""

from deskonomy.wire.codec import encode_merchant


def line_of(merchant, goods=None):
    """Return the whole line of a merchant, with its newline; goods: as encode_merchant() takes them."""
    return b"".join(encode_merchant(merchant, goods)) + b"\n"
