"""The transcript's owner against a real Redis: events once, in order, and by whoever is alive."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.results import duty, log
from gateway.results.duty import TranscriptDuty
from gateway.results.transcript import Event
from shared import claims, connection, keys, sessions
from shared.fence import Fence, FencedOffError, take_writer
from shared.framelog import LiveFrameWriter
from shared.messages import Last, Note, Record
from shared.sessions import Session
from tests.conftest import free_port, running_redis
from tests.gateway.results.test_transcript import MODEL, glosses, result, rule

ID = "session-of-the-test"
TASKS = {MODEL: "isolated"}


@contextlib.asynccontextmanager
async def on_duty(redis_url: str) -> AsyncIterator[asyncio.Task[None]]:
    """One gateway's duty, running."""
    task = asyncio.create_task(TranscriptDuty(redis_url, TASKS, rule).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def begin(store: Redis, mode: Any = "file") -> None:
    made = Session(id=ID, mode=mode, models=(MODEL,), codec="vp8")
    assert await sessions.create(store, made)


async def tell(store: Redis, *records: Record) -> None:
    for record in records:
        await store.xadd(keys.results(ID), {"r": record.pack()})


async def all_events(store: Redis) -> list[Event]:
    """Until the session's last event."""
    async with asyncio.timeout(30):
        return [event async for event in log.follow(store, ID, 0)]


async def until_told(store: Redis, count: int) -> None:
    async with asyncio.timeout(30):
        while await store.xlen(keys.glosses(ID)) < count:
            await asyncio.sleep(0.01)


def seqs(events: Sequence[Event]) -> list[int]:
    return [event["seq"] for event in events]


async def test_results_become_events_and_the_session_ends(store: Redis, redis_url: str) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await tell(store, Note("live"), result(1), result(0), Note("ended", "end of file"), Last(MODEL, 1))
        events = await all_events(store)
    assert [event["type"] for event in events] == ["session", "session", "gloss", "gloss", "gloss", "session"]
    assert seqs(events) == [1, 2, 3, 4, 5, 6]
    ended = await sessions.load(store, ID)
    assert ended is not None
    assert (ended.state, ended.reason) == ("ended", "end of file")


async def test_an_ended_session_leaves_only_what_is_kept_for_an_hour(store: Redis, redis_url: str) -> None:
    await begin(store)
    writer = await take_writer(store, ID)
    await writer.write(("XADD", keys.frames(ID), "*", "data", b"video"))
    async with on_duty(redis_url):
        await tell(store, Last(MODEL, -1))
        await all_events(store)
        async with asyncio.timeout(5):
            while await store.xlen(keys.SESSIONS):
                await asyncio.sleep(0.01)
    left = {key for key in await store.keys("*") if key != keys.SESSIONS.encode()}
    assert left == {keys.session(ID).encode(), keys.glosses(ID).encode()}
    for key in left:
        assert 0 < await store.ttl(key) <= keys.SESSION_TTL_SECONDS
    with pytest.raises(FencedOffError):
        await writer.write(("XADD", keys.frames(ID), "*", "data", b"late"))


async def test_the_keypoint_owner_sees_how_far_the_transcript_is(store: Redis, redis_url: str) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await tell(store, result(0), result(1), result(5))
        await until_told(store, 3)
        assert await store.hget(keys.session(ID), sessions.REACHED_PREFIX + MODEL) == b"1"


async def test_another_gateway_goes_on_where_the_first_stopped(store: Redis, redis_url: str) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await tell(store, result(0), result(2))
        await until_told(store, 2)
    await tell(store, result(1), result(0), Last(MODEL, 2))
    async with on_duty(redis_url):
        events = await all_events(store)
    assert glosses(events) == ["word-0", "word-1", "word-2", "after 3"]
    assert seqs(events) == list(range(1, len(events) + 1))


async def test_a_stale_owner_tells_nothing(store: Redis, redis_url: str) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await until_told(store, 1)
        await Fence(store, ID, "transcripts", 99).write(("HSET", keys.session(ID), "x", 1))
        await tell(store, result(0), Last(MODEL, 0))
        entry = (await store.xinfo_stream(keys.SESSIONS))["last-generated-id"]
        await store.xclaim(keys.SESSIONS, keys.TRANSCRIPTS_GROUP, "other", 0, [entry], justid=True)
        async with asyncio.timeout(5):
            while await store.hget(keys.session(ID), duty.CURSOR) != b"0-0":
                await asyncio.sleep(0.01)
    assert await store.xlen(keys.glosses(ID)) == 1


async def test_a_bad_record_is_passed_over(store: Redis, redis_url: str) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await store.xadd(keys.results(ID), {"r": b"\xc1 nonsense"})
        await store.xadd(keys.results(ID), {"other": b"field"})
        await tell(store, result(0), Last(MODEL, 0))
        assert glosses(await all_events(store)) == ["word-0", "after 1"]


async def test_a_session_whose_state_is_lost_is_let_go(store: Redis, redis_url: str) -> None:
    await claims.announce(store, ID)
    async with on_duty(redis_url), asyncio.timeout(5):
        while await store.xlen(keys.SESSIONS):
            await asyncio.sleep(0.01)


async def test_what_redis_refuses_while_a_lost_session_is_cleared_away_ends_no_other(
    store: Redis, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await store.execute_command("ACL", "SETUSER", "default", "-del")  # type: ignore[no-untyped-call]
    try:
        async with on_duty(redis_url):
            await claims.announce(store, "lost")
            async with asyncio.timeout(5):
                while "session lost: the transcript stopped" not in caplog.text:
                    await asyncio.sleep(0.01)
            await store.execute_command("ACL", "SETUSER", "default", "+del")  # type: ignore[no-untyped-call]
            await begin(store)
            await tell(store, result(0), Last(MODEL, 0))
            assert glosses(await all_events(store)) == ["word-0", "after 1"]
    finally:
        await store.execute_command("ACL", "SETUSER", "default", "+del")  # type: ignore[no-untyped-call]


async def test_a_silent_writers_session_is_ended_for_it(
    store: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "WRITER_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(duty, "WRITER_LOOK_SECONDS", 0.1)
    await begin(store, "live")
    writer = await take_writer(store, ID)
    async with on_duty(redis_url):
        async with asyncio.timeout(5):
            while not await store.xlen(keys.frames(ID)):
                await asyncio.sleep(0.01)
        entries: Any = await store.xrange(keys.frames(ID))
        assert entries[0][1] == {b"end": b"no sender for 0.3 s"}
        with pytest.raises(FencedOffError):
            await writer.write(("XADD", keys.frames(ID), "*", "data", b"late"))


async def test_a_live_hole_is_told_by_the_clock_alone(
    store: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.results.transcript.HOLE_SECONDS", 0.3)
    await begin(store, "live")
    async with on_duty(redis_url):
        await tell(store, result(0), result(2), Last(MODEL, 2))
        events = await all_events(store)
    assert glosses(events) == ["word-0", "word-2", "after 2"]
    assert [e["count"] for e in events if e["type"] == "dropped"] == [1]


async def test_a_session_that_no_worker_has_room_for_is_told_its_place(store: Redis, redis_url: str) -> None:
    for name in ("session-before-ours", ID):
        assert await sessions.create(store, Session(id=name, mode="file", models=(MODEL,), codec="vp8"))
    async with on_duty(redis_url):
        await until_told(store, 2)
        async with claims.Claims(redis_url, keys.KEYPOINTS_GROUP, "tester") as workers:
            first = await workers.take(1.0)
            assert first is not None
            assert first.session == "session-before-ours"
            await until_told(store, 3)
    told = await log.so_far(store, ID)
    assert [(event["state"], event.get("place")) for event in told] == [
        ("queued", None),
        ("queued", 2),
        ("queued", 1),
    ]


async def test_a_camera_that_leaves_the_line_makes_room_in_it(store: Redis, redis_url: str) -> None:
    await begin(store, "live")
    async with on_duty(redis_url):
        writer = LiveFrameWriter(await take_writer(store, ID))
        await until_told(store, 2)
        await writer.end("the camera left")
        told = await all_events(store)
        async with asyncio.timeout(5):
            while await store.xlen(keys.SESSIONS):
                await asyncio.sleep(0.01)
    assert [event["state"] for event in told] == ["queued", "queued", "ended"]
    assert told[-1]["reason"] == "left while it waited in line"


async def test_an_owner_that_comes_fences_off_the_last_one_before_it_has_anything_to_write(
    store: Redis, redis_url: str
) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await until_told(store, 1)
    late = Fence(store, ID, "transcripts", 1)
    async with on_duty(redis_url), asyncio.timeout(10):
        while await store.hget(keys.session(ID), "fence:transcripts") != b"2":
            await asyncio.sleep(0.01)
        with pytest.raises(FencedOffError):
            await late.write(("XTRIM", keys.results(ID), "MAXLEN", 0))


async def test_a_redis_that_comes_back_with_nothing_is_served_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "RETRY_SECONDS", 0.05)
    port = free_port()
    with running_redis(tmp_path, port) as url:
        store = connection.connect(url)
        watching = contextlib.AsyncExitStack()
        await watching.enter_async_context(on_duty(url))
        async with asyncio.timeout(5):
            while not await store.exists(keys.SESSIONS):
                await asyncio.sleep(0.01)
    async with watching, asyncio.timeout(20):
        while "transcripts: Redis: " not in caplog.text:
            await asyncio.sleep(0.01)
        with running_redis(tmp_path, port):
            await begin(store)
            await tell(store, result(0), Last(MODEL, 0))
            assert glosses(await all_events(store))[0] == "word-0"
            await store.aclose()
            await watching.aclose()


async def test_a_session_that_ended_is_not_begun_again(store: Redis, redis_url: str) -> None:
    await begin(store)
    await store.hset(keys.session(ID), "state", "ended")
    async with on_duty(redis_url), asyncio.timeout(10):
        while await store.xlen(keys.SESSIONS):
            await asyncio.sleep(0.01)
    assert await store.xlen(keys.glosses(ID)) == 0


async def test_a_redis_that_takes_no_writes_for_a_while_costs_no_event_and_no_owner(
    store: Redis, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await begin(store)
    async with on_duty(redis_url):
        await until_told(store, 1)
        async with store.pipeline(transaction=True) as together:
            together.xadd(keys.results(ID), {"r": result(0).pack()})
            together.config_set("maxmemory", 1)
            await together.execute()
        try:
            async with asyncio.timeout(5):
                while f"session {ID}: Redis: " not in caplog.text:
                    await asyncio.sleep(0.01)
        finally:
            await store.config_set("maxmemory", 0)
        await tell(store, Last(MODEL, 0))
        events = await all_events(store)
    assert seqs(events) == list(range(1, len(events) + 1))
    assert [event["type"] for event in events].count("gloss") >= 1
    assert await store.hget(keys.session(ID), "fence:transcripts") == b"1"
