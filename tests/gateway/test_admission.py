"""Who is let in, who waits, and who is told to come back."""

import json
from typing import Any

import pytest
from redis.asyncio import Redis
from starlette.exceptions import HTTPException

from gateway import admission
from gateway.admission import Limits, Load, decide
from gateway.state import Gateway
from shared import keys, sessions, settings
from shared.claims import Claims
from shared.sessions import Session

FREE = Load(stopping=False, held=0, room=2, waiting=0)
LIMITS = Limits(held=10, waiting=5, may_wait=False)


def load(**changes: Any) -> Load:
    return Load(**{**FREE.__dict__, **changes})


@pytest.mark.parametrize(
    ("now", "limits", "said"),
    [
        (FREE, LIMITS, None),
        (load(stopping=True), LIMITS, "stopping"),
        (load(held=9), LIMITS, None),
        (load(held=10), LIMITS, "holds 10 cameras"),
        (load(room=1), LIMITS, None),
        (load(room=0), LIMITS, "no keypoint worker has room"),
        (load(room=-3, waiting=3), LIMITS, "no keypoint worker has room"),
        (load(room=None), LIMITS, None),
        (load(room=0, waiting=4), Limits(10, 5, may_wait=True), None),
        (load(room=0, waiting=5), Limits(10, 5, may_wait=True), "5 sessions already wait"),
    ],
)
def test_the_decision(now: Load, limits: Limits, said: str | None) -> None:
    refusal = decide("camera", now, limits)
    if said is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert said in refusal.reason
        assert refusal.retry_after > 0


def gateway(store: Redis, cameras: int = 0, **changes: Any) -> Gateway:
    return Gateway(settings.load(**changes), store, {}, cameras=[None] * cameras)


async def announce(store: Redis, capacity: int) -> None:
    state = {"capacity": capacity, "owned": 0, "models": ["asl-words"]}
    await store.set(keys.stage("keypoints", "one"), json.dumps(state))


async def begin(store: Redis, name: str) -> None:
    made = Session(id=f"session-{name:->16}", mode="live", models=("asl-words",), codec="vp8")
    assert await sessions.create(store, made)


async def refused(gateway: Gateway) -> str:
    with pytest.raises(HTTPException) as refusal:
        await admission.admit(gateway)
    assert refusal.value.status_code == 503
    assert int((refusal.value.headers or {})["Retry-After"]) > 0
    return refusal.value.detail


async def test_sessions_that_are_owned_or_wait_take_the_workers_room(store: Redis, redis_url: str) -> None:
    here = gateway(store)
    await admission.admit(here)  # nobody has announced a worker yet
    await announce(store, 2)
    await admission.admit(here)
    async with Claims(redis_url, keys.KEYPOINTS_GROUP, "tester") as claims:
        await begin(store, "a")
        claim = await claims.take(1.0)
        assert claim is not None
        await admission.admit(here)
        await begin(store, "b")
        assert "no keypoint worker has room" in await refused(here)
        await admission.admit(gateway(store, when_full="queue"))
        await admission.admit_file(here)
        await claims.finish(claim)
        await admission.admit(here)


async def test_those_that_wait_know_their_place(store: Redis, redis_url: str) -> None:
    here = gateway(store, queue_length=2)
    for name in "abc":
        await begin(store, name)
    places = [await admission.place_in_line(store, f"session-{name:->16}", 9) for name in "abc"]
    assert places == [1, 2, 3]
    assert "2 sessions already wait" in await refused(here)
    async with Claims(redis_url, keys.KEYPOINTS_GROUP, "tester") as claims:
        await claims.take(1.0)
        places = [await admission.place_in_line(store, f"session-{name:->16}", 9) for name in "abc"]
        assert places == [None, 1, 2]


async def test_a_gateway_that_is_full_or_stops_says_so(store: Redis) -> None:
    assert "holds 3 cameras" in await refused(gateway(store, cameras=3, cameras_per_gateway=3))
    stopping = gateway(store)
    stopping.draining.set()
    assert "stopping" in await refused(stopping)
