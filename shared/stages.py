"""What the processes of a stage say of themselves, for whoever asks how many and what they serve."""

import json
from typing import Any

import redis.asyncio

from shared import keys

MANY = 1000
"""Keys looked at in a step of the scan: few round trips, and none that holds Redis up."""


async def announced(store: redis.asyncio.Redis, stage: str) -> list[dict[str, Any]]:
    """Of each process that lives, in no order, its last word: up to 1.5 s old, with `models` at least.

    Raises RedisError.
    """
    names: Any = [key async for key in store.scan_iter(keys.stage(stage, "*"), count=MANY)]
    said: Any = await store.mget(names) if names else []
    return [json.loads(one) for one in said if one is not None]
