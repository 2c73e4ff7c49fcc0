"""A camera that comes back to its session: after a broken line, or a gateway that is gone, to any replica.

The answer to its first offer holds a secret; the session's hash holds the secret's hash. Who shows the secret
takes the writer's fence, so that the one before writes nothing more, and media time goes on by the clock.
"""

import dataclasses
import hashlib
import hmac
import secrets
import time
from typing import Any

import redis.asyncio

from gateway.ingest.offers import OfferError
from gateway.ingest.timestamps import CLOCK_RATE, RtpClock
from shared import keys, sessions
from shared.fence import Fence
from shared.sessions import Session

SECRET = "camera_secret"
"""Field of the session's hash: SHA-256 of the secret, hexadecimal."""


@dataclasses.dataclass(frozen=True)
class Comeback:
    """A session that a camera may go on with."""

    session: Session
    written: int
    """pts of its last picture, in ticks of 90 kHz."""
    written_at: float
    """Unix time at which that one came."""

    def clock(self) -> RtpClock:
        """Goes on where the pictures stopped, by the time that has passed since."""
        since = max(0.0, time.time() - self.written_at)
        return RtpClock(self.written, time.monotonic() - since)


def new_secret() -> str:
    """192 random bits: it stands for the camera for as long as the session lives."""
    return secrets.token_urlsafe(24)


async def remember(fence: Fence, secret: str) -> None:
    """Lets whoever has the secret come back to the fence's session."""
    await fence.write(("HSET", keys.session(fence.session), SECRET, _hash(secret)))


async def is_secret(store: redis.asyncio.Redis, session_id: str, secret: str) -> bool:
    """Whether this is the secret of the session's camera. Raises RedisError."""
    expected = await store.hget(keys.session(session_id), SECRET)
    return expected is not None and hmac.compare_digest(_text(expected), _hash(secret))


async def session_of(store: redis.asyncio.Redis, session_id: str, secret: str) -> Session:
    """Raises OfferError 409 when there is nothing to come back to, or the secret is not this session's."""
    kept = await store.hmget(keys.session(session_id), [SECRET, sessions.END_TOLD])
    expected, ended = kept
    # One sentence for all: whether a session exists is nobody's business who does not have its secret.
    if expected is None or not hmac.compare_digest(_text(expected), _hash(secret)):
        raise OfferError(
            409, f"session {session_id} is not there, or this is not its secret; publish without either"
        )
    session = await sessions.load(store, session_id)
    if session is None or session.state in sessions.OVER or ended:
        raise OfferError(409, f"session {session_id} is over; publish a new one")
    return session


async def find(store: redis.asyncio.Redis, session_id: str, secret: str) -> Comeback:
    """The session of a camera that comes back. Raises OfferError as `session_of` does."""
    session = await session_of(store, session_id, secret)
    newest: Any = await store.xrevrange(keys.frames(session_id), count=1)
    if not newest:
        began = time.time() - session.created
        return Comeback(session, int(began * CLOCK_RATE), time.time())
    fields = newest[0][1]
    return Comeback(session, int(fields.get(b"pts", 0)), float(fields.get(b"at", session.created)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
