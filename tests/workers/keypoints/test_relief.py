"""A worker that has too much hands a session to one with room."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import redis.asyncio
from numpy.typing import NDArray

from shared import keys, sessions
from shared.claims import Claim
from shared.framelog import LiveFrameWriter
from shared.landmarks import ROWS
from shared.landmarks.message import CODEC
from shared.messages import Last, Note
from shared.sessions import Session
from shared.settings import Settings
from tests.workers.keypoints.clips import Clip, generate
from tests.workers.keypoints.stage import Words, camera, captured, records, until, windows
from workers.keypoints import app
from workers.keypoints.extractor import ExtractorState
from workers.keypoints.relief import to_hand_over

Store = redis.asyncio.Redis


async def says(store: Store, name: str, capacity: int, owned: int, *models: str) -> None:
    state = {"process": name, "capacity": capacity, "owned": owned, "models": models or ["words"]}
    await store.set(keys.stage("keypoints", name), json.dumps(state))


async def owning(store: Store, *kept: Session) -> list[Claim]:
    for session in kept:
        assert await sessions.create(store, session)
    return [Claim(b"1-0", session.id, 1) for session in kept]


@pytest.mark.parametrize(
    ("capacity", "models", "given"),
    [(5, ["words"], True), (4, ["words"], False), (5, ["letters"], False), (5, ["letters", "words"], True)],
)
async def test_only_a_worker_with_room_and_its_models_is_given_a_session(
    store: Store, camera_clip: Clip, capacity: int, models: list[str], given: bool
) -> None:
    owned = await owning(store, camera_clip.session("live"))
    await says(store, "me", 9, 1)
    assert await to_hand_over(store, "me", owned) is None
    await says(store, "other", capacity, 3, *models)
    assert (await to_hand_over(store, "me", owned) is owned[0]) is given


async def test_files_and_publishers_stay(store: Store, camera_clip: Clip) -> None:
    file, publisher = camera_clip.session(), camera_clip.session("live", codec=CODEC)
    others = await owning(store, file, publisher)
    await says(store, "other", 5, 0)
    assert await to_hand_over(store, "me", others) is None
    gone = Claim(b"1-0", keys.new_session_id(), 1)
    (live,) = await owning(store, camera_clip.session("live"))
    assert await to_hand_over(store, "me", [*others, gone, live]) is live


class Slow:
    """An extractor that finds nobody, so slowly that a worker can do one camera and no more."""

    def landmarks(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        pause(1 / 17)
        return np.full((ROWS, 3), np.nan, np.float32)

    def state(self) -> ExtractorState | None:
        return None

    def restore(self, state: ExtractorState) -> bool:
        return False

    def close(self) -> None:
        pass


pause = time.sleep


@contextlib.asynccontextmanager
async def serving(url: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(app.serve(Settings(redis_url=url), [Words()], stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(5):
            await task


@contextlib.asynccontextmanager
async def sending(clip: Clip, *writers: LiveFrameWriter) -> AsyncIterator[None]:
    """Cameras that send in real time while inside."""

    async def send() -> None:
        begun = time.monotonic()
        for number, frame in enumerate(clip.frames):
            await asyncio.sleep(max(0.0, begun + number / 30 - time.monotonic()))
            for writer in writers:
                await writer.append(captured(frame, time.time()))

    task = asyncio.create_task(send())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def owners(store: Store) -> dict[bytes, int]:
    """How many sessions each worker owns."""
    pending: Any = await store.xpending(keys.SESSIONS, keys.KEYPOINTS_GROUP)
    return {one["name"]: int(one["pending"]) for one in pending["consumers"] or ()}


async def test_cameras_that_are_too_much_for_one_worker_go_to_one_that_comes(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "extractor_factory", lambda _: lambda _: Slow())
    monkeypatch.setattr(app, "ANNOUNCE_SECONDS", 0.3)
    clip = generate(600, size=(64, 48), encoder="libvpx", gop=15)
    kept = [clip.session("live") for _ in range(2)]
    writers = [await camera(store, session) for session in kept]
    await store.xgroup_create(keys.SESSIONS, keys.KEYPOINTS_GROUP, id="0")

    async def owned_by(*numbers: int) -> bool:
        return sorted((await owners(store)).values()) == sorted(numbers)

    async with serving(redis_url):
        await until(lambda: owned_by(2))
        async with sending(clip, *writers), serving(redis_url):
            await until(lambda: owned_by(1, 1))
            sent = await store.xlen(keys.windows("words"))

            async def more() -> bool:
                return await store.xlen(keys.windows("words")) > sent + 10

            await until(more)
            assert await owned_by(1, 1)
        for writer in writers:
            await writer.end("the camera left")

        async def over() -> bool:
            return all([isinstance((await records(store, each))[-1], Last) for each in kept])

        await until(over)
    for session in kept:
        told = [r for r in await records(store, session) if isinstance(r, Note) and r.state]
        assert [note.state for note in told] == ["live", "ended"]
        seqs = [window.seq for window in await windows(store) if window.session == session.id]
        assert seqs == list(range(len(seqs))), "none is lost or sent twice"


async def test_of_two_workers_with_room_the_one_with_fewer_mostly_has_the_next(
    store: Store, redis_url: str, camera_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "extractor_factory", lambda _: lambda _: Slow())
    await store.xgroup_create(keys.SESSIONS, keys.KEYPOINTS_GROUP, id="0", mkstream=True)

    async def there(workers: int) -> bool:
        return len(await store.keys(keys.stage("keypoints", "*"))) == workers

    async def all_owned() -> bool:
        return sum((await owners(store)).values()) == await store.xlen(keys.SESSIONS)

    async with serving(redis_url), serving(redis_url):
        await until(lambda: there(2))
        for _ in range(6):
            assert await sessions.create(store, camera_clip.session("live"))
            await until(all_owned)
        assert min((await owners(store)).values()) >= 2
