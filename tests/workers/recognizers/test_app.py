"""The recognizer process on a real Redis: windows in, results out."""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import keys
from shared.bundles import BundleError, ModelWatch, Registry
from shared.messages import Result, Window, unpack_record
from tests.conftest import ROOT, free_port
from tests.shared.faust_redis.conftest import until
from tests.shared.faust_redis.test_workers import answers, redis_with_a_file
from tests.workers.recognizers.conftest import TinyModel, make_window
from workers.recognizers.app import serve, serve_models
from workers.recognizers.station import RecognizersStoppedError, settle

TOPIC = keys.windows("tiny")


@asynccontextmanager
async def serving(redis_url: str) -> AsyncIterator[asyncio.Task[None]]:
    """The recognizers of this process, until the block ends."""
    stop = asyncio.Event()
    models = {"tiny": TinyModel()}
    task = asyncio.create_task(serve_models(redis_url, models, idle_seconds=0.6, batch=4, stop=stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait((task,), timeout=5)
    await task


@contextmanager
def process(redis_url: str, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """Recognizers in a process of their own."""
    command = [sys.executable, "-m", "tests.workers.recognizers.worker", redis_url, str(seconds)]
    worker = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate(timeout=10)


async def send(store: Redis, *windows: Window | bytes) -> None:
    for window in windows:
        await store.xadd(TOPIC, {"v": window.pack() if isinstance(window, Window) else window})


async def results(store: Redis, session: str) -> list[Result]:
    entries: Any = await store.xrange(keys.results(session))
    records = [unpack_record(fields[b"r"]) for _, fields in entries]
    assert all(isinstance(record, Result) for record in records)
    return [record for record in records if isinstance(record, Result)]


async def settled(store: Redis) -> bool:
    try:
        pending = (await store.xpending(TOPIC, "recognizers"))["pending"]
    except RedisError:  # nobody has made the group yet, or Redis is away
        return False
    return (await store.xlen(TOPIC), pending) == (0, 0)


async def start(store: Redis, session: str, state: str = "live") -> None:
    await store.hset(keys.session(session), mapping={"state": state})


async def test_every_window_gets_its_result_in_order(redis_url: str, store: Redis, session: str) -> None:
    await start(store, session)
    await send(store, *(make_window(session, seq) for seq in range(50)))
    async with serving(redis_url):
        await until(lambda: settled(store))
    answers = await results(store, session)
    assert [result.seq for result in answers] == list(range(50))
    assert {result.top[0][0] for result in answers} == {"up"}
    assert 0 < await store.ttl(keys.results(session)) <= keys.SESSION_TTL_SECONDS


async def test_a_message_that_is_no_window_is_dropped_and_the_next_one_answered(
    redis_url: str, store: Redis, session: str, caplog: pytest.LogCaptureFixture
) -> None:
    await start(store, session)
    packed = make_window(session).pack()
    bad = [b"", b"\xc1", packed[:-20], b"\x00" * 1000, make_window("not an id").pack()]
    await send(store, *bad, make_window(session, start=float("nan")), make_window(session, 7))
    async with serving(redis_url):
        await until(lambda: settled(store))
    assert [result.seq for result in await results(store, session)] == [7]
    assert caplog.text.count(f"A message on {TOPIC} is dropped") == 6


async def test_a_wrong_window_is_answered_with_an_error(redis_url: str, store: Redis, session: str) -> None:
    await start(store, session)
    await send(store, make_window(session, samples=1, rows=1, landmarks=bytes(12)), make_window(session, 1))
    async with serving(redis_url):
        await until(lambda: settled(store))
    first, second = await results(store, session)
    assert "expected 4 x 2" in first.error
    assert second.error == ""


async def test_a_result_does_not_bring_an_ended_session_back(
    redis_url: str, store: Redis, session: str
) -> None:
    sessions = {state: f"{state}-{session}" for state in ("gone", "ended", "failed")}
    for state in ("ended", "failed"):
        await start(store, sessions[state], state)
    await send(store, *(make_window(one) for one in sessions.values()))
    async with serving(redis_url):
        await until(lambda: settled(store))
    assert not await store.exists(*(keys.results(one) for one in sessions.values()))


async def test_the_process_says_what_it_serves_while_it_reads(redis_url: str, store: Redis) -> None:
    async def announced() -> list[bytes]:
        return [key async for key in store.scan_iter(match="stage:recognizers:*")]

    async with serving(redis_url):
        await until(announced)
        (key,) = await announced()
        assert f"-{os.getpid()}-" in key.decode()
        assert json.loads(await store.get(key) or b"") == {"models": ["tiny"]}
        assert 0 < await store.ttl(key) <= keys.STAGE_TTL_SECONDS
    assert await announced() == []


async def test_a_worker_that_cannot_read_ends_with_the_reason(redis_url: str, store: Redis) -> None:
    await store.set(TOPIC, "no stream")
    with pytest.raises(RecognizersStoppedError, match="WRONGTYPE"):
        async with asyncio.timeout(10), serving(redis_url) as task:
            await asyncio.wait((task,))


async def test_a_result_that_cannot_be_written_holds_up_nobody_else(
    redis_url: str, store: Redis, session: str
) -> None:
    other = "o" + session[1:]
    await start(store, session)
    await start(store, other)
    await store.set(keys.results(session), "no stream")
    await send(store, make_window(session), make_window(other))
    async with serving(redis_url):
        await until(lambda: settled(store))
    assert len(await results(store, other)) == 1


async def test_sigterm_finishes_what_is_in_work_and_leaves_the_rest(
    redis_url: str, store: Redis, session: str
) -> None:
    await start(store, session)
    await send(store, *(make_window(session, seq) for seq in range(40)))
    with process(redis_url, 0.1) as worker:
        await until(lambda: store.xlen(keys.results(session)), 20)
        worker.send_signal(signal.SIGTERM)
        told = time.monotonic()
        _, complaints = await asyncio.to_thread(worker.communicate, timeout=10)
        assert time.monotonic() - told < 3
        assert worker.returncode == 0, complaints
    answered = await results(store, session)
    assert 1 <= len(answered) < 40
    assert await store.xlen(TOPIC) == 40 - len(answered), "every answered window is acknowledged, no other"
    async with serving(redis_url):
        await until(lambda: settled(store))
    assert [result.seq for result in await results(store, session)] == list(range(40)), "none twice"


async def test_a_window_that_ends_its_workers_becomes_an_error_and_those_beside_it_do_not(
    redis_url: str, store: Redis, session: str
) -> None:
    await start(store, session)
    await send(
        store, make_window(session, 0, aspect=-1.0), *(make_window(session, seq) for seq in range(1, 6))
    )
    for _ in range(2):
        with process(redis_url, 0) as worker:
            await asyncio.to_thread(worker.communicate, timeout=20)
            assert worker.returncode == -signal.SIGABRT
    with process(redis_url, 0):
        await until(lambda: settled(store), 20)
    first, *others = sorted(await results(store, session), key=lambda result: result.seq)
    assert first.error == "given up: 2 workers have ended over this window"
    assert [(result.seq, result.error) for result in others] == [(seq, "") for seq in range(1, 6)]


async def test_a_window_that_hangs_does_not_keep_the_process_from_ending(
    redis_url: str, store: Redis, session: str
) -> None:
    await start(store, session)
    await send(store, make_window(session))
    with process(redis_url, 60) as worker:
        await until(lambda: _in_work(store), 20)
        worker.send_signal(signal.SIGTERM)
        _, complaints = await asyncio.to_thread(worker.communicate, timeout=4)
        assert worker.returncode == 1
    assert "a window in work did not end within" in complaints
    assert await store.xlen(TOPIC) == 1, "it is not acknowledged"


async def _in_work(store: Redis) -> bool:
    try:
        return bool((await store.xpending(TOPIC, "recognizers"))["pending"])
    except RedisError:  # nobody has made the group yet, or Redis is away
        return False


async def test_the_process_ends_on_sigterm_while_it_waits_for_redis() -> None:
    with process(f"redis://127.0.0.1:{free_port()}/0", 0) as worker:
        assert worker.stderr is not None
        line = await asyncio.to_thread(worker.stderr.readline)
        while "Redis is away" not in line:
            assert line, "it ended by itself"
            line = await asyncio.to_thread(worker.stderr.readline)
        worker.send_signal(signal.SIGTERM)
        _, complaints = await asyncio.to_thread(worker.communicate, timeout=4)
        assert worker.returncode == 0, complaints


async def test_results_wait_for_a_redis_that_restarts(tmp_path: Path, session: str) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    async with Redis.from_url(url) as store:
        with redis_with_a_file(tmp_path, port):
            await answers(url)
            await start(store, session)
            await send(store, *(make_window(session, seq) for seq in range(300)))
            served = serving(url)
            task = await served.__aenter__()
            await until(lambda: store.xlen(keys.results(session)))
        await asyncio.sleep(0.5)
        with redis_with_a_file(tmp_path, port):
            await answers(url)
            await until(lambda: settled(store))
            assert not task.done()
            await served.__aexit__(None, None, None)
            assert {result.seq for result in await results(store, session)} == set(range(300))


async def test_nothing_to_serve_is_refused(redis_url: str) -> None:
    with pytest.raises(ValueError, match="no model to serve"):
        await serve_models(redis_url, {})


async def test_the_shipped_bundle_is_served(redis_url: str, store: Redis, session: str) -> None:
    try:
        bundle = Registry().find("asl-words")
    except BundleError as error:
        pytest.skip(f"no shipped bundle: {error}")
    await start(store, session)
    points = np.full((bundle.samples, len(bundle.rows), 3), np.nan, np.float32)
    window = make_window(
        session, model=bundle.name, samples=bundle.samples, rows=len(bundle.rows), landmarks=points.tobytes()
    )
    stop = asyncio.Event()
    task = asyncio.create_task(serve(redis_url, ModelWatch(["asl-words"]), stop=stop))
    await store.xadd(keys.windows(bundle.name), {"v": window.pack()})
    await until(lambda: store.xlen(keys.results(session)))
    stop.set()
    await task
    (result,) = await results(store, session)
    assert result.error == ""
    assert result.top[0][0] in bundle.background, "nobody is in the picture"


def test_what_is_loaded_is_no_work_for_the_collector_any_more_and_garbage_is_gone() -> None:
    class Node:
        other: "Node"

    first, second = Node(), Node()
    first.other, second.other = second, first
    gone = weakref.ref(first)
    del first, second
    try:
        settle()
        settle()
        assert gone() is None
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
