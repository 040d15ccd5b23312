"""The saved city: a small file on the flash that holds the old city or the new one, whatever happens.

Here: when a checkpoint is written, and how. Not here: its format (deskonomy/storage/), the merchants that may leave
after it (deskonomy/roads/ledger.py), the restore at a start (restore.py).

A checkpoint is written to a file of its own, read back, and renamed, which littlefs does in one step; between these
steps the city ticks on, unless memory is too short for that. It takes one erase of the flash as long as it fits into
one block of 4096 bytes, and is seldom taken while no merchant crosses the border. docs/saved-cities.md has the flash's
life.
"""

import asyncio
import gc
import os

from deskonomy.compat import TYPE_CHECKING
from deskonomy.events import SAVE_FAILED, SAVE_RESTORED
from deskonomy.storage.encode import encode_pieces, write_city
from micropython import const

if TYPE_CHECKING:
    from collections.abc import Callable

    from deskonomy.economy.city import City

FILE = "city.state"
NEW = "city.new"
_LOOK_MS = const(200)
_IDLE_LOOKS_MAX = const(3000)  # ten minutes: without trade a power cut costs no more, and the flash wears little
_FREE_BYTES_MIN = const(8_000)  # of heap, for the city to go on while a checkpoint is written


async def save_changes(city: "City", checkpoint_s: float, log: "Callable[[str, str], None]") -> None:
    """Save the city for ever: at most once in checkpoint_s seconds, after merchants crossed its border, or seldom."""
    failure = None
    looks = 0  # since the last checkpoint
    while not city.ledger.volatile:
        looks += 1
        if city.ledger.dirty or failure or looks > _IDLE_LOOKS_MAX:
            looks = 0
            before, failure = failure, await save_city(city)
            if failure and not before:
                log(
                    SAVE_FAILED,
                    "the city cannot be saved (%s): is the flash full? Merchants wait to leave until it can" % failure,
                )
            elif before and not failure:
                log(SAVE_RESTORED, "the city is saved again")
            await asyncio.sleep(checkpoint_s)
        else:
            await asyncio.sleep_ms(_LOOK_MS)


async def save_city(city: "City") -> "str | None":
    """Save the city as it is now. Return None, or the reason why that fails."""
    try:
        mark = city.ledger.begin_checkpoint()
        pieces = _encode(city)
        if pieces is not None:  # else the city is written without a pause, as it is now
            await asyncio.sleep_ms(0)
        with open(NEW, "wb") as file:
            await _pass_pieces(city, pieces, file.write)
        with open(NEW, "rb") as file:
            await _pass_pieces(city, pieces, lambda piece: _check_piece(file, piece))
        await asyncio.sleep_ms(0)
        os.rename(NEW, FILE)
        city.ledger.commit_checkpoint(mark)
    except (OSError, MemoryError) as error:
        return str(error) or "no memory"


def _encode(city):
    """Return the checkpoint as a list of bytes; None if memory is too short for that."""
    try:
        pieces = encode_pieces(city)
        gc.collect()
        return pieces if gc.mem_free() >= _FREE_BYTES_MIN else None
    except MemoryError:
        return None


async def _pass_pieces(city, pieces, put):
    """Call put() with one piece after the other, and let the city tick between them; without a pause for None."""
    if pieces is None:
        write_city(city, put)
        return
    for piece in pieces:
        put(piece)
        await asyncio.sleep_ms(0)


def _check_piece(file, piece):
    """Compare the next bytes of a file with a piece. Raises OSError if they differ."""
    if file.read(len(piece)) != piece:
        raise OSError("not what was written")
