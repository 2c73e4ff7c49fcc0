"""The stream `glosses:{id}`, read: everything after a seq, then live."""

from collections.abc import AsyncIterator
from typing import Any

import msgpack
import redis.asyncio

from gateway.results.transcript import Event
from shared import keys, sessions
from shared.sessions import Session

READ_COUNT = 256
BLOCK_SECONDS = 5.0
"""How long one read waits; only what a vanished session costs to notice depends on it."""


class UnknownSessionError(Exception):
    """No such session, or it is kept no longer."""


class CannotReplayError(Exception):
    """What the reader asks to go on from is not kept; it must begin anew."""


async def check(store: redis.asyncio.Redis, session_id: str, after: int, epoch: str | None = None) -> None:
    """Whether everything after `after` can be told. Raises UnknownSessionError or CannotReplayError."""
    session = await known(store, session_id)
    if epoch is not None and epoch != session.epoch:
        raise CannotReplayError(
            f"cannot replay: epoch {epoch[:32]} is over, the session is in {session.epoch}"
        )
    key = keys.glosses(session_id)
    newest = await newest_seq(store, session_id)
    if after > newest:
        raise CannotReplayError(f"cannot replay: asked for events after {after}, the newest is {newest}")
    first: Any = await store.xrange(key, count=1)
    if first and _seq(first[0][0]) > after + 1:
        raise CannotReplayError(f"cannot replay: events after {after} are no longer kept")


async def known(store: redis.asyncio.Redis, session_id: str) -> Session:
    """The session as it stands. Raises UnknownSessionError."""
    session = await sessions.load(store, session_id)
    if session is None:
        raise UnknownSessionError(f"no session {session_id[:64]}: it never was, or is kept no longer")
    return session


async def newest_seq(store: redis.asyncio.Redis, session_id: str) -> int:
    """Seq of the session's newest event; 0 before the first."""
    last: Any = await store.xrevrange(keys.glosses(session_id), count=1)
    return _seq(last[0][0]) if last else 0


async def follow(store: redis.asyncio.Redis, session_id: str, after: int) -> AsyncIterator[Event]:
    """Events with seq > `after` as they come, until the session's last one."""
    cursor = f"{after}-0"
    while True:
        answer: Any = await store.xread(
            {keys.glosses(session_id): cursor}, count=READ_COUNT, block=int(BLOCK_SECONDS * 1000)
        )
        if not answer:
            session = await sessions.load(store, session_id)
            if session is None or session.state in sessions.OVER:
                return
            continue
        for entry, fields in answer[0][1]:
            cursor = entry.decode()
            event = unpack(fields)
            yield event
            if event["type"] == "session" and event["state"] in sessions.OVER:
                return


async def so_far(store: redis.asyncio.Redis, session_id: str) -> list[Event]:
    """All events until now."""
    entries: Any = await store.xrange(keys.glosses(session_id))
    return [unpack(fields) for _, fields in entries]


def unpack(fields: dict[bytes, bytes]) -> Event:
    """One entry's event."""
    event: Event = msgpack.unpackb(fields[b"e"], raw=False)
    return event


def _seq(entry: bytes) -> int:
    return int(entry.split(b"-")[0])
