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
from shared.fence import Fence, SessionGoneError, take_writer
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


def _new_secret() -> str:
    """192 random bits: it stands for the camera for as long as the session lives."""
    return secrets.token_urlsafe(24)


async def begin(store: redis.asyncio.Redis, session: Session) -> tuple[Fence, str]:
    """Makes the session, with a secret for whoever is to come back to it, and its writer's fence.

    Raises OfferError 409 when its id is in use, RedisError.
    """
    if not await sessions.create(store, session):
        raise OfferError(409, f"session {session.id} is already in use")
    fence, secret = await take(store, session.id), _new_secret()
    await fence.write(("HSET", keys.session(session.id), SECRET, _hash(secret)))
    return fence, secret


async def take(store: redis.asyncio.Redis, session_id: str) -> Fence:
    """The writer's fence of a session; who had it writes nothing more. Raises OfferError 409, RedisError."""
    try:
        return await take_writer(store, session_id)
    except SessionGoneError as error:
        raise OfferError(409, str(error)) from error


def require_models(session: Session, models: tuple[str, ...]) -> None:
    """Raises OfferError 409 where who comes back asks for others than the session's; none is as good."""
    if models and models != session.models:
        raise OfferError(409, f"session {session.id} runs {', '.join(session.models)}")


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
