"""A task that swallows its cancellation is ended all the same."""

import asyncio

from shared import tasks


async def test_a_task_that_swallows_its_cancellation_ends() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
        raise ValueError("its last words are nobody's")

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await tasks.end(task)
    assert task.done()


async def test_nothing_to_end_is_fine() -> None:
    await tasks.end()
