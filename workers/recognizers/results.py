"""Writes results to the sessions that wait for them."""

import asyncio
import logging

from redis.asyncio import Redis
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,  # noqa: A004
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004
)

from shared import keys
from shared.messages import Result

log = logging.getLogger(__name__)

WRITE = """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'ended' or state == 'failed' or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'r', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""
"""KEYS: the session's hash and its results, on one node. A result of a session that has ended would bring its
stream back to life after the session was cleared away."""

PASSING = (
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TimeoutError,
    OSError,
)
"""Waited out: the window is not acknowledged before its result is written."""

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)


class Results:
    """The streams `results:{id}`."""

    def __init__(self, redis: Redis) -> None:
        self._write = redis.register_script(WRITE)

    async def write(self, session: str, result: Result) -> bool:
        """False where the session has ended or is gone. Waits for a Redis that is away, until cancelled."""
        tries = 0
        while True:
            try:
                written = await self._write(
                    keys=[keys.session(session), keys.results(session)],
                    args=[keys.RESULTS_LENGTH, keys.SESSION_TTL_SECONDS, result.pack()],
                )
                return bool(written)
            except PASSING as error:
                if tries == 0:
                    log.warning("A result waits for Redis: %s: %s", type(error).__name__, error)
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1
            except RedisError as error:
                # Such as a key of another type: trying again would not help, and would hold up every session.
                log.error("The result of window %d of %s cannot be written: %s", result.seq, session, error)
                return False
