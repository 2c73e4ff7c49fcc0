"""Writes behind a fence: all or nothing, and never by an owner that was replaced."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared import keys, sessions
from shared.fence import Fence, FencedOffError, SessionGoneError, take_writer
from shared.sessions import Session

ID = "session-of-the-test"


@pytest.fixture
async def session(store: Redis) -> Session:
    made = Session(id=ID, mode="live", models=("asl-words",), codec="vp8")
    assert await sessions.create(store, made)
    return made


async def test_a_write_runs_every_command_and_answers_each(store: Redis, session: Session) -> None:
    fence = Fence(store, ID, "keypoints", 1)
    answers = await fence.write(
        ("XADD", keys.results(ID), "7-0", "r", b"\x00\xff"), ("HSET", keys.session(ID), "cursor", 7)
    )
    assert answers == [b"7-0", 1]
    assert await store.xrange(keys.results(ID)) == [(b"7-0", {b"r": b"\x00\xff"})]
    assert await store.hget(keys.session(ID), "cursor") == b"7"


async def test_a_lower_fence_writes_nothing(store: Redis, session: Session) -> None:
    await Fence(store, ID, "keypoints", 2).write(("HSET", keys.session(ID), "cursor", 1))
    with pytest.raises(FencedOffError, match="fence 1 was overtaken"):
        await Fence(store, ID, "keypoints", 1).write(("HSET", keys.session(ID), "cursor", 9))
    assert await store.hget(keys.session(ID), "cursor") == b"1"


async def test_the_same_fence_writes_again(store: Redis, session: Session) -> None:
    fence = Fence(store, ID, "keypoints", 3)
    await fence.write(("HSET", keys.session(ID), "cursor", 1))
    await fence.write(("HSET", keys.session(ID), "cursor", 2))
    assert await store.hget(keys.session(ID), "cursor") == b"2"


async def test_fences_are_compared_as_numbers(store: Redis, session: Session) -> None:
    await Fence(store, ID, "keypoints", 9).write(("HSET", keys.session(ID), "cursor", 1))
    await Fence(store, ID, "keypoints", 10).write(("HSET", keys.session(ID), "cursor", 2))
    with pytest.raises(FencedOffError):
        await Fence(store, ID, "keypoints", 9).write(("HSET", keys.session(ID), "cursor", 3))


async def test_roles_do_not_fence_each_other_off(store: Redis, session: Session) -> None:
    await Fence(store, ID, "transcripts", 5).write(("HSET", keys.session(ID), "a", 1))
    await Fence(store, ID, "keypoints", 1).write(("HSET", keys.session(ID), "b", 1))
    assert await store.hmget(keys.session(ID), ["a", "b"]) == [b"1", b"1"]


async def test_a_refused_first_command_leaves_the_rest_undone(store: Redis, session: Session) -> None:
    fence = Fence(store, ID, "transcripts", 1)
    await fence.write(("XADD", keys.glosses(ID), "5-0", "e", b"x"), ("HSET", keys.session(ID), "cursor", 7))
    with pytest.raises(ResponseError, match="equal or smaller"):
        await fence.write(
            ("XADD", keys.glosses(ID), "5-0", "e", b"y"), ("HSET", keys.session(ID), "cursor", 99)
        )
    assert await store.hget(keys.session(ID), "cursor") == b"7"


async def test_a_session_that_is_gone_is_not_brought_back(store: Redis) -> None:
    with pytest.raises(SessionGoneError):
        await Fence(store, ID, "keypoints", 1).write(("XADD", keys.results(ID), "*", "r", b""))
    with pytest.raises(SessionGoneError):
        await take_writer(store, ID)
    assert await store.keys("*") == []


async def test_everything_written_expires(store: Redis, session: Session) -> None:
    await Fence(store, ID, "keypoints", 1).write(("XADD", keys.results(ID), "*", "r", b""), ttl=60)
    assert 0 < await store.ttl(keys.results(ID)) <= 60
    assert 0 < await store.ttl(keys.session(ID)) <= 60


async def test_a_new_writer_fences_off_the_one_before(store: Redis, session: Session) -> None:
    first = await take_writer(store, ID)
    second = await take_writer(store, ID)
    assert second.value == first.value + 1
    await second.write(("HSET", keys.session(ID), "x", 1))
    with pytest.raises(FencedOffError):
        await first.write(("HSET", keys.session(ID), "x", 2))


async def test_it_goes_on_when_redis_forgot_its_scripts(store: Redis, session: Session) -> None:
    fence = Fence(store, ID, "keypoints", 1)
    await fence.write(("HSET", keys.session(ID), "cursor", 1))
    await store.script_flush()
    await fence.write(("HSET", keys.session(ID), "cursor", 2))
    assert await store.hget(keys.session(ID), "cursor") == b"2"
