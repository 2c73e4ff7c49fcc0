"""The worker as a process: killed, stopped, without Redis, with more sessions than room."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest
import redis.asyncio

from shared import keys, sessions
from shared.bundles import ModelWatch, watch
from shared.fence import take_writer
from shared.framelog import FileFrameWriter
from shared.grace import GRACE_SECONDS
from shared.messages import Last, Note
from shared.sessions import Session
from shared.settings import Settings
from tests.conftest import ROOT, free_port, redis_server_binary
from tests.shared.bundles.editions import put
from tests.workers.keypoints.clips import Clip, generate, read_clip
from tests.workers.keypoints.stage import Words, camera, captured, records, spans, upload, windows
from workers.keypoints import app
from workers.keypoints.app import Patience, main, serve

Store = redis.asyncio.Redis


class Workers:
    """Processes of the test; those still alive are killed at its end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.workers.keypoints.worker_process", self._url]
        process = subprocess.Popen(command, cwd=ROOT)
        self.processes.append(process)
        return process

    async def ready(self, store: Store, count: int) -> None:
        async def announced() -> bool:
            return len(await store.keys(keys.stage("keypoints", "*"))) == count

        await until(announced, 20.0)


async def until(condition: object, seconds: float = 20.0) -> None:
    """Waits for something another process does to Redis."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def workers(redis_url: str) -> Iterator[Workers]:
    started = Workers(redis_url)
    yield started
    for process in started.processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def recording(data_path: Path) -> Clip:
    return read_clip(data_path / "videos" / "asl_hello_x2.mp4")


@contextlib.asynccontextmanager
async def serving(url: str, **changes: int) -> AsyncIterator["asyncio.Task[None]"]:
    """A worker in this process."""
    stop = asyncio.Event()
    task = asyncio.create_task(serve(Settings(redis_url=url, **changes), [Words()], stop))  # type: ignore[arg-type]
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(5):
            await task


async def finished(store: Store, session: Session) -> bool:
    return any(isinstance(record, Last) for record in await records(store, session))


async def sent_by(store: Store, session: Session) -> list[tuple[int, float, float]]:
    return spans([window for window in await windows(store) if window.session == session.id])


async def acknowledged(store: Store) -> bool:
    pending = await store.xpending(keys.SESSIONS, keys.KEYPOINTS_GROUP)
    return bool(pending["pending"] == 0)


@pytest.mark.data
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_gone_in_the_middle_of_a_file_loses_no_window(
    store: Store, workers: Workers, recording: Clip, how: signal.Signals
) -> None:
    first = workers.start()
    workers.start()
    await workers.ready(store, 2)
    undisturbed, disturbed = recording.session(), recording.session()
    await upload(store, recording, undisturbed)
    await until(lambda: finished(store, undisturbed))
    await until(lambda: acknowledged(store))
    await upload(store, recording, disturbed)
    owner = await _owner_of(store, workers)
    enough = len(await sent_by(store, undisturbed)) + 8

    async def midway() -> bool:
        return await store.xlen(keys.windows("words")) >= enough

    await until(midway)
    gone = time.monotonic()
    owner.send_signal(how)
    owner.wait(GRACE_SECONDS["keypoints"])
    stopped = time.monotonic() - gone
    assert not await finished(store, disturbed)
    before = await store.xlen(keys.windows("words"))

    async def taken_over() -> bool:
        return await store.xlen(keys.windows("words")) > before

    await until(taken_over)
    print(f"{how.name}: process gone {stopped:.2f} s, next window {time.monotonic() - gone:.2f} s")
    await until(lambda: finished(store, disturbed))
    await until(lambda: acknowledged(store))
    assert await sent_by(store, disturbed) == await sent_by(store, undisturbed)
    told = await records(store, disturbed)
    assert told[-1] == Last("words", (await sent_by(store, disturbed))[-1][0])
    assert [record for record in told if isinstance(record, Note) and record.state == "failed"] == []
    if how is signal.SIGTERM:
        assert owner.returncode == 0
        assert len(await store.keys(keys.stage("keypoints", "*"))) == 1
    assert first.poll() is None or owner is first


async def _owner_of(store: Store, workers: Workers) -> subprocess.Popen[bytes]:
    """Which of the processes owns the only session."""

    async def owned() -> bool:
        return not await acknowledged(store)

    await until(owned)
    pending = await store.xpending_range(keys.SESSIONS, keys.KEYPOINTS_GROUP, "-", "+", 1)
    number = int(cast(bytes, pending[0]["consumer"]).decode().split("-")[-2])
    return next(process for process in workers.processes if process.pid == number)


async def test_a_stage_key_says_what_the_worker_serves(store: Store, redis_url: str) -> None:
    async with serving(redis_url, sessions_per_worker=3):

        async def announced() -> bool:
            return bool(await store.keys(keys.stage("keypoints", "*")))

        await until(announced)
        (key,) = await store.keys(keys.stage("keypoints", "*"))
        state = json.loads(await store.get(key) or b"")
        assert (state["capacity"], state["owned"], state["models"]) == (3, 0, ["words"])
        assert (state["landmarked"], state["dropped"], sum(state["ages"])) == (0, 0, 0)
        assert 0 < await store.ttl(key) <= keys.STAGE_TTL_SECONDS
    assert await store.keys(keys.stage("keypoints", "*")) == []


async def test_a_worker_with_too_much_memory_takes_nothing_and_ends(store: Store, redis_url: str) -> None:
    clip = generate(5)
    await upload(store, clip, clip.session())
    async with serving(redis_url, worker_mib=1) as worker, asyncio.timeout(10):
        await asyncio.shield(worker)
    assert await store.keys(keys.stage("keypoints", "*")) == []
    async with serving(redis_url):
        await until(lambda: acknowledged(store))


async def test_a_full_worker_takes_over_what_nobody_else_does(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.keypoints.capacity.Capacity.room", lambda *_: 0)
    clip = generate(5)
    orphan, waiting = clip.session(), clip.session()
    await upload(store, clip, orphan)
    await store.xgroup_create(keys.SESSIONS, keys.KEYPOINTS_GROUP, id="0")
    await store.xreadgroup(keys.KEYPOINTS_GROUP, "killed", {keys.SESSIONS: ">"}, count=1)
    await upload(store, clip, waiting)
    async with serving(redis_url):
        await until(lambda: finished(store, orphan))
        assert not await finished(store, waiting), "there is no room for a new one"


async def test_sessions_beyond_the_room_wait_their_turn(store: Store, redis_url: str) -> None:
    clip = generate(20)
    waiting = [clip.session() for _ in range(5)]
    for session in waiting:
        await upload(store, clip, session)
    async with serving(redis_url, sessions_per_worker=2):
        for session in waiting:
            await until(lambda session=session: finished(store, session))
        await until(lambda: acknowledged(store))


async def test_a_file_that_waits_for_its_transcript_holds_up_no_live_session(
    store: Store, redis_url: str
) -> None:
    long, live_clip = generate(700, size=(64, 48)), generate(20, encoder="libvpx")
    file, live = long.session(), live_clip.session("live")
    await upload(store, long, file)
    async with serving(redis_url, sessions_per_worker=2):

        async def full() -> bool:
            return len(await sent_by(store, file)) == keys.FILE_WINDOWS_AHEAD

        await until(full)
        writer = await camera(store, live)
        for frame in live_clip.frames:
            await writer.append(captured(frame, time.time()))
        await writer.end("the camera left")
        await until(lambda: finished(store, live), 5.0)
        assert await full()


async def test_a_session_lost_from_redis_is_acknowledged(store: Store, redis_url: str) -> None:
    clip = generate(5)
    session = clip.session()
    await upload(store, clip, session)
    await store.delete(keys.session(session.id))
    async with serving(redis_url):

        async def read() -> bool:
            groups = await store.xinfo_groups(keys.SESSIONS)
            return bool(groups) and groups[0]["last-delivered-id"] != b"0-0"

        await until(read)
        await until(lambda: acknowledged(store))


async def test_redis_may_come_late_and_go_away_for_a_while(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    command = [redis_server_binary(), "--port", str(port), "--dir", str(tmp_path), *options]

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    clip = generate(120)
    session = clip.session()
    store: Store = redis.asyncio.Redis.from_url(url)
    server = None
    try:
        async with serving(url):
            server = start()
            await until(lambda: _answers(store))
            assert await sessions.create(store, session)
            writer = FileFrameWriter(await take_writer(store, session.id))
            for number, frame in enumerate(clip.frames[:60]):
                await writer.append(number, frame)

            async def underway() -> bool:
                return await store.xlen(keys.windows("words")) >= 5

            await until(underway)
            server.kill()
            server.wait()
            server = start()
            await until(lambda: _answers(store))
            for number, frame in enumerate(clip.frames[60:], 60):
                await writer.append(number, frame)
            await writer.end(120, "the file ended")
            await until(lambda: finished(store, session))
        sent = await sent_by(store, session)
        assert [seq for seq, _, _ in sent] == list(range(len(sent)))
        assert sent[-1][2] > 3.9
    finally:
        await store.aclose()
        if server is not None:
            server.kill()
            server.wait()


async def _answers(store: Store) -> bool:
    try:
        return bool(await store.ping())
    except redis.RedisError:
        return False


def test_a_model_that_is_nowhere_ends_the_process_for_good(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr("shared.bundles.registry.SHIPPED", tmp_path)
    monkeypatch.setattr("workers.keypoints.app.configure_logging", lambda *_: None)
    with pytest.raises(SystemExit) as left:
        main(Settings(models="absent"))
    assert left.value.code == 2
    assert "no model 'absent'" in caplog.text


async def test_a_model_that_is_added_while_it_runs_can_be_worked_for(
    store: Store, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(app, "ANNOUNCE_SECONDS", 0.05)
    stop = asyncio.Event()
    following = ModelWatch([], [tmp_path])
    task = asyncio.create_task(serve(Settings(redis_url=redis_url), [Words()], stop, following))

    async def served() -> list[str]:
        said = [await store.get(key) async for key in store.scan_iter(match=keys.stage("keypoints", "*"))]
        return [name for one in said if one for name in json.loads(one)["models"]]

    async def has_both() -> bool:
        return await served() == ["words", "second"]

    try:
        async with asyncio.timeout(30):
            while await served() != ["words"]:
                await asyncio.sleep(0.02)
            put(tmp_path, "second")
            while not await has_both():
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await task


async def test_every_outage_is_said_and_the_waits_begin_anew(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    stop.set()  # no wait is waited
    patience, caplog_level = Patience(stop), caplog.at_level("INFO", "workers.keypoints.app")
    with caplog_level:
        for went_well in (0.0, 0.1, 0.1, 60.0, 0.1):
            await patience.after(OSError("cut"), went_well)
    said = [record.message for record in caplog.records]
    away = "Redis or the broker is away, waiting for it: cut"
    assert said == [away, "Redis is back", away]
