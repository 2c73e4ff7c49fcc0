"""What the benches of the windows' road share: a Redis, and a stream that is there all at once."""

import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import redis.asyncio

from deploy import child
from deploy.redis_server import RedisServer

FILL_AT_ONCE = 200
"""Entries a round trip: some megabytes."""

WAITING = "waiting"
"""Key of the stream that is filled aside, so that filling is in no figure."""


@contextlib.asynccontextmanager
async def redis_of_our_own() -> AsyncIterator[str]:
    """URL of a Redis as `signstream up` runs it, with its append-only file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # it may be rewriting its file
        server = RedisServer(Path(folder))
        process = await server.spawn()
        try:
            await server.answers()
            yield server.url
        finally:
            await child.stop(process)


async def fill(store: redis.asyncio.Redis, messages: Sequence[bytes]) -> None:
    """Appends one entry a message to the stream that waits aside."""
    for start in range(0, len(messages), FILL_AT_ONCE):
        pipe = store.pipeline(transaction=False)
        for message in messages[start : start + FILL_AT_ONCE]:
            pipe.xadd(WAITING, {"v": message})
        await pipe.execute()


class Clock:
    """Wall time and this process's processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> tuple[float, float]:
        """Seconds of each."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu
