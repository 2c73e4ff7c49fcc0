"""How much of a topic is still to be done, as Redis knows it."""

import dataclasses
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError


@dataclasses.dataclass(frozen=True)
class Backlog:
    """One topic and one app's group at a moment."""

    length: int = 0
    """Messages not yet acknowledged."""
    pending: int = 0
    """Of those, handed to a worker."""
    oldest: float | None = None
    """Unix time at which the oldest of them was sent, seconds; None where there is none."""

    @property
    def lag(self) -> int:
        """Messages that no worker was handed yet."""
        return max(0, self.length - self.pending)

    def oldest_seconds(self, now: float) -> float:
        """Age of the oldest message, 0 where there is none."""
        return max(0.0, now - self.oldest) if self.oldest is not None else 0.0


async def backlog(redis: Redis, topic: str, group: str) -> Backlog:
    """Looks at a topic in one round trip. An empty one where topic or group are not there yet."""
    pipe = redis.pipeline(transaction=False)
    pipe.xlen(topic)
    pipe.xpending(topic, group)
    pipe.xrange(topic, count=1)
    length, pending, first = await pipe.execute(raise_on_error=False)
    for answer in (length, first):
        if isinstance(answer, Exception):
            raise answer
    if isinstance(pending, Exception) and not isinstance(pending, ResponseError):
        raise pending
    oldest: Any = int(first[0][0].split(b"-")[0]) / 1000 if first else None
    return Backlog(length, 0 if isinstance(pending, Exception) else pending["pending"], oldest)
