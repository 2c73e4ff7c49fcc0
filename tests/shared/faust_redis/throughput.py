"""How many messages a second one worker gets: `python -m tests.shared.faust_redis.throughput`.

20,000 messages of 1 KB wait in a Redis of its own; the clock runs from the app's start, less the second that
Faust's start sleeps, until the last is deleted.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from redis.asyncio import Redis

from tests.conftest import free_port
from tests.shared.faust_redis.conftest import make_app, running, until
from tests.shared.faust_redis.test_delivery import TOPIC, empty
from tests.shared.faust_redis.test_workers import answers, redis_with_a_file

MESSAGES = 20_000
START_SECONDS = 1.0


async def measure(url: str, batch: int) -> None:
    app, sizes = make_app(url, batch=batch, idle_seconds=5), list[int]()

    @app.agent(app.topic(TOPIC, value_type=bytes))
    async def take(stream: Any) -> None:
        async for values in stream.take(batch, within=0.005):
            sizes.append(len(values))

    async with Redis.from_url(url) as store:
        for _ in range(MESSAGES // 500):
            pipe = store.pipeline(transaction=False)
            for _ in range(500):
                pipe.xadd(TOPIC, {"v": b"x" * 1000})
            await pipe.execute()
        started = time.perf_counter()
        async with running(app) as consumer:
            await until(lambda: sum(sizes) == MESSAGES, 60)
            taken = time.perf_counter() - started - START_SECONDS
            await until(lambda: empty(store), 60)
            assert consumer.counts.settled == MESSAGES
    mean = MESSAGES / len(sizes)
    print(f"batch {batch}: {MESSAGES / taken:,.0f} messages a second, {mean:.1f} a take, nothing left")


async def main(batches: Sequence[int]) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, redis_with_a_file(Path(folder), port):
        url = f"redis://127.0.0.1:{port}/0"
        await answers(url)
        for batch in batches:
            await measure(url, batch)


if __name__ == "__main__":
    uvloop.run(main([int(text) for text in sys.argv[1:]] or [8, 64, 256]))
