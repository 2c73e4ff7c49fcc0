"""What a recognizer process tells Prometheus: each model's backlog in Redis, and what was done with it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import keys
from shared.faust_redis import Backlog, backlog
from workers.recognizers.station import APP, Station

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""Between looks at Redis; Prometheus asks every fifteen or so."""


class Metrics(Collector):
    """Collects from the stations of one process; `watch` keeps the backlogs fresh."""

    def __init__(self, stations: Callable[[], Iterable[Station]]) -> None:
        self._stations = stations
        self._backlogs: dict[str, Backlog] = {}

    async def watch(self, redis: Redis) -> None:
        """Until cancelled."""
        while True:
            for name in [station.name for station in self._stations()]:
                with contextlib.suppress(
                    RedisError, OSError
                ):  # its absence is told by those who work with it
                    self._backlogs[name] = await backlog(redis, keys.windows(name), APP)
            await asyncio.sleep(LOOK_SECONDS)

    def collect(self) -> Iterator[Metric]:
        """Called by Prometheus's thread; reads numbers only."""
        waiting = _gauge("windows_waiting", "Windows of all sessions not yet acknowledged")
        lag = _gauge("windows_lag", "Windows that no recognizer was given yet")
        pending = _gauge("windows_pending", "Windows given to recognizers and not acknowledged")
        oldest = _gauge("windows_oldest_seconds", "Age of the oldest window not acknowledged")
        for name, found in list(self._backlogs.items()):
            waiting.add_metric([name], found.length)
            lag.add_metric([name], found.lag)
            pending.add_metric([name], found.pending)
            oldest.add_metric([name], found.oldest_seconds(time.time()))
        yield from (waiting, lag, pending, oldest)
        done = CounterMetricFamily(
            "signstream_recognizer_windows", "Windows this process dealt with", labels=["model", "outcome"]
        )
        transport = CounterMetricFamily(
            "signstream_recognizer_messages",
            "What the transport did with messages",
            labels=["model", "outcome"],
        )
        for station in list(self._stations()):
            for outcome, count in vars(station.agent.counts).items():
                done.add_metric([station.name, outcome], count)
            for outcome, count in vars(getattr(station.app.consumer, "counts", object())).items():
                transport.add_metric([station.name, outcome], count)
        yield from (done, transport)


@contextlib.asynccontextmanager
async def served(redis: Redis, stations: Callable[[], Iterable[Station]], port: int) -> AsyncIterator[None]:
    """`/metrics` on this port of 127.0.0.1; nothing for 0. Raises OSError where another has the port."""
    if not port:
        yield
        return
    metrics, registry = Metrics(stations), CollectorRegistry()
    registry.register(metrics)
    server, thread = prometheus_client.start_http_server(port, "127.0.0.1", registry)
    watching = asyncio.create_task(metrics.watch(redis))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(_close, server, thread)


def _close(server: Any, thread: Any) -> None:
    server.shutdown()
    server.server_close()
    thread.join()


def _gauge(name: str, what: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"signstream_{name}", what, labels=["model"])
