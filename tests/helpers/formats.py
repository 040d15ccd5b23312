"""Checkpoints of other formats, made of those of the current one.

Here: another first line, with the checksum that belongs to it, and the bytes of format 1. Not here: recorded
checkpoints (tests/data).
"""

import hashlib

from deskonomy.economy.city import City
from deskonomy.status import format_status
from deskonomy.storage import encode
from deskonomy.storage.encode import CHECKSUM_BYTES

ADDED_FIELDS = ("waiting_to_enter", "version")  # of a status line, since 0.1.0: numbers and flat objects


def format_status_1(city: City) -> str:
    """Return a city's status line with the fields of version 0.1.0 only."""
    line = format_status(city)
    for field in ADDED_FIELDS:
        first, *rest = line.split(', "%s": ' % field)
        line = first + "".join(
            [part.split("}", 1)[1] if part.startswith("{") else part.lstrip("0123456789.") for part in rest]
        )
    return line


def replace_format(data: bytes, head: bytes) -> bytes:
    """Return a checkpoint with another first line, and with the right checksum."""
    content = head + data[data.find(b"\n") : len(data) - CHECKSUM_BYTES]
    return content + hashlib.sha256(content).digest()[:CHECKSUM_BYTES]


def encode_format_1(city: City) -> bytes:
    """Return the bytes that version 0.1.0 saves of a city."""
    write_additions = encode._write_additions
    encode._write_additions = lambda writer, city: None
    try:
        return replace_format(encode.encode_city(city), b"deskonomy1")
    finally:
        encode._write_additions = write_additions
