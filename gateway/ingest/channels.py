"""The control channels of sessions that this process writes, all heard over one connection to Redis."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from shared import keys, tasks

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""Below the client's own read timeout."""

RETRY_SECONDS = 1.0

LARGEST_MESSAGE = 128 * 1024
"""A forwarded PATCH holds at most `offers.LARGEST_BYTES`."""

Message = dict[str, Any]
Hears = Callable[[Message], None]


class Channels:
    """Calls whoever hears a session's channel with each message on it; survives a Redis that goes away.

    What is said meanwhile is lost, so nothing may hang on a message alone. `aclose()` ends it.
    """

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store
        self._hearers: dict[str, list[Hears]] = {}
        self._heard: dict[str, asyncio.Event] = {}
        self._pubsub: Any = None
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """Hears nothing more."""
        if self._task is not None:
            await tasks.end(self._task)

    @contextlib.asynccontextmanager
    async def hearing(self, session: str, hears: Hears) -> AsyncIterator[asyncio.Event]:
        """Calls `hears` while inside; the event is set once Redis has confirmed that the channel is heard."""
        channel = keys.control(session)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="control channels")
        self._hearers.setdefault(channel, []).append(hears)
        confirmed = self._heard.setdefault(channel, asyncio.Event())
        if len(self._hearers[channel]) == 1:
            await self._tell("subscribe", channel)
        self._wanted.set()
        try:
            yield confirmed
        finally:
            self._hearers[channel].remove(hears)
            if not self._hearers[channel]:
                del self._hearers[channel], self._heard[channel]
                await self._tell("unsubscribe", channel)

    async def say(self, session: str, message: Message) -> int:
        """Says something to all who hear the session's channel; returns how many do. Raises RedisError."""
        said: int = await self._store.publish(keys.control(session), json.dumps(message))
        return said

    async def _tell(self, what: str, channel: str) -> None:
        if self._pubsub is None:
            return  # Whatever is wanted then is subscribed to when the connection is there.
        with contextlib.suppress(RedisError):
            await getattr(self._pubsub, what)(channel)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            if not self._hearers:
                self._wanted.clear()
                continue
            try:
                await self._listen()
            except RedisError as error:
                log.warning("cannot hear control channels: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        async with self._store.pubsub() as pubsub:
            try:
                await pubsub.subscribe(*self._hearers)
                self._pubsub = pubsub
                while True:  # Also while nobody hears anything: the next camera is not far.
                    message = await pubsub.get_message(timeout=POLL_SECONDS)
                    if message is not None:
                        self._take(message)
            finally:
                self._pubsub = None
                for confirmed in self._heard.values():
                    confirmed.clear()

    def _take(self, message: dict[str, Any]) -> None:
        channel = message["channel"].decode()
        if message["type"] == "subscribe" and channel in self._heard:
            self._heard[channel].set()
        if message["type"] != "message":
            return
        said = _read(message["data"])
        if said is not None:
            for hears in list(self._hearers.get(channel, ())):
                hears(said)


def _read(data: bytes) -> Message | None:
    if len(data) > LARGEST_MESSAGE:
        return None
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("type"), str) else None
