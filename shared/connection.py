"""How this project connects to Redis: one place for the timeouts."""

import os
import socket

import redis
import redis.asyncio

CONNECT_SECONDS = 5.0
"""Redis on the next machine answers in milliseconds; five seconds is a fault."""

ANSWER_SECONDS = 10.0
"""Above the longest block any of our reads asks for."""


def connect(url: str) -> redis.asyncio.Redis:
    """An asyncio client; it connects on first use. Close it with `aclose()`."""
    return redis.asyncio.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=15,
    )


def connect_blocking(url: str, answer_seconds: float = ANSWER_SECONDS) -> redis.Redis:
    """A client for a thread of its own. Close it with `close()`."""
    return redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=answer_seconds)


def process_name() -> str:
    """Unique among all processes that ever talk to one Redis: host, process id, and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
