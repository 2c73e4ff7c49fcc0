"""Which session a worker that has had too much for seconds hands to one that has room."""

from collections.abc import Iterable
from typing import Any, cast

import redis.asyncio

from shared import keys
from shared.claims import Claim
from shared.landmarks.message import CODEC
from shared.stages import announced

LEAST_ROOM = 2
"""Sessions that the other worker must have room for: with one, both would hand it to and fro."""


async def to_hand_over(store: redis.asyncio.Redis, myself: str, owned: Iterable[Claim]) -> Claim | None:
    """The first of `owned` that is a camera's and that another worker has room and models for; else None.

    `myself` is this worker's name. A file steps aside for cameras, and a publisher's landmarks cost next to
    nothing: neither would be a relief. Raises RedisError.
    """
    served = [set(one.get("models", ())) for one in await _others(store, myself) if _room(one) >= LEAST_ROOM]
    if not served:
        return None
    for claim in owned:
        answer = await store.hmget(keys.session(claim.session), ["mode", "codec", "models"])
        mode, codec, models = (value.decode() if value else "" for value in cast(list[bytes | None], answer))
        if mode == "live" and codec != CODEC and any(set(models.split(",")) <= there for there in served):
            return claim
    return None


async def _others(store: redis.asyncio.Redis, myself: str) -> list[dict[str, Any]]:
    """What the other keypoint workers say of themselves; up to a second and a half old."""
    return [state for state in await announced(store, "keypoints") if state.get("process") != myself]


def _room(state: dict[str, Any]) -> int:
    return int(state.get("capacity", 0)) - int(state.get("owned", 0))
