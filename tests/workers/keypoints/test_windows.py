"""Windows on their way to the recognizers."""

import asyncio

import redis.asyncio

from shared import keys
from shared.faust_redis.producer import MOST_AT_ONCE
from shared.messages import Window
from tests.workers.keypoints.stage import entries
from workers.keypoints.windows import WindowTopics


def window(model: str, seq: int) -> Window:
    return Window("s" * 16, model, seq, 0.0, 1.0, samples=2, rows=1, landmarks=b"\x00" * 24)


async def test_each_model_has_its_topic_and_every_window_its_session_as_key(
    store: redis.asyncio.Redis, redis_url: str
) -> None:
    sent = [window("words", 0), window("letters", 0), window("words", 1)]
    async with WindowTopics(redis_url) as topics:
        for each in sent:
            await topics.send(each)
    for model in ("words", "letters"):
        found = [fields for _, fields in await entries(store, keys.windows(model))]
        assert [fields[b"k"] for fields in found] == [b"s" * 16] * len(found)
        assert [Window.unpack(fields[b"v"]) for fields in found] == [w for w in sent if w.model == model]


async def test_hundreds_of_sessions_of_one_worker_send_at_once(
    store: redis.asyncio.Redis, redis_url: str
) -> None:
    sent = [window("words", seq) for seq in range(300)]
    before = len(await store.client_list())
    async with WindowTopics(redis_url) as topics, asyncio.timeout(20):
        await asyncio.gather(*map(topics.send, sent))
        assert len(await store.client_list()) - before <= MOST_AT_ONCE
    found = [Window.unpack(fields[b"v"]) for _, fields in await entries(store, keys.windows("words"))]
    assert sorted(one.seq for one in found) == list(range(300))
