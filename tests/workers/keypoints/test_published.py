"""Sessions whose landmarks their publisher found: only windows are made of them."""

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis.asyncio
from numpy.typing import NDArray

from shared import keys, sessions
from shared.claims import Claims
from shared.fence import take_writer
from shared.framelog import Frame, LiveFrameWriter
from shared.landmarks.message import CODEC, pack, pack_rows
from shared.messages import Last, Note
from shared.pictures import PictureSize
from shared.sessions import Session
from tests.workers.keypoints.clips import read_clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.signers import signing
from tests.workers.keypoints.stage import Words, claimed, listening, outcome, records, spans, upload, windows
from workers.keypoints.holistic import Holistic
from workers.keypoints.session import own_session
from workers.keypoints.spec import WindowSpec

Store = redis.asyncio.Redis
Shown = tuple[float, NDArray[np.float32]]

WIDTH, HEIGHT = 1280, 720
CLOCK = 1_000_000
NEEDED = tuple(sorted(WindowSpec.of(Words()).needs))


def published(clock: int = CLOCK, **changes: Any) -> Session:
    """A session as the gateway makes it."""
    fields: dict[str, Any] = {
        "id": keys.new_session_id(),
        "mode": "landmarks",
        "models": ("words",),
        "codec": CODEC,
        "extradata": pack_rows(NEEDED),
        "time_base": Fraction(1, clock),
    }
    return Session(**(fields | changes))


def seen(seconds: float, fps: int = 15) -> list[Shown]:
    """A signer's landmarks."""
    times = [number / fps for number in range(round(seconds * fps))]
    return [(at, signing(at)) for at in times]


def frames(shown: Sequence[Shown], clock: int = CLOCK, *, whole: bool = False) -> list[Frame]:
    """As the gateway appends them: numbered, with the rows the models select or all of them."""
    made = []
    for number, (at, landmarks) in enumerate(shown):
        ticks = round(at * clock)
        data = pack(landmarks, ticks, WIDTH, HEIGHT, None if whole else NEEDED)
        made.append(Frame(data, ticks, number, True, time.time()))
    return made


async def publish(store: Store, session: Session, sent: Sequence[Frame], *, end: bool = True) -> None:
    assert await sessions.create(store, session)
    writer = LiveFrameWriter(await take_writer(store, session.id), keys.LANDMARK_FRAMES_SECONDS)
    for frame in sent:
        await writer.append(frame)
    if end:
        await writer.end("the publisher left")


class Rounded(Holistic):
    """Holistic, its landmarks as they are after the way through fp16; keeps what it found."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Shown] = []

    def landmarks(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        rounded = super().landmarks(rgb, time).astype(np.float16).astype(np.float32)
        self.found.append((time, rounded))
        return rounded


@pytest.mark.data
async def test_windows_are_to_the_byte_those_of_the_film_the_landmarks_were_found_in(
    store: Store, make_place: MakePlace, claims: Claims, data_path: Path
) -> None:
    film = read_clip(data_path / "videos" / "asl_hello_x2.mp4")
    extractor = Rounded()
    await upload(store, film, film.session())
    assert await own_session(make_place(extractor=lambda _: extractor), await claimed(claims))
    of_film = [(w.seq, w.start, w.end, w.aspect, w.landmarks) for w in await windows(store)]
    for whole in (False, True):
        await store.delete(keys.windows("words"))
        clock = film.time_base.denominator
        session = published(clock)
        await publish(store, session, frames(extractor.found, clock, whole=whole))

        def never(rows: frozenset[int]) -> Holistic:
            raise AssertionError(f"an extractor was made for {len(rows)} rows")

        assert await own_session(make_place(extractor=never), await claimed(claims))
        sent = await windows(store)
        assert [(w.seq, w.start, w.end, w.aspect, w.landmarks) for w in sent] == of_film
        assert (await outcome(store, session))[-1] == Last("words", len(of_film) - 1)


async def test_a_successor_sends_the_same_windows_and_repeats_none(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    sent = frames(seen(12.0))
    await publish(store, published(), sent)
    assert await own_session(make_place(), await claimed(claims))
    undisturbed = {w.seq: w.landmarks for w in await windows(store)}
    await store.delete(keys.windows("words"))
    session = published()
    await publish(store, session, sent[:90], end=False)
    place, claim = make_place(), await claimed(claims)
    task = asyncio.create_task(own_session(place, claim))
    while await store.xlen(keys.windows("words")) < 5:
        await asyncio.sleep(0.01)
    place.stop.set()
    assert await task is False
    await claims.release(claim)
    writer = LiveFrameWriter(await take_writer(store, session.id), keys.LANDMARK_FRAMES_SECONDS)
    for frame in sent[90:]:
        await writer.append(frame)
    await writer.end("the publisher left")
    assert await own_session(make_place(), await claimed(claims))
    again = await windows(store)
    assert {w.seq: w.landmarks for w in again} == undisturbed
    assert len(again) == len(undisturbed)
    told = await outcome(store, session)
    assert not [note for note in told if isinstance(note, Note) and note.dropped]


async def test_numbers_that_are_missing_are_told_as_dropped(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    sent = frames(seen(4.0))
    session = published()
    await publish(store, session, [*sent[:20], *sent[27:]])
    assert await own_session(make_place(), await claimed(claims))
    notes = [note for note in await outcome(store, session) if isinstance(note, Note)]
    assert sum(note.dropped for note in notes) == 7


async def test_landmarks_are_not_shown_to_those_who_watch_overlays(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    session = published()
    async with listening(store, keys.landmarks(session.id)) as drawn:
        await publish(store, session, frames(seen(3.0)))
        assert await own_session(make_place(), await claimed(claims))
    assert not drawn
    assert await windows(store)


async def test_frames_that_are_none_are_left_out_and_a_session_of_them_fails_in_words(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    good = frames(seen(3.0))
    torn = [dataclasses.replace(frame, data=frame.data[:-1]) for frame in good[10:12]]
    session = published()
    await publish(store, session, [*good[:10], *torn, *good[12:]])
    assert await own_session(make_place(), await claimed(claims))
    assert spans(await windows(store))
    assert (await outcome(store, session))[-2] == Note(state="ended", reason="the publisher left")
    session = published()
    await publish(store, session, [dataclasses.replace(frame, data=b"") for frame in good])
    assert await own_session(make_place(), await claimed(claims))
    failed = (await outcome(store, session))[-2]
    assert isinstance(failed, Note)
    assert failed.state == "failed"
    assert "a frame of 0 bytes" in failed.reason


async def test_a_session_with_a_model_of_pictures_or_broken_rows_is_refused_in_words(
    store: Store, make_place: MakePlace, claims: Claims
) -> None:
    for session, why in (
        (published(models=("clips",)), "looks at pictures"),
        (published(extradata=b"\xff\xff"), "rows"),
    ):
        await publish(store, session, frames(seen(1.0)))
        clips = Words(name="clips", rows=(), picture=PictureSize(8, 8))
        assert await own_session(make_place(Words(), clips), await claimed(claims))
        failed = (await records(store, session))[0]
        assert isinstance(failed, Note)
        assert failed.state == "failed"
        assert why in failed.reason
