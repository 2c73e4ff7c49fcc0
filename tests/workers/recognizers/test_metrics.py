"""What a recognizer process tells Prometheus."""

import asyncio

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from shared import keys
from shared.faust_redis import Backlog, backlog
from tests.conftest import free_port
from tests.shared.faust_redis.conftest import until
from tests.workers.recognizers.conftest import TinyModel, make_window
from workers.recognizers.app import serve_models


async def ready(port: int) -> tuple[int, list[str]]:
    """What `/readyz` says."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/readyz") as answer:
        return answer.status, (await answer.json())["missing"]


async def told(port: int) -> dict[tuple[str, ...], float]:
    """Every sample by its name and labels."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        text = await answer.text()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_worker_tells_what_it_did(redis_url: str, store: Redis, session: str) -> None:
    await store.hset(keys.session(session), "state", "live")
    for seq in range(5):
        await store.xadd(keys.windows("tiny"), {"v": make_window(session, seq).pack()})
    await store.xadd(keys.windows("tiny"), {"v": b"no window"})
    port, stop = free_port(), asyncio.Event()
    serving = asyncio.create_task(
        serve_models(redis_url, {"tiny": TinyModel()}, metrics_port=port, stop=stop)
    )

    async def all_done() -> bool:
        samples = await told(port)
        return samples.get(("signstream_recognizer_messages_total", "tiny", "settled")) == 6

    async def answered() -> bool:
        return int(await store.xlen(keys.results(session))) == 5

    await until(answered)
    await until(all_done)
    assert await ready(port) == (200, [])
    samples = await told(port)
    stop.set()
    await serving
    assert samples["signstream_recognizer_windows_total", "tiny", "results"] == 5
    assert samples["signstream_recognizer_windows_total", "tiny", "bad"] == 1
    assert samples["signstream_recognize_seconds_count", "tiny"] >= 5


async def test_a_backlog_tells_what_waits_what_is_in_work_and_since_when(store: Redis) -> None:
    assert await backlog(store, "topic", "readers") == Backlog()
    for number in range(3):
        await store.xadd("topic", {"v": b"%d" % number}, id=f"{1000 * (number + 1)}-0")
    assert await backlog(store, "topic", "readers") == Backlog(3, 0, 1.0)
    await store.xgroup_create("topic", "readers", id="0")
    await store.xreadgroup("readers", "one", {"topic": ">"}, count=2)
    found = await backlog(store, "topic", "readers")
    assert (found.length, found.pending, found.lag, found.oldest_seconds(11.0)) == (3, 2, 1, 10.0)
