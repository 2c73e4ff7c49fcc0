"""How far a file may run ahead."""

import asyncio

import numpy as np
import pytest
import redis.asyncio

from shared import keys, sessions
from shared.fence import SessionGoneError
from workers.keypoints.room import Room
from workers.keypoints.windower import Stretch

SESSION = "s" * 16
AHEAD = keys.FILE_WINDOWS_AHEAD


def window(seq: int, pictures: int = 0) -> Stretch:
    return Stretch(seq, 0.0, 1.0, np.zeros((1, 1, 3), np.float32), (b"jpeg",) * pictures)


async def test_windows_within_reach_pass_without_a_look_at_redis(store: redis.asyncio.Redis) -> None:
    room = Room(store, SESSION, lambda: False)
    assert await room.wait("words", window(AHEAD - 1))


async def test_the_next_one_waits_until_the_transcript_moves(store: redis.asyncio.Redis) -> None:
    await store.hset(keys.session(SESSION), "id", SESSION)
    room = Room(store, SESSION, lambda: False)
    waiting = asyncio.create_task(room.wait("words", window(AHEAD)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.4)
    await store.hset(keys.session(SESSION), sessions.REACHED_PREFIX + "letters", 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.4)
    await store.hset(keys.session(SESSION), sessions.REACHED_PREFIX + "words", 0)
    await store.xadd(keys.results(SESSION), {"r": "wakes it"})
    assert await asyncio.wait_for(waiting, 0.5)


async def test_a_stop_ends_the_wait(store: redis.asyncio.Redis) -> None:
    await store.hset(keys.session(SESSION), "id", SESSION)
    stop = asyncio.Event()
    waiting = asyncio.create_task(Room(store, SESSION, stop.is_set).wait("words", window(AHEAD)))
    await asyncio.sleep(0)
    stop.set()
    assert not await asyncio.wait_for(waiting, 1.0)


async def test_a_session_that_is_gone_ends_the_wait(store: redis.asyncio.Redis) -> None:
    with pytest.raises(SessionGoneError):
        await Room(store, SESSION, lambda: False).wait("words", window(AHEAD))


async def test_clips_run_less_far_ahead(store: redis.asyncio.Redis) -> None:
    await store.hset(keys.session(SESSION), "id", SESSION)
    stopping = [False, True].__iter__().__next__
    room = Room(store, SESSION, stopping)
    assert await room.wait("signs", window(keys.FILE_CLIPS_AHEAD - 1, pictures=1))
    assert not await room.wait("signs", window(keys.FILE_CLIPS_AHEAD, pictures=1))
