"""Owners that began on a session's input and got nowhere: input that kills workers must not kill them all.

Of each one field in the session's hash, from before its first picture until the session gets further. An
owner that only came late (its process stood still, another took over) says so as soon as it runs again, and
is not counted among those that ended.
"""

import dataclasses
from collections.abc import Mapping

import redis.asyncio

from shared import keys, sessions
from shared.fence import run_script

MOST_ENDED = 5
"""Owners in a row that began, got nowhere and were not heard of again: the session kills its workers."""

MOST_LATE = 30
"""Owners in a row that got nowhere and live: input that stops a process for longer than a lease, each time. A
machine that does so by itself to thirty owners, for a minute, has no time for the session either."""

DOUBT_SECONDS = float(keys.STAGE_TTL_SECONDS)
"""An owner that stands still has so long to come back before it counts as ended."""

WORKING, LATE = b"working", b"late"

# By whoever lost the session, so behind no fence: it changes nothing but what was said of itself.
LET_GO = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1
"""


@dataclasses.dataclass(frozen=True)
class Attempts:
    """Since the session last got further."""

    fields: tuple[bytes, ...] = ()
    """Their names in the session's hash, the caller's own not among them."""
    ended: int = 0
    """Began, and were not heard of again."""
    late: int = 0
    """Began, and let go alive."""

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes], owner: int) -> "Attempts":
        """From the session's hash; `owner` is the fence of who asks."""
        own = field(owner).encode()
        prefix = sessions.BEGUN_PREFIX.encode()
        begun = {name: said for name, said in fields.items() if name.startswith(prefix) and name != own}
        late = sum(said == LATE for said in begun.values())
        return cls(tuple(begun), len(begun) - late, late)

    def why_ended(self) -> str:
        """Why nobody else should try; "" while somebody should. In doubt until DOUBT_SECONDS have passed."""
        if self.ended >= MOST_ENDED:
            return f"{self.ended} workers in a row ended while they worked on this session"
        return ""

    def why_late(self) -> str:
        """Likewise, beyond doubt."""
        if self.late >= MOST_LATE:
            return f"{self.late} workers in a row stood still while they worked on this session"
        return ""


def field(owner: int) -> str:
    """The field of one owner."""
    return f"{sessions.BEGUN_PREFIX}{owner}"


async def let_go(store: redis.asyncio.Redis, session: str, owner: int) -> None:
    """Says that an owner that lost the session, or hands it on, lives. Raises RedisError."""
    await run_script(store, LET_GO, [keys.session(session)], [field(owner), WORKING, LATE])
