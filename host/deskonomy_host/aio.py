"""Work beside other work: a task for the length of a block, and results that may have to be awaited.

Here: what every part of a host does alike. Not here: what the work is.
"""

import asyncio
import contextlib
import inspect


@contextlib.asynccontextmanager
async def background(work):
    """A task that does this work, ended with the block at the latest."""
    # Started here; ends by itself or with the block.
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def result_of(value):
    """What a function gave, or, where that is a coroutine, what it comes to."""
    return await value if inspect.isawaitable(value) else value
