"""One session from claim to end, with real frames, MediaPipe and Redis."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis.asyncio

from shared import keys, sessions
from shared.claims import Claims
from shared.fence import Fence, FencedOffError, SessionGoneError
from shared.framelog import FileFrameWriter
from shared.messages import Last, Note, Window
from shared.sessions import Session
from shared.settings import Settings
from tests.workers.keypoints.clips import Clip, generate, read_clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.stage import (
    Words,
    camera,
    captured,
    claimed,
    entries,
    records,
    spans,
    upload,
    windows,
)
from workers.keypoints.checkpoint import Checkpoint
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.memory import VERSION
from workers.keypoints.session import MAX_ATTEMPTS, Workplace, own_session
from workers.keypoints.windower import Windower, WindowSpec
from workers.keypoints.windows import WindowSink

Store = redis.asyncio.Redis


@pytest.fixture(scope="module")
def clip() -> Clip:
    return generate(60)


@pytest.fixture(scope="module")
def camera_clip() -> Clip:
    return generate(90, encoder="libvpx", gop=30)


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> None:
    """Waits for something another task does to Redis."""
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def listening(store: Store, channel: str) -> AsyncIterator[list[bytes]]:
    """Collects what is published while inside."""
    heard: list[bytes] = []
    async with store.pubsub() as pubsub:
        await pubsub.subscribe(channel)

        async def collect() -> None:
            async for message in pubsub.listen():
                if message["type"] == "message":
                    heard.append(message["data"])

        task = asyncio.create_task(collect())
        yield heard
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def outcome(store: Store, session: Session) -> list[Any]:
    """Records behind the note that the session is live."""
    told = await records(store, session)
    assert told[0] == Note(state="live")
    return list(told[1:])


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
        ({"codec": "landmarks"}, "codec is 'landmarks', which PyAV does not decode"),
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


def cancel_myself() -> None:
    """As if whoever runs this task had been told to end."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


class Cutting:
    """A sink that does something to its owner after so many windows."""

    def __init__(self, sink: WindowSink, after: int, cut: Callable[[], object]) -> None:
        self._sink, self._left, self._cut = sink, after, cut

    async def send(self, window: Window) -> None:
        await self._sink.send(window)
        self._left -= 1
        if not self._left:
            self._cut()


async def test_a_successor_goes_on_where_the_stopped_owner_stood(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    clip = generate(120, b_frames=2, gop=40)
    await upload(store, clip, clip.session())
    await own_session(make_place(), await claimed(claims))
    undisturbed = spans(await windows(store))
    await store.delete(keys.windows("words"))
    session = clip.session()
    await upload(store, clip, session)
    stops, over = 0, False
    while not over:
        place, claim = make_place(), await claimed(claims)
        stopping = Cutting(place.windows, 5, place.stop.set)
        over = await own_session(dataclasses.replace(place, windows=stopping), claim)
        await (claims.finish(claim) if over else claims.release(claim))
        stops += not over
    assert stops >= 2
    sent = await windows(store)
    assert spans(sent) == undisturbed
    assert len(sent) == len(undisturbed), "a stop between two pictures repeats no window"
    assert (await outcome(store, session))[-1] == Last("words", len(undisturbed) - 1)


@pytest.mark.data
async def test_a_tracker_cut_off_again_and_again_gives_the_same_bytes(
    store: Store, make_place: MakePlace, claims: Claims, data_path: Path
) -> None:
    recording = read_clip(data_path / "videos" / "asl_hello_x2.mp4")
    factory = extractor_factory(Settings(extractor="tracker"))
    await upload(store, recording, recording.session())
    await own_session(make_place(extractor=factory), await claimed(claims))
    undisturbed = {window.seq: window.landmarks for window in await windows(store)}
    await store.delete(keys.windows("words"))
    await upload(store, recording, recording.session())
    cuts, over = 0, False
    while not over:
        claim, place = await claimed(claims), make_place(extractor=factory)
        cutting = Cutting(place.windows, 6, cancel_myself)
        task = asyncio.create_task(own_session(dataclasses.replace(place, windows=cutting), claim))
        over = (await asyncio.gather(task, return_exceptions=True))[0] is True
        await (claims.finish(claim) if over else claims.release(claim))
        cuts += not over
    assert cuts >= 3
    sent = await windows(store)
    assert {window.seq for window in sent} == set(undisturbed)
    assert all(window.landmarks == undisturbed[window.seq] for window in sent), "also of those sent twice"


@pytest.mark.data
async def test_a_successor_with_another_extractor_warms_up_instead(
    store: Store, make_place: MakePlace, claims: Claims, data_path: Path
) -> None:
    recording = read_clip(data_path / "videos" / "asl_hello_x2.mp4")
    session = recording.session()
    await upload(store, recording, session)
    place, claim = (
        make_place(extractor=extractor_factory(Settings(extractor="tracker"))),
        await claimed(claims),
    )
    stopping = Cutting(place.windows, 6, place.stop.set)
    assert not await own_session(dataclasses.replace(place, windows=stopping), claim)
    await claims.release(claim)
    assert await own_session(make_place(), await claimed(claims))
    seqs = [window.seq for window in await windows(store)]
    assert seqs == list(range(len(seqs)))
    assert (await outcome(store, session))[-1] == Last("words", seqs[-1])


async def test_a_broken_extractor_state_fails_the_session(
    store: Store, make_place: MakePlace, claims: Claims, clip: Clip
) -> None:
    await upload(store, clip, session := clip.session())
    broken = Checkpoint(time=1.0, windowers={"words": Windower(WindowSpec.of(Words())).checkpoint()})
    broken = dataclasses.replace(broken, extractor={"version": VERSION, "hands": 7})
    await store.hset(keys.session(session.id), sessions.CHECKPOINT, broken.pack())
    place = make_place(extractor=extractor_factory(Settings(extractor="tracker")))
    assert await own_session(place, await claimed(claims))
    failed = (await records(store, session))[0]
    assert isinstance(failed, Note)
    assert failed.reason.startswith("checkpoint: not a tracker's memory")


async def test_a_replaced_owner_writes_nothing_more(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session, end=False)
    claim = await claimed(claims)
    task = asyncio.create_task(own_session(place, claim))
    await until(lambda: store.hexists(keys.session(session.id), sessions.CHECKPOINT))
    await Fence(store, session.id, "keypoints", claim.fence + 1).write()
    before = await store.hgetall(keys.session(session.id)), await records(store, session)
    writer = FileFrameWriter(Fence(store, session.id, "writer", 1))
    await writer.end(60, "the file ended")
    with pytest.raises(FencedOffError):
        await task
    after = await store.hgetall(keys.session(session.id)), await records(store, session)
    volatile = {sessions.WRITER_SEEN.encode(), sessions.END_TOLD.encode()}
    assert {k: v for k, v in after[0].items() if k not in volatile} == {
        k: v for k, v in before[0].items() if k not in volatile
    }
    assert after[1] == before[1]


async def test_a_lost_claim_is_let_go_without_a_word(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session, end=False)
    claim = await claimed(claims)
    claim.lost.set()
    assert not await own_session(place, claim)
    assert await store.hget(keys.session(session.id), sessions.CHECKPOINT) is None


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
    assert await writer.unconsumed() == 0
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
    data = await store.hget(keys.session(session.id), sessions.CHECKPOINT)
    assert isinstance(data, bytes)
    assert Checkpoint.unpack(data).owner == 1, "waiting for the transcript is no failed attempt"


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


async def test_a_live_successor_goes_on_with_the_next_seq(
    store: Store, make_place: MakePlace, claims: Claims, camera_clip: Clip
) -> None:
    session = camera_clip.session("live")
    writer = await camera(store, session)
    for half in (camera_clip.frames[:45], camera_clip.frames[45:]):
        place, claim = make_place(), await claimed(claims)
        task = asyncio.create_task(own_session(place, claim))
        for frame in half:
            last = await writer.append(captured(frame, time.time()))

        async def consumed(entry: bytes = last) -> bool:
            return await store.hget(keys.session(session.id), sessions.CONSUMED) == entry

        await until(consumed)
        place.stop.set()
        assert not await task
        await claims.release(claim)
    await writer.end("the camera left")
    assert await own_session(make_place(), await claimed(claims))
    sent = await windows(store)
    assert [window.seq for window in sent] == list(range(len(sent)))
    starts = [window.start for window in sent]
    assert starts == sorted(starts)
    assert sent[-1].end > 2.9
    live = [r for r in await records(store, session) if isinstance(r, Note) and r.state == "live"]
    assert len(live) == 1


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x81\xa7version\x01" * 2, b"\x93\x01\x02\x03"])
async def test_a_checkpoint_that_cannot_be_read_fails_the_session(
    store: Store, place: Workplace, claims: Claims, clip: Clip, data: bytes
) -> None:
    session = clip.session()
    await upload(store, clip, session)
    await store.hset(keys.session(session.id), sessions.CHECKPOINT, data)
    assert await own_session(place, await claimed(claims))
    failed, last = await records(store, session)
    assert isinstance(failed, Note)
    assert failed.state == "failed"
    assert "checkpoint" in failed.reason
    assert last == Last("words", -1)


async def test_a_windower_of_another_model_in_the_checkpoint_fails_the_session(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session)
    strange = Checkpoint(time=1.0, windowers={"words": {"seq": 4}}, last={"words": 3})
    await store.hset(keys.session(session.id), sessions.CHECKPOINT, strange.pack())
    assert await own_session(place, await claimed(claims))
    failed, last = await records(store, session)
    assert isinstance(failed, Note)
    assert "windower of words" in failed.reason
    assert last == Last("words", 3)


async def test_a_session_that_kills_its_workers_is_failed_at_last(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session)
    claim = await claimed(claims)
    claim.fence = MAX_ATTEMPTS + 1
    assert await own_session(place, claim)
    failed, _ = await records(store, session)
    assert isinstance(failed, Note)
    assert "5 workers in a row" in failed.reason


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
