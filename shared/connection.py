"""How this project connects to Redis: one place for the timeouts."""

import asyncio
import os
import socket
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_SECONDS = 5.0
"""Redis on the next machine answers in milliseconds; five seconds is a fault."""

ANSWER_SECONDS = 10.0
"""Above the longest block any of our reads asks for, and above the tries of a sender to a Redis that is
away."""

MOST_CONNECTIONS = 4096
"""A bound against leaks, not against work: a gateway with a hundred cameras reads as many streams at once,
each on a connection of its own while it blocks. redis-py's own bound is 100."""

NOT_NOW = ("MISCONF", "NOREPLICAS")
"""What Redis begins its answer with when its disk or its replicas take no writes; redis-py has no name for
it, and in a pipeline puts words of its own before it."""

REFUSED = (OutOfMemoryError, ReadOnlyError)
"""Redis answers, and takes no writes: full, without a disk, or a replica. To be waited out as if it were
away."""


def raise_refused(error: ResponseError) -> None:
    """By its right name, one of REFUSED, where redis-py knows only that something was wrong."""
    if any(word in str(error) for word in NOT_NOW):
        raise ReadOnlyError(str(error)) from error


class Store(redis.asyncio.Redis):
    """The asyncio client, with a time limit on every command, its tries included.

    redis-py's own `socket_timeout` sends through `asyncio.wait_for`, which on Python 3.11 loses a
    cancellation that comes while the send completes (python/cpython#86296): a task told to stop goes on.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command and its answer. Raises redis.exceptions.TimeoutError, and REFUSED where that is so."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            raise_refused(error)
            raise
        except TimeoutError as error:
            raise RedisTimeoutError(f"no answer to {args[0]} within {ANSWER_SECONDS:g} s") from error


def connect(url: str) -> redis.asyncio.Redis:
    """An asyncio client; it connects on first use. Close it with `aclose()`."""
    # One new try on a connection the server has closed; more is for the caller, who knows what a repeat does.
    retry = Retry(NoBackoff(), 1)
    return Store.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=None,
        retry=retry,
        max_connections=MOST_CONNECTIONS,
    )


def connect_blocking(url: str, answer_seconds: float = ANSWER_SECONDS) -> redis.Redis:
    """A client for a thread of its own. Close it with `close()`."""
    return redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=answer_seconds)


def process_name() -> str:
    """Unique among all processes that ever talk to one Redis: host, process id, and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
