"""Clients as the transport wants them, and what counts as Redis being away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import AbstractBackoff, ExponentialBackoff, NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,  # noqa: A004
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TimeoutError,  # noqa: A004
    TryAgainError,
)

from shared.connection import Store

log = logging.getLogger(__name__)

REPLIES = (
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TimeoutError,
    TryAgainError,
)
AWAY = (*REPLIES, OSError)
"""Restarting, loading its file, failing over, full: it comes back, so wait. Anything else is a fault of
ours."""

SEND_RETRIES = 8
SEND_BACKOFF = ExponentialBackoff(cap=1.0, base=0.05)
"""Eight tries over about 4.5 s: longer than a restart with a small file, shorter than a sender's patience."""

PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Between the tries of a reader; the last goes on for ever."""


def reader(url: str) -> Redis:
    """A client that fails at once (after one silent reconnect): the reading loop has its own patience."""
    return _client(url, NoBackoff(), 1)


def writer(url: str) -> Redis:
    """A client that sees a sender through a restart of Redis."""
    return _client(url, SEND_BACKOFF, SEND_RETRIES)


def _client(url: str, backoff: AbstractBackoff, retries: int) -> Redis:
    return Store.from_url(
        url,
        protocol=2,
        retry=Retry(backoff, retries),
        retry_on_error=[*REPLIES],
        health_check_interval=15,
        socket_timeout=None,
    )


class Patience:
    """Waits out a Redis that is away, and says so once per absence."""

    def __init__(self) -> None:
        self._failures = 0

    async def after(self, error: BaseException, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Call on one of AWAY; waits before the next try."""
        if self._failures == 0:
            log.warning("Redis is away, trying again until it is back: %s: %s", type(error).__name__, error)
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        await sleep(pause)

    def back(self) -> None:
        """Call after every success."""
        if self._failures:
            log.warning("Redis is back after %d tries", self._failures)
        self._failures = 0


async def close(client: Redis, seconds: float = 2.0) -> None:
    """Closes every connection; a Redis that does not answer is no reason to hang."""
    async with asyncio.timeout(seconds):
        await client.aclose()
