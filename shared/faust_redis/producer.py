"""Faust's producer over XADD."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any

from faust.transport import base
from faust.types import TP, RecordMetadata

from . import connection
from .entries import Headers, to_fields

log = logging.getLogger(__name__)

NO_OFFSET = -1
"""A stream's entries have ids, not offsets; a consumer counts its own."""

LENGTH_CHECK_SECONDS = 1.0

MOST_AT_ONCE = 16
"""Messages under way at a time, each on a connection of its own: hundreds of senders wait their turn instead
of being refused by a pool that is used up. Redis takes them one after the other anyway."""

SIZES = 32
"""Messages over which a topic's mean size is taken: one large one among small ones must not drop them."""


class Producer(base.Producer):
    """Appends to streams. A message is in Redis when `send` returns."""

    def __init__(self, transport: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(transport, *args, **kwargs)
        self.options = transport.options
        self.redis = connection.writer(transport.redis_url)
        self.sent = 0
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self.overflows = 0
        """Times a topic was found at its bound: its oldest messages are being dropped unread."""
        self._check_due: dict[str, float] = {}
        self._sizes: dict[str, float] = {}
        """Mean bytes of a message, by topic."""

    async def on_stop(self) -> None:
        """Closes its connections."""
        try:
            await super().on_stop()
        finally:
            await connection.close(self.redis)

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Headers | None,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Appends; the future is done. A Redis that is away is tried again for some seconds, which may
        append twice; after that raises redis.exceptions.ConnectionError or TimeoutError."""
        fields, maxlen = to_fields(key, value, headers), self._bound(topic, len(value or b""))
        async with self._turns:
            entry_id: Any = await self.redis.xadd(topic, fields, maxlen=maxlen, approximate=True)
            self.sent += 1
            await self._check_length(topic, maxlen)
        done: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        sent_at = int(entry_id.split(b"-")[0]) / 1000
        done.set_result(RecordMetadata(topic, 0, TP(topic, 0), NO_OFFSET, sent_at, 0))
        return done

    def _bound(self, topic: str, size: int) -> int:
        """Messages that the topic may hold, now that one of so many bytes comes."""
        mean = self._sizes.get(topic, float(size))
        mean = self._sizes[topic] = mean + (size - mean) / SIZES
        by_size = int(self.options.maxbytes / max(mean, 1.0))
        maxlen: int = self.options.maxlen
        return max(1, min(maxlen, by_size))

    async def _check_length(self, topic: str, bound: int) -> None:
        now = time.monotonic()
        if now < self._check_due.get(topic, 0.0):
            return
        self._check_due[topic] = now + LENGTH_CHECK_SECONDS
        try:
            length = await self.redis.xlen(topic)
        except connection.AWAY:
            return  # the message is sent; the next one will tell
        if length >= bound:
            self.overflows += 1
            log.error(
                "Topic %s holds %d messages, its bound is %d: the oldest are dropped unread."
                " Its workers are too few, too slow or not there",
                topic,
                length,
                bound,
            )

    async def send_and_wait(self, *args: Any, **kwargs: Any) -> RecordMetadata:
        """As send, which waits already."""
        return await (await self.send(*args, **kwargs))

    async def flush(self) -> None:
        """Sends what `send_soon` has put aside."""
        await self.buffer.flush()

    async def create_topic(self, topic: str, partitions: int, replication: int, **kwargs: Any) -> None:
        """XADD makes the stream."""

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Every topic has one partition."""
        return TP(topic, 0)

    def supports_headers(self) -> bool:
        """Stored in the entry's field `h`."""
        return True
