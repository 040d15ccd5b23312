"""A merchant as it stands on the wire, for tests."""

from deskonomy.wire.codec import encode


def line_of(merchant):
    """All of its line, with the newline (bytes)."""
    return b"".join(encode(merchant)) + b"\n"
