"""The consumer group of one app, as one worker sees it: every Redis command the consumer needs."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import ClusterCrossSlotError, ResponseError

from . import scripts
from .pending import GivenBack

T = TypeVar("T")

IDS_PER_SCRIPT = 500
"""A script blocks Redis: 500 entries take about a millisecond."""

GROUP_IS_MISSING = ("NOGROUP", "UNBLOCKED", "no such key")
"""From XREADGROUP, XAUTOCLAIM and scripts; from a blocked XREADGROUP; from XINFO."""

START = b"0-0"

MOST_WAIT_MS = 25
"""For one topic of several on a Cluster, while another may have messages."""


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """An entry that Redis handed to this worker."""

    id: bytes
    fields: Mapping[bytes, bytes]
    deliveries: int


@dataclasses.dataclass(frozen=True, slots=True)
class Reclaimed:
    """One step of a walk over the pending entries."""

    cursor: bytes
    """Where to go on; START when the walk is through."""
    deliveries: list[Delivery]
    gone: int
    """Pending ids whose entry was trimmed or deleted; acknowledged."""


class Group:
    """One worker's place in a consumer group. Every method makes the group anew where it is missing."""

    def __init__(self, redis: Redis, name: str, worker: str) -> None:
        self.redis = redis
        self.name = name
        self.worker = worker
        self._is_cluster = False
        self._turn = 0
        self._renew = redis.register_script(scripts.RENEW)
        self._settle = redis.register_script(scripts.SETTLE)
        self._release = redis.register_script(scripts.RELEASE)
        self._reclaim = redis.register_script(scripts.RECLAIM)
        self._leave = redis.register_script(scripts.LEAVE)

    async def create(self, topic: str) -> None:
        """Makes the stream and the group, from the first entry on; nothing where they exist."""
        try:
            await self.redis.xgroup_create(topic, self.name, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def other_groups(self, topic: str) -> list[str]:
        """Groups that read the same topic: they would miss what this one deletes."""
        groups = await self.redis.xinfo_groups(topic)
        names = [cast(bytes, group["name"]).decode() for group in groups]
        return [name for name in names if name != self.name]

    async def read(self, topics: Sequence[str], count: int, block_ms: int) -> dict[str, list[Delivery]]:
        """New messages, `count` of each topic at most, waiting up to `block_ms` for the first."""
        if not self._is_cluster:
            try:
                return await self._read(topics, count, block_ms)
            except ClusterCrossSlotError:
                self._is_cluster = True
        # No command of a Cluster reads topics of two slots: each is looked at, and then one waited for.
        answer: dict[str, list[Delivery]] = {}
        for topic in topics if len(topics) > 1 else ():
            answer |= await self._read([topic], count, None)
        if not answer:
            self._turn = (self._turn + 1) % len(topics)
            wait = min(block_ms, MOST_WAIT_MS) if len(topics) > 1 else block_ms
            answer = await self._read([topics[self._turn]], count, wait)
        return answer

    async def _read(
        self, topics: Sequence[str], count: int, block_ms: int | None
    ) -> dict[str, list[Delivery]]:
        async def call() -> Any:
            return await self.redis.xreadgroup(
                self.name, self.worker, dict.fromkeys(topics, ">"), count=count, block=block_ms
            )

        answer = await self._with_groups(topics, call)
        return {
            topic.decode(): [Delivery(entry_id, fields, 1) for entry_id, fields in entries]
            for topic, entries in answer or ()
        }

    async def reclaim(self, topic: str, idle_ms: int, cursor: bytes, count: int) -> Reclaimed:
        """Takes over messages that nobody renewed for `idle_ms`, from `cursor` on."""
        answer = await self._run(self._reclaim, topic, idle_ms, cursor, count)
        deliveries = [
            Delivery(entry_id, dict(zip(flat[::2], flat[1::2], strict=True)), times)
            for entry_id, flat, times in answer[1]
        ]
        return Reclaimed(answer[0], deliveries, answer[2])

    async def renew(self, topic: str, ids: Sequence[bytes]) -> list[bytes]:
        """Keeps these from being reclaimed; returns those that were lost to another worker."""
        return await self._in_parts(self._renew, topic, ids)

    async def settle(self, topic: str, ids: Sequence[bytes]) -> list[bytes]:
        """Acknowledges and deletes these; returns those that were lost to another worker."""
        return await self._in_parts(self._settle, topic, ids)

    async def release(self, topic: str, given_back: Iterable[GivenBack], idle_ms: int) -> None:
        """Lets the next reclaim take these at once."""
        pairs = [part for back in given_back for part in (back.id, back.deliveries)]
        for start in range(0, len(pairs), 2 * IDS_PER_SCRIPT):
            await self._run(self._release, topic, idle_ms, *pairs[start : start + 2 * IDS_PER_SCRIPT])

    async def leave(self, topic: str, worker: str | None = None) -> bool:
        """Removes this worker (or a dead one) from the group, unless something is pending for it."""
        keys, arguments = [topic], [self.name, worker or self.worker]
        return bool(await self._with_groups(keys, lambda: self._leave(keys, arguments)))

    async def silent_workers(self, topic: str, idle_ms: int) -> list[str]:
        """Workers with nothing pending that have not asked for anything for `idle_ms`."""
        workers = await self._with_groups([topic], lambda: self.redis.xinfo_consumers(topic, self.name))
        return [w["name"].decode() for w in workers if w["pending"] == 0 and w["idle"] >= idle_ms]

    async def _in_parts(self, script: Any, topic: str, ids: Sequence[bytes]) -> list[bytes]:
        lost: list[bytes] = []
        for start in range(0, len(ids), IDS_PER_SCRIPT):
            lost += await self._run(script, topic, *ids[start : start + IDS_PER_SCRIPT])
        return lost

    async def _run(self, script: Any, topic: str, *arguments: Any) -> Any:
        return await self._with_groups([topic], lambda: script([topic], [self.name, self.worker, *arguments]))

    async def _with_groups(self, topics: Sequence[str], call: Callable[[], Awaitable[T]]) -> T:
        """A stream that was deleted, or a Redis that came back empty, takes its groups along."""
        try:
            return await call()
        except ResponseError as error:
            if not any(sign in str(error) for sign in GROUP_IS_MISSING):
                raise
        for topic in topics:
            await self.create(topic)
        return await call()
