"""A file with one keyframe changes hands: its packets come again from the gateway's copy of the file."""

import asyncio
import io
from collections.abc import Iterator
from functools import partial

import pytest
import redis.asyncio

from gateway.ingest.feed import Feed
from shared import keys, sessions
from shared.claims import Claims
from shared.fence import take_writer
from shared.messages import Last
from tests.gateway.ingest.pictures import write_video
from tests.workers.keypoints.clips import Clip, read_clip
from tests.workers.keypoints.conftest import MakePlace
from tests.workers.keypoints.stage import claimed, entries, more_than, records, spans, until, upload, windows
from workers.keypoints import owner as owning
from workers.keypoints.session import own_session

Store = redis.asyncio.Redis

BOUND = 12_000


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[io.BufferedRandom]:
    """120 pictures, one keyframe, several times the bound."""
    path = tmp_path_factory.mktemp("video") / "one-keyframe.mkv"
    write_video(path, "mpeg4", frames=120, width=640, height=480, gop=600, bit_rate=2_000_000)
    assert path.stat().st_size > 3 * BOUND
    with path.open("r+b") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", BOUND // 2)
    monkeypatch.setattr(keys, "FILE_STREAM_BYTES", BOUND)


async def held(store: Store, session: str) -> int:
    return sum(len(fields.get(b"data", b"")) for _, fields in await entries(store, keys.frames(session)))


async def whole_spans(
    store: Store, place: MakePlace, claims: Claims, clip: Clip
) -> list[tuple[int, float, float]]:
    await upload(store, clip, clip.session())
    await own_session(place(), await claimed(claims))
    undisturbed = spans(await windows(store))
    await store.delete(keys.windows("words"))
    return undisturbed


async def test_an_owner_that_follows_another_gets_every_packet_again_and_redis_holds_few(
    store: Store, make_place: MakePlace, claims: Claims, file: io.BufferedRandom
) -> None:
    clip = read_clip(io.BytesIO(file.read()))
    assert [frame.keyframe for frame in clip.frames] == [True] + [False] * 119
    largest = max(len(frame.data) for frame in clip.frames)
    undisturbed = await whole_spans(store, make_place, claims, clip)
    session = clip.session()
    assert await sessions.create(store, session)
    feed = asyncio.create_task(Feed(store, session, await take_writer(store, session.id), file, 99).run())
    most, owners, over = 0, 0, False
    while not over:
        place, claim = make_place(), await claimed(claims)
        owner = asyncio.create_task(own_session(place, claim))
        behind = asyncio.create_task(
            until(partial(more_than, store, len(await windows(store)) + 4, owner), 20)
        )
        while not behind.done():
            most = max(most, await held(store, session.id))
            await asyncio.sleep(0.01)
        await behind
        place.stop.set()
        over = await owner
        await (claims.finish(claim) if over else claims.release(claim))
        owners += 1
    assert owners >= 3
    assert most < BOUND + BOUND // 2 + 2 * largest
    sent = await windows(store)
    assert spans(sent) == undisturbed
    assert (await records(store, session))[-1] == Last("words", len(undisturbed) - 1)
    assert not feed.done(), "it keeps the file until the session is over"
    await store.hset(keys.session(session.id), "state", sessions.ENDED)
    async with asyncio.timeout(5):
        await feed


async def test_an_owner_that_gets_no_packets_again_says_so(
    store: Store,
    make_place: MakePlace,
    claims: Claims,
    file: io.BufferedRandom,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owning, "MISSING_SECONDS", 0.3)
    clip = read_clip(io.BytesIO(file.read()))
    session = clip.session()
    await upload(store, clip, session)
    await store.xtrim(keys.frames(session.id), minid="50-0", approximate=False)
    assert await own_session(make_place(), await claimed(claims))
    failed = (await records(store, session))[-2]
    assert "packets from 0 on are no longer kept: upload the file again" in str(failed)
