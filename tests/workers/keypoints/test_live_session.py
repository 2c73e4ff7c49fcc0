"""A camera's session from claim to end."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import redis.asyncio

from shared import keys, sessions
from shared.claims import Claims
from shared.messages import Last, Note
from tests.workers.keypoints.clips import Clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.stage import (
    camera,
    captured,
    claimed,
    listening,
    outcome,
    until,
    windows,
)
from workers.keypoints.checkpoint import Checkpoint
from workers.keypoints.session import own_session
from workers.keypoints.workplace import Workplace

Store = redis.asyncio.Redis


async def test_live_frames_come_out_with_their_latency_and_are_drawn(
    store: Store, place: Workplace, claims: Claims, camera_clip: Clip
) -> None:
    session = camera_clip.session("live")
    writer = await camera(store, session)
    claim = await claimed(claims)
    async with listening(store, keys.landmarks(session.id)) as drawn:
        task = asyncio.create_task(own_session(place, claim))
        for frame in camera_clip.frames[:45]:
            await writer.append(captured(frame, time.time()))
            await asyncio.sleep(1 / 30)
        await writer.end("the camera left")
        assert await task
    sent = await windows(store)
    assert [window.seq for window in sent] == list(range(len(sent)))
    assert all(window.captured > 0 and 0 <= window.capture_ms < 5000 for window in sent)
    assert len(drawn) >= 10
    times = [float(np.frombuffer(each, "<f4")[0]) for each in drawn]
    assert times == sorted(times)
    assert (await outcome(store, session))[-2:] == [
        Note(state="ended", reason="the camera left"),
        Last("words", len(sent) - 1),
    ]


async def test_live_frames_too_old_to_matter_are_dropped_and_told(
    store: Store, place: Workplace, claims: Claims, camera_clip: Clip
) -> None:
    session = camera_clip.session("live")
    writer = await camera(store, session)
    began = time.time() - 3
    for number, frame in enumerate(camera_clip.frames):
        await writer.append(captured(frame, began + number / 30))
    await writer.end("the camera left")
    assert await own_session(place, await claimed(claims))
    notes = [record for record in await outcome(store, session) if isinstance(record, Note)]
    dropped = sum(note.dropped for note in notes)
    assert 40 <= dropped <= 44
    assert all(note.what == "frames" for note in notes)
    sent = await windows(store)
    assert [window.seq for window in sent] == list(range(len(sent)))
    assert sent


async def test_a_live_session_that_begins_within_a_group_asks_for_a_keyframe(
    store: Store, place: Workplace, claims: Claims, camera_clip: Clip
) -> None:
    session = camera_clip.session("live")
    writer = await camera(store, session)
    for frame in camera_clip.frames[1:10]:
        await writer.append(captured(frame, time.time()))
    async with listening(store, keys.control(session.id)) as heard:
        task = asyncio.create_task(own_session(place, await claimed(claims)))

        async def asked() -> bool:
            return b'{"type":"keyframe"}' in heard

        await until(asked)
    for frame in camera_clip.frames[30:60]:
        await writer.append(captured(frame, time.time()))
    await writer.end("the camera left")
    assert await task
    assert await windows(store)


async def test_frames_that_redis_let_go_unread_are_told_as_dropped(
    store: Store, make_place: MakePlace, claims: Claims, camera_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody owns the session its stream keeps five frames, and the keyframe is none of them."""
    frames = camera_clip.frames
    session = camera_clip.session("live")
    writer = await camera(store, session)

    async def write(numbers: range) -> None:
        now = time.time()  # of them all: a busy machine is no reason to drop any
        for number in numbers:
            await writer.append(captured(frames[number], now))

    async def reached(wanted: Callable[[Checkpoint], bool]) -> None:
        async def is_there() -> bool:
            packed = cast(bytes | None, await store.hget(keys.session(session.id), sessions.CHECKPOINT))
            return packed is not None and wanted(Checkpoint.unpack(packed))

        await until(is_there)

    await write(range(30))
    first, claim = make_place(), await claimed(claims)
    owning = asyncio.create_task(own_session(first, claim))
    await reached(lambda checkpoint: checkpoint.landmarked == 15)
    first.stop.set()
    assert not await owning
    await claims.release(claim)
    with monkeypatch.context() as tight:
        tight.setattr(keys, "LIVE_FRAMES_BYTES", sum(len(frame.data) for frame in frames[45:50]))
        await write(range(30, 50))
    second, claim = make_place(), await claimed(claims)
    owning = asyncio.create_task(own_session(second, claim))
    await reached(lambda checkpoint: checkpoint.frames == 50)
    await write(range(50, 90))
    await writer.end("the camera left")
    assert await owning
    notes = [record for record in await outcome(store, session) if isinstance(record, Note)]
    assert sum(note.dropped for note in notes) == 15, "of 45 that were due"
    packed = await store.hget(keys.session(session.id), sessions.CHECKPOINT)
    done = Checkpoint.unpack(cast(bytes, packed))
    assert (done.frames, done.landmarked, done.dropped) == (90, 30, 15)
