"""What a gateway tells Prometheus: of the whole house from Redis, and of itself."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.figures import capacity, look_at_fleet
from shared import keys, sessions, settings
from shared.sessions import Session
from tests.conftest import free_port
from tests.gateway.serving import serving

Figures = dict[tuple[str, ...], float]


async def told(http: aiohttp.ClientSession, url: str = "") -> Figures:
    """Every sample by its name and labels."""
    async with http.get(f"{url}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


async def announce(store: Redis, stage: str, name: str, **said: Any) -> None:
    await store.set(keys.stage(stage, name), json.dumps({"models": ["asl-words"]} | said))


async def test_figures_to_scale_by_are_there_with_and_without_workers(redis_url: str, store: Redis) -> None:
    port = free_port()
    app = create_app(settings.load(redis_url=redis_url, metrics_port=port, sessions_per_worker=3))
    own = f"http://127.0.0.1:{port}"
    async with serving(app) as url, aiohttp.ClientSession(url) as http:
        gateway = app.state.gateway
        await look_at_fleet(gateway)
        before = await told(http)
        assert before["signstream_keypoint_capacity",] == 3
        assert before["signstream_keypoint_workers",] == 0
        assert before["signstream_windows_pending", "asl-words"] == 0
        for number in range(5):
            waits = Session(id=f"session-number-{number}", mode="live", models=("asl-words",), codec="vp8")
            assert await sessions.create(store, waits)
        await store.xgroup_create(keys.SESSIONS, keys.KEYPOINTS_GROUP, id="0")
        await store.xreadgroup(keys.KEYPOINTS_GROUP, "one", {keys.SESSIONS: ">"}, count=2)
        await announce(store, "keypoints", "one", capacity=4)
        await announce(store, "keypoints", "two", capacity=6)
        await announce(store, "recognizers", "three")
        sent = int((time.time() - 30) * 1000)
        for number in range(3):
            await store.xadd(keys.windows("asl-words"), {"v": b"w"}, id=f"{sent + number}-0")
        await store.xgroup_create(keys.windows("asl-words"), keys.RECOGNIZERS_GROUP, id="0")
        await store.xreadgroup(keys.RECOGNIZERS_GROUP, "r", {keys.windows("asl-words"): ">"}, count=1)
        await look_at_fleet(gateway)
        # Both places tell the same.
        for figures in (await told(http), await told(http, own)):
            assert figures["signstream_keypoint_sessions_claimed",] == 2
            assert figures["signstream_keypoint_sessions_queued",] == 3
            assert figures["signstream_keypoint_capacity",] == 5
            assert figures["signstream_keypoint_workers",] == 2
            assert figures["signstream_recognizers",] == 1
            assert figures["signstream_windows_pending", "asl-words"] == 3
            assert figures["signstream_windows_in_work", "asl-words"] == 1
            assert 30 <= figures["signstream_windows_oldest_seconds", "asl-words"] < 60
            assert figures["signstream_redis_memory_bytes",] > 100_000
            assert figures["signstream_gateway_sessions", "camera"] == 0


async def test_a_model_that_one_stage_lacks_is_named(redis_url: str, store: Redis) -> None:
    app = create_app(settings.load(redis_url=redis_url, models="asl-words,asl-sentences"))
    async with serving(app) as url, aiohttp.ClientSession(url) as http:
        await announce(store, "recognizers", "all", models=["asl-words", "asl-sentences"])
        await announce(store, "keypoints", "one")
        async with http.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["missing"] == ["keypoints for the model asl-sentences"]
        await announce(store, "keypoints", "two", models=["asl-sentences"])
        async with http.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True, "missing": []})


async def test_a_loop_that_is_held_up_is_told(redis_url: str) -> None:
    app = create_app(settings.load(redis_url=redis_url))
    async with serving(app) as url, aiohttp.ClientSession(url) as http:
        await asyncio.sleep(0.1)
        time.sleep(0.4)  # noqa: ASYNC251 - this is what holds it up
        await asyncio.sleep(0.1)
        assert (await told(http))["signstream_gateway_loop_lag_seconds",] > 0.2


@pytest.mark.parametrize(
    ("said", "carries"), [([], 5), ([{"capacity": 0}], 1), ([{"capacity": 2}, {"capacity": 5}], 3.5)]
)
def test_what_a_worker_carries(said: list[dict[str, Any]], carries: float) -> None:
    assert capacity(settings.load(), said) == carries
