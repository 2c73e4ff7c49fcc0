"""Who owns a session: Redis's own consumer groups on the stream `sessions`, and nothing beside them.

The pending entry is the lease. Its owner renews it from a thread that inference cannot block; an entry nobody
renewed is taken by the next worker that has room, which raises the entry's delivery count: that count is the
owner's fence (`shared.fence`).
"""

import asyncio
import contextlib
import dataclasses
import logging
import threading
import time
from typing import Any

import redis
import redis.asyncio
from redis.commands.core import Script
from redis.exceptions import RedisError, ResponseError

from shared import connection, keys
from shared.fence import run_script

log = logging.getLogger(__name__)

LEASE_SECONDS = 1.5
"""A silent owner is replaced after this: with the renewal below, five missed in a row."""

RENEW_SECONDS = 0.3

# XCLAIM steals from whoever holds the entry, so renewing asks first, in the same step.
RENEW = """
local mine = {}
for at = 3, #ARGV do
  mine[at - 2] = #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[at], ARGV[at], 1, ARGV[2])
  if mine[at - 2] == 1 then redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[at], 'JUSTID') end
end
return mine
"""

RENEWED_AT_ONCE = 256
"""Claims a script: a millisecond or two in which Redis does nothing else."""

# One stale entry at most: XAUTOCLAIM would hand over a hundred or none (it looks at ten entries a call), and
# on Redis 6.2 keeps deleted entries pending for ever.
TAKE_STALE = """
local stale = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', 1)[1]
if not stale then return {} end
local entry = redis.call('XRANGE', KEYS[1], stale[1], stale[1])[1]
if not entry then
  redis.call('XACK', KEYS[1], ARGV[1], stale[1])
  return {stale[1]}
end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], stale[1])
return {stale[1], entry[2][2], stale[4] + 1}
"""

# The lease ends at once: the next worker need not wait for it to run out.
RELEASE = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2]) == 0 then return 0 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', ARGV[4], 'JUSTID')
return 1
"""


@dataclasses.dataclass(eq=False)
class Claim:
    """One session owned by this process, until it is finished, released, or `lost`."""

    entry: bytes
    session: str
    fence: int
    lost: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    lease: float = LEASE_SECONDS
    taken: float = dataclasses.field(default_factory=time.monotonic)
    renewed: float = dataclasses.field(default_factory=time.monotonic)
    """When Redis last said that it is ours."""
    handing_on: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set to ask its owner to let go, for another process to go on."""

    @property
    def may_be_lost(self) -> bool:
        """Nobody has renewed it for a lease: this process stood still, and another may own the session."""
        return time.monotonic() - self.renewed > self.lease


async def announce(store: redis.asyncio.Redis, session: str) -> None:
    """Puts a session up to be owned by both groups."""
    await store.xadd(keys.SESSIONS, {"session": session})


class Claims:
    """The sessions one process owns in one group. Use as an async context manager.

    Leaving it releases what is still owned, so that another process goes on without waiting for the lease.
    """

    def __init__(
        self,
        url: str,
        group: str,
        consumer: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self.group = group
        self.consumer = consumer
        self._url = url
        self._store = connection.connect(url)
        self._lease_ms = int(lease_seconds * 1000)
        self._renew_seconds = renew_seconds
        self._owned: dict[bytes, Claim] = {}
        self._renewing = threading.Lock()
        """Held while claims are renewed: a renewal under way must not outlive a claim's release."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name=f"claims-{group}", daemon=True)

    def __len__(self) -> int:
        return len(self._owned)

    async def __aenter__(self) -> "Claims":
        self._loop = asyncio.get_running_loop()
        await self._create_group()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)
        with contextlib.suppress(RedisError):
            for claim in list(self._owned.values()):
                await self.release(claim)
            if not await self._store.xpending_range(keys.SESSIONS, self.group, "-", "+", 1, self.consumer):
                await self._store.xgroup_delconsumer(keys.SESSIONS, self.group, self.consumer)
        await self._store.aclose()

    async def take(self, block_seconds: float = 0.5) -> Claim | None:
        """Owns one more session, one whose owner fell silent first; None when there was none within the time.

        Survives a Redis that lost the group. Raises RedisError when Redis cannot be reached.
        """
        try:
            return await self._take_stale(0.0) or await self._take_new(block_seconds)
        except ResponseError as error:
            await self._create_lost(error)
            return None

    async def take_orphan(self, after_seconds: float) -> Claim | None:
        """Owns a session whose owner fell silent and that nobody took for so long; None when there is none.

        Raises RedisError when Redis cannot be reached.
        """
        try:
            return await self._take_stale(after_seconds)
        except ResponseError as error:
            await self._create_lost(error)
            return None

    async def finish(self, claim: Claim, *, delete: bool = False) -> None:
        """Acknowledges: this group is done with the session. The transcripts' owner, last, deletes it."""
        self.forget(claim)
        await self._store.xack(keys.SESSIONS, self.group, claim.entry)
        if delete:
            await self._store.xdel(keys.SESSIONS, claim.entry)

    async def release(self, claim: Claim) -> None:
        """Hands the session to whoever takes it next, at once."""
        await asyncio.to_thread(self._disown, claim)
        arguments = [self.group, self.consumer, claim.entry, self._lease_ms + 1]
        await run_script(self._store, RELEASE, [keys.SESSIONS], arguments)

    def forget(self, claim: Claim) -> None:
        """Stops renewing a session that was lost to another process, or to a later claim of our own."""
        if self._owned.get(claim.entry) is claim:
            del self._owned[claim.entry]

    async def _create_lost(self, error: ResponseError) -> None:
        if "NOGROUP" not in str(error):
            raise error
        await self._create_group()

    async def _create_group(self) -> None:
        try:
            await self._store.xgroup_create(keys.SESSIONS, self.group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _take_new(self, block_seconds: float) -> Claim | None:
        answer: Any = await self._store.xreadgroup(
            self.group, self.consumer, {keys.SESSIONS: ">"}, count=1, block=max(1, int(block_seconds * 1000))
        )
        if not answer:
            return None
        entry, fields = answer[0][1][0]
        return self._own(entry, fields[b"session"], fence=1)

    async def _take_stale(self, after_seconds: float) -> Claim | None:
        silent_ms = self._lease_ms + int(1000 * after_seconds)
        answer = await run_script(
            self._store, TAKE_STALE, [keys.SESSIONS], [self.group, self.consumer, silent_ms]
        )
        if not answer:
            return None
        if len(answer) == 1:
            log.warning("%s: session entry %s was deleted while owned; acknowledged", self.group, answer[0])
            return None
        entry, session, deliveries = answer
        log.info("%s: took over session %s (owner %d)", self.group, session.decode(), deliveries)
        return self._own(entry, session, int(deliveries))

    def _own(self, entry: bytes, session: bytes, fence: int) -> Claim:
        # A claim of ours that fell silent and came back is a new one: whoever holds the old one lets go.
        old = self._owned.pop(entry, None)
        if old is not None:
            old.lost.set()
        claim = Claim(entry, session.decode(), fence, lease=self._lease_ms / 1000)
        self._owned[entry] = claim
        return claim

    def _disown(self, claim: Claim) -> None:
        with self._renewing:
            self.forget(claim)

    def _keep_renewing(self) -> None:
        store = connection.connect_blocking(self._url, answer_seconds=self._lease_ms / 1000)
        renew = store.register_script(RENEW)
        away = False
        while not self._stopping.wait(self._renew_seconds):
            asked = time.monotonic()
            try:
                answers = self._renew_all(store, renew)
            except redis.RedisError as error:
                # The fence guards what we write, so keep on: Redis may be back before the lease is over.
                if not away:
                    log.warning("%s: cannot renew while Redis is away: %s", self.group, error)
                away = True
                continue
            away = False
            for claim, mine in answers:
                if mine:
                    claim.renewed = asked
                elif self._owned.get(claim.entry) is claim:
                    log.warning("%s: session %s was taken by another worker", self.group, claim.session)
                    self._loop.call_soon_threadsafe(claim.lost.set)
        store.close()

    def _renew_all(self, store: redis.Redis, renew: Script) -> list[tuple[Claim, bool]]:
        """Each claim, and whether it is ours still: many in one round trip, or they would outlast a lease."""
        with self._renewing:
            claims = list(self._owned.values())
            if not claims:
                return []
            answers: list[int] = []
            for at in range(0, len(claims), RENEWED_AT_ONCE):
                entries = [claim.entry for claim in claims[at : at + RENEWED_AT_ONCE]]
                answers += renew(keys=[keys.SESSIONS], args=[self.group, self.consumer, *entries])
        return [(claim, bool(mine)) for claim, mine in zip(claims, answers, strict=True)]
