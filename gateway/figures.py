"""What a gateway tells Prometheus of itself and of the whole house, looked at every few seconds."""

import asyncio
import collections
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from redis.exceptions import RedisError, ResponseError

from gateway import health
from gateway.admission import owned, waiting_line
from gateway.ingest.cameras import Cameras
from gateway.state import Gateway
from shared import keys, metrics, metrics_server, tasks
from shared.faust_redis import backlog
from shared.settings import SESSIONS_A_CORE, Settings
from shared.stages import announced

LOOK_SECONDS = 2.0
"""Prometheus asks every fifteen or so."""

LAG_SECONDS = 0.05
"""How often the event loop is asked whether it comes in time."""

LAG_KEPT_SECONDS = 15.0

FLEET = tuple(metric for metric in metrics.METRICS if metric.fleet)


@contextlib.asynccontextmanager
async def told(gateway: Gateway, cameras: Cameras) -> AsyncIterator[None]:
    """Keeps the gauges fresh inside, and serves them on the port that the settings have for that."""
    lacking = ["a first look at Redis"]
    looking = asyncio.create_task(_look(gateway, cameras, lacking), name="figures")
    watching = asyncio.create_task(_watch_lag(), name="loop lag")
    host, port = gateway.settings.metrics_host, gateway.settings.metrics_port
    try:
        async with metrics_server.served("gateway", host, port, lambda: lacking):
            yield
    finally:
        await tasks.end(looking, watching)


async def _look(gateway: Gateway, cameras: Cameras, lacking: list[str]) -> None:
    while True:
        lacking[:] = await health.lacking(gateway)
        metrics.TASKS.set(len(asyncio.all_tasks()))
        metrics.GATEWAY_SESSIONS.set(len(gateway.cameras), "camera")
        metrics.GATEWAY_SESSIONS.set(len(gateway.uploads), "file")
        metrics.GATEWAY_SESSIONS.set(len(gateway.publishers), "landmarks")
        metrics.GATEWAY_QUEUE.set(sum(len(camera.queue) for camera in cameras))
        try:
            await look_at_fleet(gateway)
        except RedisError:  # its absence is told by those who work with it
            metrics.REDIS_UP.set(0)
            for metric in FLEET:
                metric.forget()
        await asyncio.sleep(LOOK_SECONDS)


async def look_at_fleet(gateway: Gateway) -> None:
    """Sets the figures of the whole house. Raises RedisError."""
    workers = await announced(gateway.store, "keypoints")
    recognizers = await announced(gateway.store, "recognizers")
    metrics.KEYPOINT_SESSIONS_CLAIMED.set(await owned(gateway.store))
    metrics.KEYPOINT_SESSIONS_QUEUED.set(len(await waiting_line(gateway.store, keys.LINE_LENGTH)))
    metrics.KEYPOINT_CAPACITY.set(capacity(gateway.settings, workers))
    metrics.KEYPOINT_WORKERS.set(len(workers))
    metrics.RECOGNIZERS_THERE.set(len(recognizers))
    for model in list(gateway.models):
        found = await backlog(gateway.store, keys.windows(model), keys.RECOGNIZERS_GROUP)
        metrics.WINDOWS_PENDING.set(found.length, model)
        metrics.WINDOWS_IN_WORK.set(found.pending, model)
        metrics.WINDOWS_OLDEST.set(found.oldest_seconds(time.time()), model)
    metrics.REDIS_UP.set(1)
    with contextlib.suppress(ResponseError):  # a Redis that tells this user nothing of itself
        memory: Any = await gateway.store.info("memory")
        metrics.REDIS_MEMORY.set(memory["used_memory"])
        metrics.REDIS_MEMORY_LIMIT.set(memory.get("maxmemory", 0))


def capacity(settings: Settings, workers: list[dict[str, Any]]) -> float:
    """Sessions one keypoint worker carries, at least one."""
    said = [float(worker.get("capacity", 0)) for worker in workers]
    if said:
        return max(1.0, sum(said) / len(said))
    return float(settings.sessions_per_worker or SESSIONS_A_CORE[settings.extractor])


async def _watch_lag() -> None:
    lags: collections.deque[tuple[float, float]] = collections.deque()
    while True:
        asked = time.monotonic()
        await asyncio.sleep(LAG_SECONDS)
        now = time.monotonic()
        lags.append((now, max(0.0, now - asked - LAG_SECONDS)))
        while lags[0][0] < now - LAG_KEPT_SECONDS:
            lags.popleft()
        metrics.GATEWAY_LOOP_LAG.set(max(lag for _, lag in lags))
