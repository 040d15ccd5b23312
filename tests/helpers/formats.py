"""Checkpoints of other formats, made of those of the current one.

Here: another first line, with the checksum that belongs to it. Not here: recorded checkpoints (tests/data).
"""

import hashlib

from deskonomy.storage.encode import CHECKSUM_BYTES


def replace_format(data: bytes, head: bytes) -> bytes:
    """Return a checkpoint with another first line, and with the right checksum."""
    content = head + data[data.find(b"\n") : len(data) - CHECKSUM_BYTES]
    return content + hashlib.sha256(content).digest()[:CHECKSUM_BYTES]
