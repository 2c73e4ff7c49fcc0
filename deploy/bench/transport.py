"""Messages a second through Faust on Redis Streams, beside a bare redis-py loop that reads, acknowledges and
deletes the same messages. One worker each, in turns on one Redis."""

import asyncio
import statistics
from collections import defaultdict
from typing import Any

import faust
import redis.asyncio
import uvloop

from deploy.bench.stream import WAITING, Clock, fill, redis_of_our_own
from shared import connection
from shared.faust_redis import broker_url

MESSAGE_BYTES = 14_000
"""A window of `asl-words`."""

BATCHES = (16, 64)
GROUP, TOPIC, BARE = "bench", "messages", "bare"
LOOK_SECONDS = 0.002
PATIENCE_SECONDS = 120.0


def run(messages: int, rounds: int) -> list[dict[str, Any]]:
    """Two rows a batch size: `reference` and `faust`; each the median of the rounds."""
    return uvloop.run(_run(messages, rounds))


async def _run(messages: int, rounds: int) -> list[dict[str, Any]]:
    rows = []
    async with redis_of_our_own() as url, connection.connect(url) as store:
        for batch in BATCHES:
            figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
            async with Worker(url, batch) as worker:
                for _ in range(rounds):
                    figures["reference"].append(await _bare(store, messages, batch))
                    figures["faust"].append(await worker.round(store, messages))
            rows += _rows(figures, messages, batch)
    return rows


def _rows(figures: dict[str, list[tuple[float, float]]], messages: int, batch: int) -> list[dict[str, Any]]:
    reference = statistics.median(wall for wall, _ in figures["reference"])
    return [
        {
            "mode": mode,
            "batch": batch,
            "messages_per_second": round(messages / statistics.median(wall for wall, _ in times)),
            "cpu_us_per_message": round(statistics.median(cpu for _, cpu in times) / messages * 1e6, 1),
            "ratio": round(reference / statistics.median(wall for wall, _ in times), 3),
        }
        for mode, times in figures.items()
    ]


async def _bare(store: redis.asyncio.Redis, messages: int, batch: int) -> tuple[float, float]:
    await fill(store, [bytes(MESSAGE_BYTES)] * messages)
    await store.rename(WAITING, BARE)
    await store.xgroup_create(BARE, GROUP, id="0")
    clock, done = Clock(), 0
    while done < messages:
        answer: Any = await store.xreadgroup(GROUP, "bare", {BARE: ">"}, count=batch, block=1000)
        ids = [entry for entry, _ in answer[0][1]]
        pipe = store.pipeline(transaction=False)
        pipe.xack(BARE, GROUP, *ids)
        pipe.xdel(BARE, *ids)
        await pipe.execute()
        done += len(ids)
    return clock.stop()


class Worker:
    """A Faust app whose agent takes what there is and acknowledges it."""

    def __init__(self, url: str, batch: int) -> None:
        self._taken = 0
        self._app: Any = faust.App(
            GROUP,
            broker=broker_url(url, batch=batch),
            key_serializer="raw",
            value_serializer="raw",
            topic_disable_leader=True,
            web_enabled=False,
        )
        self._app.agent(self._app.topic(TOPIC, value_type=bytes))(self._take)

    async def _take(self, stream: Any) -> None:
        async for _ in stream:
            self._taken += 1

    async def round(self, store: redis.asyncio.Redis, messages: int) -> tuple[float, float]:
        """From the moment the messages are there until the last one is deleted."""
        await fill(store, [bytes(MESSAGE_BYTES)] * messages)
        self._taken, settled = 0, self._app.consumer.counts.settled
        clock = Clock()
        await store.rename(WAITING, TOPIC)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._app.consumer.counts.settled - settled < messages:  # noqa: ASYNC110 (no event tells)
                await asyncio.sleep(LOOK_SECONDS)
        if self._taken != messages:
            raise RuntimeError(f"{self._taken} messages taken, {messages} sent")
        return clock.stop()

    async def __aenter__(self) -> "Worker":
        await self._app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._app.stop()
