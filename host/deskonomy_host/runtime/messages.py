"""Messages between a run and its worker processes: pickled values over a socket, each after its length.

Here: the framing. Not here: which messages there are (worker.py).
"""

import asyncio
import pickle
from typing import Any

_LENGTH_BYTES = 4


def pack_message(value: Any) -> bytes:
    """Return a value as bytes for receive_message()."""
    data = pickle.dumps(value)
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data


async def receive_message(reader: asyncio.StreamReader) -> Any:
    """Return the next value. Raises EOFError if the other process has closed the socket."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "little")
        return pickle.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise EOFError from None
