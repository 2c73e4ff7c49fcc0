"""Several workers, and what happens when one of them, or Redis, goes away."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.faust_redis import deliveries
from shared.faust_redis.group import START, Delivery, Group
from shared.faust_redis.pending import GivenBack
from tests.conftest import ROOT, free_port, redis_server_binary
from tests.shared.faust_redis.conftest import IDLE_SECONDS, make_app, running, until
from tests.shared.faust_redis.test_delivery import TOPIC, empty, fill, taker


@contextmanager
def worker(url: str, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own."""
    command = [sys.executable, "-m", "tests.shared.faust_redis.worker", url, str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def test_a_killed_workers_messages_go_to_the_others_and_none_is_lost(
    redis_url: str, store: Redis
) -> None:
    got: list[tuple[bytes, int]] = []
    app = make_app(redis_url, batch=4)

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def take(stream: Any) -> None:
        async for events in stream.take_events(4, within=0.01):
            got.extend((event.value, deliveries(event.message)) for event in events)

    await fill(store, 6)
    with worker(redis_url, 30.0) as process:
        await until(lambda: store.llen("begun"), 20)
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        process.wait(10)
    async with running(app) as consumer:
        await until(lambda: empty(store))
        took = time.monotonic() - killed
        assert consumer.counts.reclaimed == 6
    assert sorted(got) == [(b"%d" % number, 2) for number in range(6)]
    assert took < IDLE_SECONDS + 2.5, "the app's start is a second of it"


async def test_a_slow_but_healthy_worker_keeps_its_messages(redis_url: str, store: Redis) -> None:
    idle, got = make_app(redis_url, batch=4), list[bytes]()
    taker(idle, got)
    await fill(store, 8)  # as many as it may hold
    with worker(redis_url, 2.5 * IDLE_SECONDS):
        await until(lambda: store.llen("begun"), 20)
        async with running(idle) as consumer:
            await until(lambda: store.llen("done"), 10)
            await fill(store, 1, start=9)
            await until(lambda: got == [b"9"], 5)
            assert consumer.counts.reclaimed == 0
            await until(lambda: _pending_are(store, 8))


async def _pending_are(store: Redis, count: int) -> bool:
    return bool((await store.xpending(TOPIC, "readers"))["pending"] == count)


async def test_a_message_that_went_to_another_worker_is_left_to_it(redis_url: str, store: Redis) -> None:
    app, entered, go = make_app(redis_url), asyncio.Event(), asyncio.Event()

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def slow(stream: Any) -> None:
        async for _ in stream:
            entered.set()
            await go.wait()

    (entry,) = [await store.xadd(TOPIC, {"v": b"0"})]
    async with running(app) as consumer:
        await entered.wait()
        await store.xclaim(TOPIC, "readers", "thief", 0, [entry])
        go.set()
        await until(lambda: consumer.counts.lost == 1)
        (pending,) = await store.xpending_range(TOPIC, "readers", "-", "+", 10)
        assert pending["consumer"] == b"thief"
        assert await store.xlen(TOPIC) == 1, "neither acknowledged nor deleted"


async def test_the_group_is_made_again_when_the_stream_was_deleted(redis_url: str, store: Redis) -> None:
    app, got = make_app(redis_url), list[bytes]()
    taker(app, got)
    async with running(app) as consumer:
        await store.xadd(TOPIC, {"v": b"before"})
        await until(lambda: got == [b"before"])
        for number in range(3):
            await store.delete(TOPIC)
            await asyncio.sleep(0.1 * number)
            await store.xadd(TOPIC, {"v": b"%d" % number})
            await until(lambda number=number: got[-1] == b"%d" % number)  # type: ignore[misc]
        await until(lambda: empty(store))
        assert consumer.counts.gone == 0
        assert not app.crashed


async def test_a_pending_message_without_an_entry_is_acknowledged(redis_url: str, store: Redis) -> None:
    app, got = make_app(redis_url), list[bytes]()
    taker(app, got)
    await store.xgroup_create(TOPIC, "readers", id="0", mkstream=True)
    await fill(store, 3)
    dead = await Group(store, "readers", "dead").read([TOPIC], 3, 10)
    await store.xdel(TOPIC, dead[TOPIC][1].id)
    async with running(app) as consumer:
        await until(lambda: empty(store))
        assert consumer.counts.gone == 1
    assert got == [b"0", b"2"]


async def test_a_worker_that_cannot_read_crashes_its_app_instead_of_going_deaf(
    redis_url: str, store: Redis
) -> None:
    app = make_app(redis_url)
    taker(app, [])
    async with running(app):
        await store.set(TOPIC, "a string now")
        assert await asyncio.wait_for(app.wait_for_stopped(asyncio.Event()), 5)
        assert "WRONGTYPE" in str(app.crash_reason)
        await store.delete(TOPIC)


@contextmanager
def redis_with_a_file(folder: Path, port: int) -> Iterator[None]:
    """A Redis that keeps what it has over a restart."""
    command = [redis_server_binary(), "--port", str(port), "--bind", "127.0.0.1", "--appendonly", "yes"]
    process = subprocess.Popen([*command, "--dir", str(folder), "--save", ""], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


async def test_everything_goes_on_after_redis_was_restarted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    app, got = make_app(url), list[bytes]()
    taker(app, got, size=4)
    topic = app.topic(TOPIC, value_type=bytes)
    with redis_with_a_file(tmp_path, port):
        await _answers(url)
        await app.start()
        for number in range(100):
            await topic.send(value=b"%d" % number)
    sending = asyncio.create_task(topic.send(value=b"100"))
    await asyncio.sleep(0.3)
    assert not sending.done(), "a sender waits for Redis"
    assert not app.consumer.reading.is_set()
    with redis_with_a_file(tmp_path, port):
        await sending
        async with Redis.from_url(url) as store:
            await until(lambda: empty(store))
        assert not app.crashed
        await app.stop()
    assert {int(value) for value in got} == set(range(101)), "none lost; some may come twice"
    assert caplog.text.count("Redis is away") <= 3, "said once, not at every try"
    assert "Redis is back" in caplog.text


async def _answers(url: str) -> None:
    async with Redis.from_url(url) as store:

        async def ping() -> bool:
            try:
                return bool(await store.ping())
            except (OSError, ConnectionError):
                return False
            except Exception as error:  # redis-py's own ConnectionError
                return "onnect" not in repr(error)

        await until(ping)


async def test_a_worker_may_start_before_its_redis(tmp_path: Path) -> None:
    port = free_port()
    app, got = make_app(f"redis://127.0.0.1:{port}/0"), list[bytes]()
    taker(app, got)
    starting = asyncio.create_task(app.start())
    await asyncio.sleep(0.2)
    with redis_with_a_file(tmp_path, port):
        await starting
        await app.topic(TOPIC, value_type=bytes).send(value=b"early")
        await until(lambda: got == [b"early"])
        await app.stop()


# -- the group's own steps ---------------------------------------------------------------------------------


async def group_with(store: Redis, entries: int, worker: str = "me") -> tuple[Group, list[bytes]]:
    """A group in which `worker` holds that many messages."""
    group = Group(store, "readers", worker)
    await group.create(TOPIC)
    await fill(store, entries)
    read = await group.read([TOPIC], entries, 10)
    return group, [delivery.id for delivery in read[TOPIC]]


async def test_reclaiming_follows_the_cursor_past_fresh_messages(store: Redis) -> None:
    owner, ids = await group_with(store, 40)
    await owner.release(TOPIC, [GivenBack(ids[35], 1)], idle_ms=60_000)
    other = Group(store, "readers", "other")
    found: list[Delivery] = []
    cursor, steps = START, 0
    while not found:
        step = await other.reclaim(TOPIC, 30_000, cursor, 1)
        found, cursor, steps = step.deliveries, step.cursor, steps + 1
        assert steps < 10
    assert steps > 1, "one step looks at ten times its count only"
    assert [(delivery.id, delivery.deliveries) for delivery in found] == [(ids[35], 2)]


async def test_renewing_tells_what_was_lost_and_takes_nothing_from_others(store: Redis) -> None:
    me, ids = await group_with(store, 3)
    await store.xclaim(TOPIC, "readers", "other", 0, [ids[1]])
    assert await me.renew(TOPIC, ids) == [ids[1]]
    assert await me.settle(TOPIC, ids) == [ids[1]]
    (left,) = await store.xpending_range(TOPIC, "readers", "-", "+", 10)
    assert (left["message_id"], left["consumer"]) == (ids[1], b"other")
    assert [entry for entry, _ in await store.xrange(TOPIC) or ()] == [ids[1]]


async def test_renewing_does_not_count_as_a_delivery(store: Redis) -> None:
    me, ids = await group_with(store, 1)
    for _ in range(5):
        await me.renew(TOPIC, ids)
    (pending,) = await store.xpending_range(TOPIC, "readers", "-", "+", 10)
    assert pending["times_delivered"] == 1


async def test_more_messages_than_one_script_takes_are_settled(store: Redis) -> None:
    me, ids = await group_with(store, 1234)
    assert await me.settle(TOPIC, ids) == []
    assert await empty(store)


async def test_a_worker_leaves_only_with_nothing_pending(store: Redis) -> None:
    me, ids = await group_with(store, 1)
    assert not await me.leave(TOPIC)
    assert await me.silent_workers(TOPIC, 0) == []
    await me.settle(TOPIC, ids)
    assert await me.silent_workers(TOPIC, 0) == ["me"]
    assert await Group(store, "readers", "other").leave(TOPIC, "me")
    assert await store.xinfo_consumers(TOPIC, "readers") == []


async def test_two_workers_of_one_process_have_names_of_their_own(redis_url: str) -> None:
    first, second = make_app(redis_url), make_app(redis_url)
    names = {
        app.transport.create_consumer(callback=print, **_callbacks()).group.worker for app in (first, second)
    }
    assert len(names) == 2
    assert all(f"-{os.getpid()}-" in name for name in names)


def _callbacks() -> dict[str, Any]:
    return {"on_partitions_revoked": print, "on_partitions_assigned": print}
