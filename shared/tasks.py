"""Ending asyncio tasks for certain."""

import asyncio
from typing import Any

AGAIN_SECONDS = 0.5


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancels the tasks until each is over, and takes note of their exceptions.

    Once is not enough: a cancellation that meets redis-py while it connects can be swallowed there, and the
    task would run on.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
