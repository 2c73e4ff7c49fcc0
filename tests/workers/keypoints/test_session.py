"""One session from claim to end, with real frames, MediaPipe and Redis."""

import asyncio
import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis.asyncio

from shared import keys, sessions
from shared.claims import Claims
from shared.fence import Fence, SessionGoneError
from shared.framelog import FileFrameWriter
from shared.messages import Last, Note
from tests.workers.keypoints.clips import Clip, generate, read_clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.stage import (
    Words,
    claimed,
    entries,
    listening,
    outcome,
    records,
    spans,
    until,
    upload,
    windows,
)
from workers.keypoints.session import own_session
from workers.keypoints.workplace import Workplace

Store = redis.asyncio.Redis


async def test_a_file_becomes_windows_without_holes_and_is_told_to_its_end(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session)
    async with listening(store, keys.control(session.id)) as heard:
        assert await own_session(place, await claimed(claims))
    sent = await windows(store)
    assert [window.seq for window in sent] == list(range(len(sent)))
    # The last picture due is at 1.93 s: a window is centred on each second sample from 0 to 24.
    assert len(sent) == 13
    assert sent[1].start - sent[0].start == pytest.approx(0.16)
    assert all(window.end - window.start == pytest.approx(8 / 12.5) for window in sent)
    assert all((w.session, w.samples, w.rows, w.aspect) == (session.id, 9, 75, 4 / 3) for w in sent)
    assert {w.spec for w in sent} == {"spec-of-words"}
    assert all(w.captured == w.capture_ms == 0 and 0 < w.keypoints_ms < 60_000 for w in sent)
    assert await outcome(store, session) == [
        Note(state="ended", reason="the file ended"),
        Last("words", 12),
    ]
    assert b'{"type":"consumed"}' in heard
    # The video is forgotten; what stays refuses a repeated upload.
    assert [entry for entry, _ in await entries(store, keys.frames(session.id))] == [b"61-0"]
    assert await store.hget(keys.session(session.id), sessions.CONSUMED) == b"61-0"


async def test_b_frames_give_the_windows_of_the_same_pictures(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    reordered = generate(60, b_frames=3)
    for each in (clip, reordered):
        await upload(store, each, each.session())
        await own_session(place, await claimed(claims))
    sent = await windows(store)
    assert spans(sent[:13]) == spans(sent[13:])


@pytest.mark.data
async def test_the_same_recording_gives_the_same_bytes_twice(
    store: Store, place: Workplace, claims: Claims, data_path: Path
) -> None:
    recording = read_clip(data_path / "videos" / "asl_hello_x2.mp4")
    for _ in range(2):
        await upload(store, recording, recording.session())
        await own_session(place, await claimed(claims))
    sent = await windows(store)
    first, second = sent[: len(sent) // 2], sent[len(sent) // 2 :]
    assert len(first) > 20
    assert spans(first) == spans(second)
    assert [window.landmarks for window in first] == [window.landmarks for window in second]
    arrays = np.stack([window.array() for window in first])
    assert np.isfinite(arrays[:, :, 21:54]).all(), "the pose is seen in every sample"
    assert np.isfinite(arrays[:, :, 54:]).any(), "her right hand is seen"


async def test_two_models_each_get_their_own_windows(
    store: Store, make_place: MakePlace, claims: Claims, clip: Clip
) -> None:
    place = make_place(Words(), Words("letters", fps=25.0, samples=16, stride=8, rows=(468, 0)))
    session = clip.session(models=("words", "letters"))
    await upload(store, clip, session)
    await own_session(place, await claimed(claims))
    letters = await windows(store, "letters")
    assert [(window.samples, window.rows) for window in letters] == [(16, 2)] * 8
    assert (await outcome(store, session))[1:] == [Last("words", 12), Last("letters", 7)]


async def test_an_end_without_a_frame_is_no_failure(store: Store, place: Workplace, claims: Claims) -> None:
    nothing = generate(1)
    nothing.frames.clear()
    session = nothing.session()
    await upload(store, nothing, session)
    assert await own_session(place, await claimed(claims))
    assert await windows(store) == []
    assert await outcome(store, session) == [
        Note(state="ended", reason="the file ended"),
        Last("words", -1),
    ]


async def test_a_file_of_which_nothing_decodes_fails_with_the_reason(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    noise = dataclasses.replace(clip, frames=[dataclasses.replace(f, data=b"\xff" * 99) for f in clip.frames])
    session = noise.session()
    await upload(store, noise, session)
    assert await own_session(place, await claimed(claims))
    failed, last = await outcome(store, session)
    assert (failed.state, last) == ("failed", Last("words", -1))
    assert "no picture in 60 frames of h264" in failed.reason


@pytest.mark.parametrize(
    "case",
    [
        ({"codec": "telepathy"}, "codec is 'telepathy', which PyAV does not decode"),
        ({"models": ("words", "absent")}, "no model absent; this worker has words"),
    ],
)
async def test_a_session_that_cannot_be_served_says_why(
    store: Store, place: Workplace, claims: Claims, clip: Clip, case: tuple[dict[str, Any], str]
) -> None:
    changes, reason = case
    session = clip.session(**changes)
    await upload(store, clip, session, end=False)
    assert await own_session(place, await claimed(claims))
    told = await records(store, session)
    assert told == [Note(state="failed", reason=reason), *(Last(model, -1) for model in session.models)]


async def test_a_corrupt_packet_in_a_file_costs_no_window(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    frames = list(clip.frames)
    frames[33] = dataclasses.replace(frames[33], data=b"\x00\x00\xff\xff")
    broken = dataclasses.replace(clip, frames=frames)
    await upload(store, broken, broken.session())
    await own_session(place, await claimed(claims))
    assert [window.seq for window in await windows(store)] == list(range(13))


async def test_a_group_of_pictures_without_end_does_not_stop_its_writer(
    store: Store, place: Workplace, claims: Claims
) -> None:
    clip = generate(60, gop=1000)
    session = clip.session()
    await upload(store, clip, session, end=False)
    task = asyncio.create_task(own_session(place, await claimed(claims)))
    writer = FileFrameWriter(Fence(store, session.id, "writer", 1))

    async def everything_consumed() -> bool:
        return await store.hget(keys.session(session.id), sessions.CONSUMED) == b"60-0"

    await until(everything_consumed)
    assert (await writer.demand()).unconsumed == 0
    kept = await entries(store, keys.frames(session.id))
    assert len(kept) == 60, "a successor still needs the only keyframe and all behind it"
    place.stop.set()
    assert not await task


async def test_a_file_waits_for_its_transcript_and_hears_the_stop(
    store: Store, make_place: MakePlace, claims: Claims, clip: Clip
) -> None:
    place = make_place(Words(fps=60.0, samples=4, stride=1, rows=(0,)))
    session = clip.session()
    await upload(store, clip, session)
    task = asyncio.create_task(own_session(place, await claimed(claims)))

    async def full() -> bool:
        return await store.xlen(keys.windows("words")) == keys.FILE_WINDOWS_AHEAD

    await until(full)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.6)
    assert await full()
    await store.hset(keys.session(session.id), sessions.REACHED_PREFIX + "words", 9)

    async def ten_more() -> bool:
        return await store.xlen(keys.windows("words")) == keys.FILE_WINDOWS_AHEAD + 10

    await until(ten_more, 2.0)
    stopped = time.monotonic()
    place.stop.set()
    assert not await task
    assert time.monotonic() - stopped < 1.0


async def test_a_done_session_is_only_acknowledged(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session)
    claim = await claimed(claims)
    assert await own_session(place, claim)
    told = await records(store, session)
    assert await own_session(place, claim)
    assert await records(store, session) == told
    await store.hset(keys.session(session.id), "state", "ended")
    await store.hdel(keys.session(session.id), sessions.CHECKPOINT)
    assert await own_session(place, claim)
    assert await records(store, session) == told


async def test_a_session_that_ends_elsewhere_or_is_lost_is_noticed_while_nothing_comes(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    first, second = clip.session(), clip.session()
    await upload(store, clip, first, end=False)
    await upload(store, clip, second, end=False)
    ended = asyncio.create_task(own_session(place, await claimed(claims)))
    lost = asyncio.create_task(own_session(place, await claimed(claims)))
    await until(lambda: store.hexists(keys.session(second.id), sessions.CHECKPOINT))
    await store.hset(keys.session(first.id), "state", "failed")
    await store.delete(keys.session(second.id))
    async with asyncio.timeout(5):
        assert await ended
        with pytest.raises(SessionGoneError):
            await lost
    with pytest.raises(SessionGoneError):
        await own_session(place, dataclasses.replace(await _any_claim(), session="x" * 16))


async def _any_claim() -> Any:
    from shared.claims import Claim

    return Claim(b"1-0", "nobody", 1)
