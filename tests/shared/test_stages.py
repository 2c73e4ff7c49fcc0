"""What a stage's processes say of themselves."""

import json

from redis.asyncio import Redis

from shared import keys
from shared.stages import announced


async def test_each_process_of_the_stage_is_told_and_no_others(store: Redis) -> None:
    for stage, process in (("keypoints", "one"), ("keypoints", "two"), ("recognizers", "three")):
        await store.set(keys.stage(stage, process), json.dumps({"models": [process]}))
    told = await announced(store, "keypoints")
    assert sorted(one["models"] for one in told) == [["one"], ["two"]]
    assert await announced(store, "nothing") == []
