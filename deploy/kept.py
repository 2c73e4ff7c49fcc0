"""One process that is started again whenever it dies."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from deploy import child

log = logging.getLogger(__name__)

GIVE_UP = 2
"""A child's exit status that says: starting me again will not help (a wrong setting, a bad bundle)."""

SHORTEST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
HEALTHY_SECONDS = 10.0
"""A child that lived this long starts again at once; one that dies young waits twice as long each time."""

Spawn = Callable[[], Awaitable[asyncio.subprocess.Process]]


class CannotRunError(RuntimeError):
    """A process said that starting it again will not help."""


@contextlib.asynccontextmanager
async def kept(name: str, spawn: Spawn, broken: asyncio.Future[None]) -> AsyncIterator[None]:
    """The process lives inside and is stopped after. Sets CannotRunError on `broken` when it gives up."""
    process = await spawn()

    async def keep() -> None:
        nonlocal process
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            born = time.monotonic()
            status = await process.wait()
            if status == GIVE_UP:
                if not broken.done():
                    broken.set_exception(CannotRunError(f"{name} cannot run; what it said stands above"))
                return
            lived = time.monotonic() - born
            pause = SHORTEST_PAUSE_SECONDS if lived > HEALTHY_SECONDS else pause
            log.warning("%s ended (status %d) after %.1f s; starting it again", name, status, lived)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            process = await spawn()

    keeper = asyncio.create_task(keep(), name=f"keep-{name}")
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        await child.stop(process)
