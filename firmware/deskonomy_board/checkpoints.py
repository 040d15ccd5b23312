"""The saved city: one small file on the flash, the old one or the new one whatever happens.

Here: when a checkpoint is written, and how. Not here: what is in it (deskonomy/checkpoint.py), whom it lets go
(deskonomy/ledger.py), what a start makes of it (wake.py).

A checkpoint is written to a file of its own, read back, and renamed, which littlefs does in one step; between these
steps the city ticks on, unless memory is too short for that. It takes one erase of the flash as long as it fits into
one block of 4096 bytes, and is skipped while nobody has crossed the border. docs/saved-cities.md has the flash's life.
"""

import asyncio
import gc
import os

from deskonomy.storage.encode import pieces, write
from micropython import const

FILE = "city.state"
NEW = "city.new"
_LOOK_MS = const(200)
_FREE_MIN = const(8_000)  # bytes of heap that the city needs to go on while a checkpoint is written


async def keep(city, checkpoint_s, log=print):
    """Save the city for ever, at most every so many seconds and while somebody crosses its border."""
    failed = None
    while not city.ledger.volatile:
        if city.ledger.crossed or failed:
            before, failed = failed, await save(city)
            if failed and not before:
                log("the city cannot be saved (%s): is the flash full? Who leaves waits until it can" % failed)
            elif before and not failed:
                log("the city is saved again")
            await asyncio.sleep(checkpoint_s)
        else:
            await asyncio.sleep_ms(_LOOK_MS)


async def save(city):
    """Save the city as it is now. Returns why that cannot be done, None if it is."""
    try:
        mark = city.ledger.mark()
        data = _pieces(city)
        if data is not None:  # else the city is written as it is now, so that may not wait
            await asyncio.sleep_ms(0)
        with open(NEW, "wb") as file:
            await _put(city, data, file.write)
        with open(NEW, "rb") as file:
            await _put(city, data, lambda piece: check(file, piece))
        await asyncio.sleep_ms(0)
        os.rename(NEW, FILE)
        city.ledger.release(mark)
    except (OSError, MemoryError) as error:
        return str(error) or "no memory"


def _pieces(city):
    """The city as a list of bytes; None if memory is too short for that."""
    try:
        data = pieces(city)
        gc.collect()
        return data if gc.mem_free() >= _FREE_MIN else None
    except MemoryError:
        return None


async def _put(city, data, put):
    """Call put() with one piece after the other, and let the city tick between them; at once if there are none."""
    if data is None:
        write(city, put)
        return
    for piece in data:
        put(piece)
        await asyncio.sleep_ms(0)


def check(file, piece):
    """Raises OSError if that is not what comes next in a file."""
    if file.read(len(piece)) != piece:
        raise OSError("not what was written")
