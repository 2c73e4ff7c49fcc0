"""The session's hash."""

from fractions import Fraction

import pytest
from redis.asyncio import Redis

from shared import keys, sessions
from shared.sessions import Session

ID = "session-of-the-test"


def session() -> Session:
    return Session(
        id=ID,
        mode="file",
        models=("asl-words", "other"),
        codec="hevc",
        extradata=b"\x01\x00\xff",
        time_base=Fraction(1, 12800),
        start_pts=512,
        width=1280,
        height=720,
        rotation=90,
        mirrored=True,
    )


async def test_a_session_comes_back_as_it_was_made(store: Redis) -> None:
    made = session()
    assert await sessions.create(store, made)
    assert await sessions.load(store, ID) == made


async def test_an_id_is_given_once(store: Redis) -> None:
    assert await sessions.create(store, session())
    assert not await sessions.create(store, session())
    assert await store.xlen(keys.SESSIONS) == 1


async def test_a_session_that_never_was_is_none(store: Redis) -> None:
    assert await sessions.load(store, ID) is None


@pytest.mark.parametrize(("name", "value"), [("id", None), ("time_base", b"none"), ("width", b"")])
async def test_one_that_redis_kept_only_in_part_is_gone(store: Redis, name: str, value: bytes | None) -> None:
    await sessions.create(store, session())
    if value is None:
        await store.hdel(keys.session(ID), name)
    else:
        await store.hset(keys.session(ID), name, value)
    assert await sessions.load(store, ID) is None


async def test_it_expires(store: Redis) -> None:
    await sessions.create(store, session())
    assert 0 < await store.ttl(keys.session(ID)) <= keys.SESSION_TTL_SECONDS


def test_media_time_counts_from_the_first_picture() -> None:
    assert session().media_time(512) == 0.0
    assert session().media_time(512 + 12800) == 1.0
