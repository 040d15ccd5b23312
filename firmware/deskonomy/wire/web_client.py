"""The answer to a client of HTTP at a city's port.

Here: the answer, and the time that it needs. Not here: how such a client is recognised (wire/codec.py), the end of its
connection (wire/connection.py). A board loads this module when it first needs it.
"""

import asyncio

from deskonomy.compat import TYPE_CHECKING, const

if TYPE_CHECKING:
    from asyncio import StreamWriter

_ANSWER_MS = const(100)  # for an answer to arrive: bytes that were not read reset the connection
_ANSWER = b"HTTP/1.0 400 Bad Request\r\n\r\nA deskonomy city; its dashboard is on port 80 or 8055.\n"


async def send_answer(writer: "StreamWriter") -> None:
    """Send a short answer that says what listens here."""
    try:
        writer.write(_ANSWER)
        await writer.drain()
        await asyncio.sleep(_ANSWER_MS / 1000)
    except OSError:
        pass
