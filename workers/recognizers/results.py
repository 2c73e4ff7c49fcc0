"""Writes results to the sessions that wait for them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

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
from shared.connection import ANSWER_SECONDS

log = logging.getLogger(__name__)

WRITE = """
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'ended' or state == 'failed' or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 3, #ARGV do redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'r', ARGV[i]) end
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""
"""KEYS: the session's hash and its results, on one node. ARGV: bound, life, then packed results. A result of
a session that has ended would bring its stream back to life after the session was cleared away."""

PASSING = (
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TimeoutError,
    OSError,
)
"""Waited out: a window is not acknowledged before its result is written."""

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)


class Results:
    """The streams `results:{id}`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def write(self, results: Mapping[str, Sequence[bytes]]) -> dict[str, bool]:
        """Appends packed results, by session, in one round trip; those of one session all or none.

        False where the session has ended or is gone. Waits for a Redis that is away, until cancelled; what
        is then written twice counts once.
        """
        written: dict[str, bool] = {}
        left, tries = dict(results), 0
        while left:
            for session, answer in zip(list(left), await self._try(left), strict=True):
                if isinstance(answer, PASSING):
                    if tries == 0:
                        log.warning("Results wait for Redis: %s: %s", type(answer).__name__, answer)
                    continue
                if isinstance(answer, Exception):
                    # Such as a key of another type: trying again would not help, and would hold up everybody.
                    log.error("Results of session %s cannot be written: %s", session, answer)
                written[session] = answer == 1
                del left[session]
            if left:
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1
        return written

    async def _try(self, results: Mapping[str, Sequence[bytes]]) -> list[Any]:
        """What Redis says for each session: a number or an exception."""
        pipe = self._redis.pipeline(transaction=False)
        for session, packed in results.items():
            places = (keys.session(session), keys.results(session))
            pipe.eval(WRITE, 2, *places, keys.RESULTS_LENGTH, keys.SESSION_TTL_SECONDS, *packed)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return list(await pipe.execute(raise_on_error=False))
        except (RedisError, OSError) as error:  # builtins.TimeoutError is an OSError
            return [error] * len(results)
