"""Windows on their way to the recognizers."""

import redis.asyncio

from shared import keys
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
