"""What other processes ask of the one that writes a session: JSON on `control:{id}`."""

import asyncio
import json
import logging
from collections.abc import Callable

import redis.asyncio
from redis.exceptions import RedisError

from shared import keys

log = logging.getLogger(__name__)

KEYFRAME = "keyframe"
"""`{"type": "keyframe"}`: the keypoint owner cannot go on without one."""

CONSUMED = "consumed"
"""`{"type": "consumed"}`: a checkpoint covers more of a file, so there may be room."""

POLL_SECONDS = 5.0
"""Below the client's own read timeout."""

RETRY_SECONDS = 1.0


async def follow(store: redis.asyncio.Redis, session: str, on_message: Callable[[str], None]) -> None:
    """Calls `on_message` with each message's type, until cancelled; survives a Redis that goes away.

    What was said meanwhile is lost, so nothing may hang on a message alone.
    """
    while True:
        try:
            await _follow_once(store, session, on_message)
        except RedisError as error:
            log.warning("session %s: cannot hear its control channel: %s", session, error)
            await asyncio.sleep(RETRY_SECONDS)


async def _follow_once(store: redis.asyncio.Redis, session: str, on_message: Callable[[str], None]) -> None:
    async with store.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(keys.control(session))
        while True:
            message = await channel.get_message(timeout=POLL_SECONDS)
            kind = _type_of(message["data"]) if message else None
            if kind is not None:
                on_message(kind)


def _type_of(data: bytes) -> str | None:
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return None
    kind = message.get("type") if isinstance(message, dict) else None
    return kind if isinstance(kind, str) else None
