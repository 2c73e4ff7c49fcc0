"""Sessions whose models look at whole signs, or at pictures, or at all of it."""

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
from shared.messages import Last, Note, Window
from shared.pictures import PictureSize, letterbox, unpack_clip
from shared.sessions import Session
from shared.settings import Settings
from tests.workers.keypoints.clips import Clip, generate, read_clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.stage import Words, captured, claimed, outcome, upload, windows
from tests.workers.keypoints.test_takeover import Cutting, cancel_myself
from workers.keypoints.chains import Chains
from workers.keypoints.decoder import Decoder
from workers.keypoints.extractor import Extractor
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.landmarker import Landmarker
from workers.keypoints.session import own_session
from workers.keypoints.spec import WindowSpec

Store = redis.asyncio.Redis

CLIPS = Words("clips", fps=15.0, samples=16, stride=8, rows=(), picture=PictureSize(64, 64))
SIGNS = Words("signs", samples=40, stride=0, windows="segments", shortest=5)
BOTH = Words("both", samples=21, stride=4, windows="both", shortest=5)
SIGN_CLIPS = Words("sign-clips", 10.0, 60, 0, (), windows="segments", shortest=5, picture=PictureSize(64, 64))
ALL = (Words(), SIGNS, BOTH, CLIPS, SIGN_CLIPS)


def nobody(rows: frozenset[int]) -> Extractor:
    raise AssertionError(f"rows {sorted(rows)[:5]} were to be landmarked, and no model looks at any")


async def send_up(store: Store, clip: Clip, session: Session) -> None:
    """A file's session whose transcript is never behind."""
    await upload(store, clip, session)
    for model in session.models:
        await store.hset(keys.session(session.id), sessions.REACHED_PREFIX + model, 2**31)


async def all_windows(store: Store) -> dict[str, dict[int, Window]]:
    """By model and seq. One that was sent again was the same."""
    found: dict[str, dict[int, Window]] = {}
    for model in ALL:
        of_model = found.setdefault(model.name, {})
        for window in await windows(store, model.name):
            assert content(of_model.setdefault(window.seq, window)) == content(window)
        await store.delete(keys.windows(model.name))
    return found


def content(window: Window) -> tuple[Any, ...]:
    """All that the recognizer reads."""
    return (window.start, window.end, window.landmarks, window.pictures, window.whole, window.aspect)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return generate(60, b_frames=2, gop=30)


async def test_a_model_of_pictures_gets_clips_and_nothing_is_landmarked(
    store: Store, make_place: MakePlace, claims: Claims, clip: Clip
) -> None:
    session = clip.session(models=("clips",))
    await upload(store, clip, session)
    assert await own_session(make_place(CLIPS, extractor=nobody), await claimed(claims))
    sent = await windows(store, "clips")
    assert [(w.seq, w.samples, w.rows, len(w.pictures)) for w in sent] == [
        (seq, 16, 0, 16) for seq in range(3)
    ]
    assert [(w.start, w.end) for w in sent[:2]] == [(0.0, 1.0), (8 / 15, 23 / 15)]
    assert [type(r) for r in await outcome(store, session)] == [Note, Last]

    decoder = Decoder(clip.session())
    shown = [p for frame in clip.frames for p in decoder.decode(frame)] + decoder.flush()
    pictures = unpack_clip(sent[1].pictures, 64, 64)
    for sample, picture in zip(pictures, shown[16::2], strict=False):
        assert np.abs(sample.astype(int) - letterbox(picture.rgb(), 64, 64)).mean() < 3


async def test_the_same_file_gives_the_same_clips_twice(
    store: Store, make_place: MakePlace, claims: Claims, clip: Clip
) -> None:
    found = []
    for _ in range(2):
        await upload(store, clip, clip.session(models=("clips",)))
        await own_session(make_place(CLIPS, extractor=nobody), await claimed(claims))
        found.append([content(window) for window in await windows(store, "clips")])
        await store.delete(keys.windows("clips"))
    assert found[0] == found[1]


@pytest.mark.parametrize("gop", [10, 120])
async def test_clips_cut_off_again_and_again_are_the_same_bytes(
    store: Store, make_place: MakePlace, claims: Claims, gop: int
) -> None:
    clip = generate(120, b_frames=2, gop=gop)
    await upload(store, clip, clip.session(models=("clips",)))
    await own_session(make_place(CLIPS, extractor=nobody), await claimed(claims))
    undisturbed = await all_windows(store)
    assert len(undisturbed["clips"]) == 7
    cuts = await cut_again_and_again(store, make_place, claims, clip, ("clips",), (CLIPS,), nobody)
    assert cuts >= 2
    again = await all_windows(store)
    assert {seq: content(w) for seq, w in again["clips"].items()} == {
        seq: content(w) for seq, w in undisturbed["clips"].items()
    }


async def cut_again_and_again(
    store: Store,
    make_place: MakePlace,
    claims: Claims,
    clip: Clip,
    models: tuple[str, ...],
    known: tuple[Words, ...],
    extractor: Any,
    after: int = 3,
) -> int:
    """Owners that end amid their work after so many windows; returns how many did."""
    await send_up(store, clip, clip.session(models=models))
    cuts, over = 0, False
    while not over:
        claim, place = await claimed(claims), make_place(*known, extractor=extractor)
        cutting = Cutting(place.windows, after, cancel_myself)
        task = asyncio.create_task(own_session(dataclasses.replace(place, windows=cutting), claim))
        over = (await asyncio.gather(task, return_exceptions=True))[0] is True
        await (claims.finish(claim) if over else claims.release(claim))
        cuts += not over
    return cuts


@pytest.mark.data
async def test_landmarks_whole_signs_and_clips_of_one_session_survive_their_owners_to_the_bit(
    store: Store, make_place: MakePlace, claims: Claims, data_path: Path
) -> None:
    recording = read_clip(data_path / "videos" / "asl_hello_x2.mp4")
    factory, models = extractor_factory(Settings(extractor="tracker")), tuple(model.name for model in ALL)
    session = recording.session(models=models)
    await send_up(store, recording, session)
    await own_session(make_place(*ALL, extractor=factory), await claimed(claims))
    undisturbed = await all_windows(store)
    assert [r.seq for r in (await outcome(store, session))[1:] if isinstance(r, Last)] == [
        max(undisturbed[model]) for model in models
    ]
    first, second = undisturbed["signs"].values()  # she says hello twice
    assert first.whole
    assert second.whole
    times = (first.start, first.end, second.start, second.end)
    assert times == pytest.approx((0.72, 2.72, 3.36, 4.88), abs=0.3)
    shown = undisturbed["sign-clips"].values()
    assert [edge for w in shown for edge in (w.start, w.end)] == pytest.approx(times, abs=0.15)
    assert all(window.whole and len(window.pictures) == window.samples for window in shown)
    assert sum(window.whole for window in undisturbed["both"].values()) == 2
    assert all(len(window.pictures) == 16 for window in undisturbed["clips"].values())

    assert await cut_again_and_again(store, make_place, claims, recording, models, ALL, factory, 18) >= 2
    again = await all_windows(store)
    for model in models:
        assert {seq: content(w) for seq, w in again[model].items()} == {
            seq: content(w) for seq, w in undisturbed[model].items()
        }


def test_pictures_that_come_too_late_for_a_clip_are_counted(clip: Clip) -> None:
    spec = WindowSpec(15.0, 8, 8, (), picture=PictureSize(32, 32))
    live = Landmarker(clip.session("live"), 15.0, None, chains=Chains({"clips": spec}))
    now, shown = time.time(), []
    for number, frame in enumerate(clip.frames[:30]):
        shown += live.turn([captured(frame, now + number / 30)], now, ended=False)
    late = [captured(frame, now + 1 + n / 30) for n, frame in enumerate(clip.frames[30:])]
    shown += live.turn(late, now + 2, ended=False)
    while some := live.turn([], now + 2, ended=True):
        shown += some
    assert live.dropped > 10
    found = [window for each in shown for window in each.windows] + live.flush()
    assert [window.seq for _, window in found] == list(range(len(found)))
    assert all(len(window.pictures) == 8 for _, window in found)


def test_a_session_landmarks_no_more_pictures_than_its_models_of_landmarks_want(clip: Clip) -> None:
    class Counting:
        def __init__(self) -> None:
            self.times: list[float] = []

        def landmarks(self, rgb: np.ndarray[Any, Any], time: float) -> np.ndarray[Any, Any]:
            self.times.append(time)
            return np.full((543, 3), np.nan, np.float32)

        def state(self) -> None:
            return None

        def restore(self, state: dict[str, Any]) -> bool:
            return False

        def close(self) -> None:
            pass

    extractor = Counting()
    specs = {
        "clips": WindowSpec(30.0, 8, 8, (), picture=PictureSize(32, 32)),
        "words": WindowSpec.of(Words()),
    }
    landmarker = Landmarker(clip.session(), 15.0, extractor, chains=Chains(specs))
    shown = landmarker.turn(clip.frames, 0.0, ended=True)
    while some := landmarker.turn([], 0.0, ended=True):
        shown += some
    assert len(shown) == 60
    assert extractor.times == pytest.approx([n / 30 for n in range(0, 60, 2)], abs=1e-3)
    assert sum(each.landmarks is not None for each in shown) == 30
