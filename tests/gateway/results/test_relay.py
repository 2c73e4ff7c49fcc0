"""Many listeners, one reader; and none of them can slow another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.results import log, relay
from gateway.results.relay import Listener, Relays, Told
from shared import connection, keys, sessions
from shared.sessions import Session

ID = "session-of-the-test"


@pytest.fixture
async def session(store: Redis) -> Session:
    made = Session(id=ID, mode="live", models=("asl-words",), codec="vp8")
    assert await sessions.create(store, made)
    return made


async def tell(store: Redis, *seqs: int, **fields: Any) -> None:
    async with store.pipeline(transaction=False) as pipe:
        for seq in seqs:
            event = {"seq": seq, "session": ID, "type": "dropped", **fields}
            pipe.xadd(keys.glosses(ID), {"e": msgpack.packb(event)}, id=f"{seq}-0")
        await pipe.execute()


async def seqs(told: AsyncIterator[Told], count: int) -> list[int]:
    async with asyncio.timeout(10):
        return [(await anext(told)).seq for _ in range(count)]


async def blocked_readers(store: Redis) -> int:
    return int((await store.info("clients"))["blocked_clients"])


async def until_reading(store: Redis) -> None:
    async with asyncio.timeout(20):
        while not await blocked_readers(store):
            await asyncio.sleep(0.01)


async def test_two_hundred_listeners_cost_one_read(store: Redis, session: Session) -> None:
    relays = Relays()
    await tell(store, 1)
    async with contextlib.AsyncExitStack() as stack:
        listeners = [
            await stack.enter_async_context(contextlib.aclosing(relays.events(store, ID, 0)))
            for _ in range(200)
        ]
        assert await asyncio.gather(*(seqs(listener, 1) for listener in listeners)) == [[1]] * 200
        await until_reading(store)
        assert await blocked_readers(store) == 1
        await store.config_resetstat()
        await tell(store, 2)
        assert await asyncio.gather(*(seqs(listener, 1) for listener in listeners)) == [[2]] * 200
        reads: Any = await store.info("commandstats")
        assert sum(reads.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("xread", "xrange")) <= 2
        assert len(relays) == 1
    assert len(relays) == 0


async def test_each_listener_begins_where_it_asked(store: Redis, session: Session) -> None:
    relays = Relays()
    await tell(store, *range(1, 11))
    newest, from_the_start = relays.events(store, ID, 9), relays.events(store, ID, 0)
    assert await seqs(newest, 1) == [10]
    assert await seqs(from_the_start, 10) == list(range(1, 11))
    await tell(store, 11)
    assert await seqs(newest, 1) == await seqs(from_the_start, 1) == [11]
    await newest.aclose()
    await from_the_start.aclose()


async def test_a_listener_that_falls_behind_misses_nothing_and_holds_little(
    store: Redis, session: Session
) -> None:
    relays = Relays()
    slow, quick = relays.events(store, ID, 0), relays.events(store, ID, 0)
    await tell(store, 1)
    assert await seqs(slow, 1) == await seqs(quick, 1) == [1]
    count = 5 * relay.QUEUE_EVENTS
    told = asyncio.create_task(seqs(quick, count - 1))
    await tell(store, *range(2, count + 1))
    assert await told == list(range(2, count + 1))
    (shared,) = relays._relays.values()
    assert max(len(listener._queue) for listener in shared._listeners) <= relay.QUEUE_EVENTS
    assert await seqs(slow, count - 1) == list(range(2, count + 1))
    await slow.aclose()
    await quick.aclose()


async def test_a_listener_that_falls_behind_what_is_kept_is_told(store: Redis, session: Session) -> None:
    relays = Relays()
    slow = relays.events(store, ID, 0)
    await tell(store, 1)
    assert await seqs(slow, 1) == [1]
    last = 2 * relay.QUEUE_EVENTS
    async with contextlib.aclosing(relays.events(store, ID, 1)) as quick:
        told = asyncio.create_task(seqs(quick, last - 1))
        await tell(store, *range(2, last + 1))
        await told
        await store.xtrim(keys.glosses(ID), minid=f"{last}-0", approximate=False)
        with pytest.raises(log.CannotReplayError, match=f"events 2 to {last - 1} are no longer kept"):
            await seqs(slow, last)


async def test_all_hear_the_end(store: Redis, session: Session) -> None:
    relays = Relays()

    async def all_of(after: int) -> list[int]:
        return [told.seq async for told in relays.events(store, ID, after)]

    hearing = [asyncio.create_task(all_of(after)) for after in (0, 0, 1)]
    await tell(store, 1, 2)
    await until_reading(store)
    await tell(store, 3, type="session", state="ended")
    async with asyncio.timeout(20):
        assert await asyncio.gather(*hearing) == [[1, 2, 3], [1, 2, 3], [2, 3]]
        assert await all_of(1) == [2, 3]
    assert len(relays) == 0


async def test_a_fault_of_the_store_reaches_every_listener(redis_url: str, session: Session) -> None:
    relays, store = Relays(), connection.connect(redis_url)
    listeners = [relays.events(store, ID, 0) for _ in range(3)]
    waiting = [asyncio.create_task(seqs(listener, 1)) for listener in listeners]
    other = connection.connect(redis_url)
    await until_reading(other)
    while not all(task.done() for task in waiting):  # a killed connection is tried once more
        await other.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0.01)
    for task in waiting:
        assert isinstance(task.exception(), RedisError)
    assert len(relays) == 0
    await store.aclose()
    await other.aclose()


async def test_one_subscription_serves_every_overlay(store: Redis, session: Session) -> None:
    relays = Relays()
    await store.xadd(keys.frames(ID), {"data": b"x"})
    overlays = [relays.landmarks(store, ID) for _ in range(5)]
    waiting = [asyncio.ensure_future(anext(overlay)) for overlay in overlays]
    async with asyncio.timeout(20):
        while (heard := await store.publish(keys.landmarks(ID), b"points")) == 0:
            await asyncio.sleep(0.01)
        assert heard == 1
        assert await asyncio.gather(*waiting) == [b"points"] * 5
    for overlay in overlays:
        await overlay.aclose()
    assert len(relays) == 0


async def test_an_overlay_waits_for_a_camera_that_is_still_to_come_and_ends_with_the_session(
    store: Redis, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LOOK_SECONDS", 0.02)
    async with asyncio.timeout(5), contextlib.aclosing(Relays().landmarks(store, ID)) as overlay:
        waiting = asyncio.ensure_future(anext(overlay))
        while await store.pubsub_numsub(keys.landmarks(ID)) != [(keys.landmarks(ID).encode(), 1)]:
            await asyncio.sleep(0.01)
        await asyncio.wait({waiting}, timeout=0.1)  # several looks, without a frame
        assert not waiting.done()
        await store.publish(keys.landmarks(ID), b"points")
        assert await waiting == b"points"
        await store.hset(keys.session(ID), "state", sessions.ENDED)
        with pytest.raises(StopAsyncIteration):
            await anext(overlay)


async def test_a_full_queue_keeps_the_newest_and_says_so() -> None:
    listener: Listener[int] = Listener(2)
    for item in range(3):
        listener.put(item)
    assert listener.behind
    assert [await listener.get(), await listener.get()] == [1, 2]
    listener.end(None)
    assert await listener.get() is None


def test_an_event_is_spelt_once_for_all() -> None:
    told = Told({"seq": 1, "type": "gloss", "gloss": "ñ"})
    assert told.text is told.text
    assert "ñ" in told.text
    assert msgpack.unpackb(told.packed) == told.event
