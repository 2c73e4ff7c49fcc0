"""What one worker does with its messages, on a real Redis."""

import asyncio
import gc
import time
from typing import Any

import pytest
from faust.exceptions import ImproperlyConfigured
from faust.types import TP
from redis.asyncio import Redis

from shared.faust_redis import deliveries
from tests.shared.faust_redis.conftest import make_app, running, until

TOPIC = "windows.test"


async def empty(store: Redis, group: str = "readers") -> bool:
    """Nothing left in the stream and nothing pending."""
    return await store.xlen(TOPIC) == 0 and (await store.xpending(TOPIC, group))["pending"] == 0


async def waited_for(store: Redis) -> bool:
    """A worker waits in Redis for messages."""
    return any("b" in client["flags"] for client in await store.client_list())


async def fill(store: Redis, count: int, start: int = 0) -> None:
    pipe = store.pipeline(transaction=False)
    for number in range(start, start + count):
        pipe.xadd(TOPIC, {"v": b"%d" % number})
    await pipe.execute()


def taker(app: Any, got: list[bytes], size: int = 16) -> None:
    """An agent that takes batches and notes what it got."""

    @app.agent(app.topic(TOPIC, key_type=bytes, value_type=bytes))
    async def take(stream: Any) -> None:
        async for values in stream.take(size, within=0.01):
            got.extend(values)


async def test_every_message_arrives_once_and_leaves_nothing_behind(redis_url: str, store: Redis) -> None:
    app, got = make_app(redis_url), list[bytes]()
    taker(app, got)
    await fill(store, 1000)
    async with running(app) as consumer:
        await fill(store, 1000, start=1000)
        await until(lambda: empty(store))
        assert consumer.counts.settled == 2000
    assert got == [b"%d" % number for number in range(2000)]
    assert await store.xinfo_consumers(TOPIC, "readers") == [], "the worker has left the group"
    gc.collect()  # an unclosed connection would warn now


async def test_key_value_headers_and_time_arrive_as_they_were_sent(redis_url: str) -> None:
    app, got = make_app(redis_url), list[Any]()
    topic = app.topic(TOPIC, key_type=bytes, value_type=bytes)

    @app.agent(topic)
    async def read(stream: Any) -> None:
        async for event in stream.events():
            got.append((event.key, event.value, dict(event.headers), deliveries(event.message)))

    async with running(app):
        await topic.send(key=b"\x00k", value=b"\xffv", headers={"trace": b"\x80"})
        await topic.send(key=None, value=b"")
        await until(lambda: len(got) == 2)
    assert got == [
        (b"\x00k", b"\xffv", {"trace": b"\x80", "deliveries": b"1"}, 1),
        (None, b"", {"deliveries": b"1"}, 1),
    ]


async def test_an_app_may_send_without_reading(redis_url: str, store: Redis) -> None:
    app = make_app(redis_url, "sender")
    await app.start_client()
    try:
        sent = await app.topic(TOPIC, value_type=bytes).send(key=b"k", value=b"v")
        assert (await sent).topic == TOPIC
    finally:
        await app.stop()
    assert [fields for _, fields in await store.xrange(TOPIC) or ()] == [{b"k": b"k", b"v": b"v"}]
    gc.collect()


async def test_a_message_that_was_waited_for_is_in_redis_and_knows_when_it_was_sent(
    redis_url: str, store: Redis
) -> None:
    app = make_app(redis_url, app_id="senders")
    async with app.producer as producer:
        before = time.time()
        sent = await producer.send_and_wait(TOPIC, b"key", b"value", None, None, None)
        assert await store.xlen(TOPIC) == 1
        assert sent.topic_partition == producer.key_partition(TOPIC, b"key") == TP(TOPIC, 0)
        assert before - 1 < sent.timestamp < time.time() + 1


async def test_faust_is_told_of_one_partition_without_offsets_to_go_back_to(redis_url: str) -> None:
    app = make_app(redis_url)
    taker(app, [])
    partition = TP(TOPIC, 0)
    async with running(app) as consumer:
        await until(lambda: consumer.assignment() == {partition}, 10)
        assert (consumer.topic_partitions(TOPIC), consumer.key_partition(TOPIC, b"key")) == (1, 0)
        assert await consumer.highwaters(partition) == {partition: consumer.highwater(partition)}
        assert await consumer.earliest_offsets(partition) == {partition: await consumer.position(partition)}
        assert await consumer.seek_to_committed() == {}


async def test_a_message_is_settled_while_the_one_before_it_is_still_in_work(
    redis_url: str, store: Redis
) -> None:
    app, got = make_app(redis_url), list[Any]()

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def read(stream: Any) -> None:
        async for events in stream.noack_take(2, within=0.01):
            got.extend(events)

    await fill(store, 2)
    async with running(app):
        await until(lambda: len(got) == 2)
        got[1].ack()
        await until(lambda: _length_is(store, 1))
        assert [fields for _, fields in await store.xrange(TOPIC) or ()] == [{b"v": b"0"}]
        got[0].ack()
        await until(lambda: empty(store))


async def _length_is(store: Redis, length: int) -> bool:
    return bool(await store.xlen(TOPIC) == length)


async def test_at_most_two_batches_are_held_unacknowledged(redis_url: str, store: Redis) -> None:
    app, got, go = make_app(redis_url, batch=4), list[bytes](), asyncio.Event()

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def read(stream: Any) -> None:
        async for value in stream:
            await go.wait()
            got.append(value)

    await fill(store, 50)
    async with running(app) as consumer:
        await until(lambda: consumer.counts.read == 8)
        await asyncio.sleep(0.3)  # it must stay there, also over renewals
        assert (await store.xpending(TOPIC, "readers"))["pending"] == 8
        go.set()
        await until(lambda: len(got) == 50)


async def test_a_full_topic_does_not_hold_up_another(redis_url: str, store: Redis) -> None:
    app, got, go = make_app(redis_url, batch=4), list[bytes](), asyncio.Event()

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def stuck(stream: Any) -> None:
        async for _ in stream:
            await go.wait()

    @app.agent(app.topic("windows.other", value_type=bytes))
    async def free(stream: Any) -> None:
        async for value in stream:
            got.append(value)

    await fill(store, 50)
    async with running(app) as consumer:
        await until(lambda: consumer.counts.read == 8)
        for number in range(20):
            await store.xadd("windows.other", {"v": b"%d" % number})
        await until(lambda: len(got) == 20, seconds=2)
        go.set()
        await until(lambda: empty(store))


@pytest.mark.parametrize("how", ["take", "stream"])
async def test_a_body_that_raises_acknowledges_nothing(redis_url: str, store: Redis, how: str) -> None:
    app, tries, done = make_app(redis_url), list[tuple[bytes, int]](), list[bytes]()

    def work(events: list[Any]) -> None:
        tries.extend((event.value, deliveries(event.message)) for event in events)
        if any(event.value == b"7" and deliveries(event.message) < 2 for event in events):
            raise ValueError("a body that raises")
        done.extend(event.value for event in events)

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def agent(stream: Any) -> None:
        if how == "take":
            async for events in stream.take_events(4, within=0.01):
                work(events)
        else:
            async for event in stream.events():
                work([event])

    await fill(store, 20)
    async with running(app) as consumer:
        await until(lambda: empty(store), 12)  # Faust may take five seconds to restart an agent
        assert consumer.counts.given_back >= 1
    assert sorted(done, key=int) == [b"%d" % number for number in range(20)], (
        "none lost, none acknowledged twice"
    )
    assert [count for value, count in tries if value == b"7"] == [1, 2]


async def test_stopping_finishes_what_is_in_work_and_hands_on_the_rest_at_once(
    redis_url: str, store: Redis
) -> None:
    first, second = make_app(redis_url, idle_seconds=30), make_app(redis_url, idle_seconds=30)
    got, entered, go = list[Any](), asyncio.Event(), asyncio.Event()

    @first.agent(first.topic(TOPIC, value_type=bytes))
    async def slow(stream: Any) -> None:
        async for values in stream.take(4, within=0.01):
            entered.set()
            await go.wait()
            got.extend(values)

    rest: list[tuple[bytes, int]] = []

    @second.agent(second.topic(TOPIC, value_type=bytes))
    async def other(stream: Any) -> None:
        async for event in stream.events():
            rest.append((event.value, deliveries(event.message)))

    await fill(store, 20)
    async with running(first):
        await entered.wait()
        asyncio.get_running_loop().call_later(0.2, go.set)
    assert got
    assert (await store.xpending(TOPIC, "readers"))["pending"] == 20 - len(got)
    async with running(second):
        await until(lambda: empty(store), 5)
    assert sorted(got + [value for value, _ in rest], key=int) == [b"%d" % number for number in range(20)]
    assert {count for _, count in rest} == {1}, "messages nobody worked on do not count as delivered"


async def test_a_topic_may_be_added_and_left_while_messages_are_in_work(redis_url: str, store: Redis) -> None:
    app, got = make_app(redis_url), list[bytes]()
    taker(app, got, size=4)
    await fill(store, 30)
    async with running(app) as consumer:
        await consumer.subscribe({TOPIC, "windows.later"})
        await fill(store, 30, start=30)
        await until(lambda: empty(store))
        assert await store.exists("windows.later")
        await consumer.subscribe({TOPIC})
        await fill(store, 30, start=60)
        await until(lambda: empty(store))
    assert {int(value) for value in got} == set(range(90))


async def test_a_topic_left_while_redis_is_being_asked_ends_no_worker(redis_url: str, store: Redis) -> None:
    app, got = make_app(redis_url), list[bytes]()

    @app.agent(app.topic(TOPIC, "windows.later", value_type=bytes))
    async def read(stream: Any) -> None:
        async for value in stream:
            got.append(value)

    async with running(app) as consumer:
        await until(lambda: waited_for(store))
        leaving = asyncio.create_task(consumer.subscribe({TOPIC}))
        await asyncio.sleep(0)
        await store.xadd("windows.later", {"v": b"for another worker"})
        await leaving
        await fill(store, 3)
        await until(lambda: len(got) == 3)
        await until(lambda: empty(store))
    assert await store.xlen("windows.later") == 1


async def test_a_loop_that_is_left_has_not_finished_its_batch(redis_url: str, store: Redis) -> None:
    app, got, left = make_app(redis_url), list[tuple[bytes, int]](), asyncio.Event()

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def agent(stream: Any) -> None:
        async for events in stream.take_events(4, within=0.01):
            got.extend((event.value, deliveries(event.message)) for event in events)
            if not left.is_set():
                break
        left.set()
        async for events in stream.take_events(4, within=0.01):
            got.extend((event.value, deliveries(event.message)) for event in events)

    await fill(store, 10)
    async with running(app):
        await until(lambda: empty(store))
    assert {value for value, _ in got} == {b"%d" % number for number in range(10)}
    assert [count for value, count in got if value == b"0"] == [1, 2]


async def test_a_value_that_cannot_be_decoded_does_not_stop_the_worker(redis_url: str, store: Redis) -> None:
    app, got = make_app(redis_url), list[Any]()

    @app.agent(app.topic(TOPIC, value_serializer="json"))
    async def read(stream: Any) -> None:
        async for value in stream:
            got.append(value)

    await store.xadd(TOPIC, {"v": b"{not json"})
    await store.xadd(TOPIC, {"unknown": b"field"})
    await store.xadd(TOPIC, {"v": b'{"n": 1}', "h": b"broken"})
    async with running(app):
        await until(lambda: {"n": 1} in got)
        await until(lambda: empty(store))


async def test_a_topic_past_its_bound_is_trimmed_and_says_so(
    redis_url: str, store: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(redis_url, "sender", maxlen=100)
    await app.start_client()
    topic = app.topic(TOPIC, value_type=bytes)
    try:
        await fill(store, 500)
        await topic.send(value=b"one more")
        assert app.producer.overflows == 1
    finally:
        await app.stop()
    assert "its bound is 100: the oldest are dropped unread" in caplog.text
    assert await store.xlen(TOPIC) <= 200, "Redis trims whole nodes of 100 entries"


async def test_a_second_app_on_a_topic_is_warned_about(
    redis_url: str, store: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await store.xgroup_create(TOPIC, "elsewhere", mkstream=True)
    app = make_app(redis_url)
    taker(app, [])
    async with running(app):
        pass
    assert f"Topic {TOPIC} is also read by elsewhere" in caplog.text


async def test_tables_are_refused(redis_url: str) -> None:
    app = make_app(redis_url)
    app.Table("totals", default=int)
    taker(app, [])
    with pytest.raises(ImproperlyConfigured, match="no changelog topics, tables cannot be restored: totals"):
        await app.start()
    await app.stop()


async def test_transactions_are_refused(redis_url: str) -> None:
    app = make_app(redis_url)
    app.conf.stream_publish_on_commit = True
    taker(app, [])
    with pytest.raises(ImproperlyConfigured, match="delivers at least once"):
        await app.start()
    await app.stop()


async def test_a_slow_agent_keeps_the_queue_at_its_bound_and_the_rest_in_redis(
    redis_url: str, store: Redis
) -> None:
    app, got, go_on = make_app(redis_url, batch=16), list[bytes](), asyncio.Event()
    app.conf.stream_buffer_maxsize = 4
    queues: list[Any] = []

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def read(stream: Any) -> None:
        queues.append(stream.channel.queue)
        async for value in stream:
            got.append(value)
            await go_on.wait()

    await fill(store, 100)
    async with running(app) as consumer:
        await until(lambda: len(got) == 1 and queues[0].full())
        await until(lambda: consumer.counts.renewed)
        assert queues[0].qsize() == 4
        assert consumer.counts.read <= 32, "two batches at most are held"
        go_on.set()
        await until(lambda: empty(store))
    assert got == [b"%d" % number for number in range(100)]


async def test_a_topic_of_large_messages_is_bound_by_their_size(redis_url: str, store: Redis) -> None:
    app = make_app(redis_url, "sender", maxlen=10_000, maxbytes=1_000_000)
    async with app.producer:
        for _ in range(60):
            await app.producer.send("clips", None, bytes(50_000), None, None, None)
            await app.producer.send("landmarks", None, bytes(500), None, None, None)
        assert await store.xlen("clips") <= 21
        assert await store.xlen("landmarks") == 60
        # One large message among small ones takes none of them along.
        await app.producer.send("landmarks", None, bytes(200_000), None, None, None)
        assert await store.xlen("landmarks") == 61
