"""A session that passes from owner to owner: stopped, cut off, replaced, handed on."""

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis.asyncio

from shared import keys, sessions
from shared.claims import Claims
from shared.fence import Fence, FencedOffError
from shared.framelog import FileFrameWriter
from shared.messages import Last, Note, Window
from shared.settings import Settings
from tests.workers.keypoints.clips import Clip, generate, read_clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.stage import (
    Words,
    camera,
    captured,
    claimed,
    outcome,
    records,
    spans,
    until,
    upload,
    windows,
)
from workers.keypoints.checkpoint import Checkpoint
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.memory import VERSION
from workers.keypoints.session import own_session
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Windower
from workers.keypoints.windows import WindowSink
from workers.keypoints.workplace import Workplace

Store = redis.asyncio.Redis


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


async def test_a_successor_cuts_windows_as_the_session_began_though_its_model_was_replaced(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    clip = generate(60)
    await upload(store, clip, clip.session())
    await own_session(make_place(), await claimed(claims))
    undisturbed = spans(await windows(store))
    await store.delete(keys.windows("words"))
    session = clip.session()
    await upload(store, clip, session)
    first = make_place()
    specs = {"words": dataclasses.replace(first.specs["words"], bundle="the first")}
    stopping = Cutting(first.windows, 3, first.stop.set)
    claim = await claimed(claims)
    assert not await own_session(dataclasses.replace(first, windows=stopping, specs=specs), claim)
    await claims.release(claim)
    replaced = {"words": WindowSpec(fps=7.0, samples=9, stride=3, rows=(0, 1), bundle="the second")}
    successor = dataclasses.replace(make_place(), specs=replaced)
    assert await own_session(successor, await claimed(claims))
    sent = await windows(store)
    assert spans(sent) == undisturbed
    assert {window.spec for window in sent} == {"the first"}
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


async def test_an_owner_that_stood_still_sends_no_window_once_it_was_replaced(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session)
    claim = await claimed(claims)

    class Replaced:
        """A sink during whose third window the owner stands still until another has taken over."""

        def __init__(self, sink: WindowSink) -> None:
            self._sink, self._left = sink, 3

        async def send(self, window: Window) -> None:
            await self._sink.send(window)
            self._left -= 1
            if not self._left:
                claim.lease = -1.0  # as if nobody had renewed it for long
                await Fence(store, session.id, "keypoints", claim.fence + 1).write()

    with pytest.raises(FencedOffError):
        await own_session(dataclasses.replace(place, windows=Replaced(place.windows)), claim)
    assert len(await windows(store)) == 3


async def test_a_lost_claim_is_let_go_without_a_word(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    session = clip.session()
    await upload(store, clip, session, end=False)
    claim = await claimed(claims)
    claim.lost.set()
    assert not await own_session(place, claim)
    assert await store.hget(keys.session(session.id), sessions.CHECKPOINT) is None
