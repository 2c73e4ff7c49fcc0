"""The same agents on Kafka: windows in over Kafka, results out over Redis."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis.asyncio import Redis

from shared import keys
from tests.conftest import ROOT
from tests.shared.faust_redis.conftest import until
from tests.workers.recognizers.conftest import TinyModel, make_window
from tests.workers.recognizers.test_app import results
from workers.keypoints.windows import WindowTopics
from workers.recognizers.app import serve_models

WINDOWS = 20


@contextmanager
def kafka(topic: str) -> Iterator[str]:
    """The URL of a broker that has this topic."""
    pytest.importorskip("confluent_kafka")
    command = [sys.executable, "-m", "tests.workers.recognizers.kafka_broker", topic]
    broker = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert broker.stdout is not None
    assert broker.stdin is not None
    try:
        address = broker.stdout.readline().strip()
        assert address, "the broker did not come up"
        yield f"kafka://{address}"
    finally:
        broker.stdin.close()
        broker.wait(10)
        broker.stdout.close()


async def test_windows_come_over_kafka_and_results_go_to_redis(
    redis_url: str, store: Redis, session: str
) -> None:
    await store.hset(keys.session(session), "state", "live")
    stop = asyncio.Event()
    with kafka(keys.windows("tiny")) as broker:
        serving = asyncio.create_task(
            serve_models(redis_url, {"tiny": TinyModel()}, broker=broker, stop=stop)
        )
        try:
            async with WindowTopics(broker) as topics:
                for seq in range(WINDOWS):
                    await topics.send(make_window(session, seq))
                await until(lambda: _all(store, session), 60)
        finally:
            stop.set()
            await asyncio.wait((serving,), timeout=20)
        await serving
    answered = await results(store, session)
    assert {result.seq for result in answered} == set(range(WINDOWS))
    assert {result.top[0][0] for result in answered} == {"up"}


async def _all(store: Redis, session: str) -> bool:
    return int(await store.xlen(keys.results(session))) >= WINDOWS
