"""What a recognizer asks of a Redis that may be away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import ResponseError

from shared.connection import ANSWER_SECONDS, raise_refused
from shared.faust_redis.connection import AWAY

T = TypeVar("T")
log = logging.getLogger(__name__)

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between the tries; the last goes on for ever."""


async def patiently(what: str, call: Callable[[], Awaitable[T]]) -> T:
    """What `call` answers, tried again while Redis is away, full or takes no writes, until cancelled.

    `what` waits, for the log. A call of which Redis lost only the answer is made twice.
    """
    tries = 0
    while True:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await _by_name(call)
        except AWAY as error:  # builtins.TimeoutError is an OSError
            if tries == 0:
                log.warning("%s wait for Redis: %s: %s", what, type(error).__name__, error)
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1


async def _by_name(call: Callable[[], Awaitable[T]]) -> T:
    try:
        return await call()
    except ResponseError as error:
        raise_refused(error)  # a pipeline does not pass through the client that gives the name
        raise
