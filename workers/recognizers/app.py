"""The recognizer process: a station for every model, and the loop that watches over them."""

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any

import uvloop
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import keys, tasks
from shared.bundles import Bundle, BundleError, ModelWatch
from shared.connection import connect, process_name
from workers.recognizers import metrics
from workers.recognizers.load import Loading, model_of
from workers.recognizers.station import (
    APP,
    BATCH,
    AnyModel,
    DrainError,
    RecognizersStoppedError,
    Station,
)

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.5
"""A recognizer silent this long has died, and others take its windows: before a live session gives them up,
which it does after two seconds. A living one renews them every half second, inference or not."""

ANNOUNCE_SECONDS = 1.5
"""Three times in keys.STAGE_TTL_SECONDS: one may be lost."""

RETIRE_SECONDS = 600.0
"""A model that was removed is served on until it had no window for this long: its sessions go on."""

LOOK_SECONDS = 5.0

Models = Mapping[str, AnyModel]


async def serve(
    redis_url: str,
    watch: ModelWatch,
    *,
    broker: str = "",
    loading: Loading | None = None,
    metrics_port: int = 0,
    metrics_host: str = "127.0.0.1",
    stop: asyncio.Event | None = None,
) -> None:
    """Serves what the watch says until SIGTERM, SIGINT or `stop`; then finishes what is in work.

    Windows come from `broker` where it is another than `redis_url`, to which results go. Raises BundleError
    for a named model that is no good at the start, RecognizersStoppedError where it cannot go on.
    """
    loading = loading or Loading()
    loaded: dict[str, tuple[str, AnyModel]] = {}

    def load(bundles: Mapping[str, Bundle], *, first: bool) -> Models:
        for name in loaded.keys() - bundles.keys():
            del loaded[name]
        for name, bundle in bundles.items():
            if name in loaded and loaded[name][0] == bundle.version:
                continue
            try:
                loaded[name] = (bundle.version, model_of(bundle, loading))
            except BundleError as error:
                if first and watch.is_named(name):
                    raise
                log.error("model %s, version %s, is not taken: %s", name, bundle.version, error)
        return {name: model for name, (_, model) in loaded.items()}

    async def changes() -> AsyncIterator[Models]:
        async with contextlib.aclosing(watch.changes()) as changing:
            async for bundles in changing:
                # In a thread: a large graph takes seconds to load, and windows go on meanwhile.
                yield await asyncio.to_thread(load, bundles, first=False)

    models = load(watch.start(), first=True)
    await serve_models(
        redis_url,
        models,
        changes=changes,
        broker=broker,
        metrics_port=metrics_port,
        metrics_host=metrics_host,
        stop=stop,
    )


async def serve_models(
    redis_url: str,
    models: Models,
    *,
    changes: Callable[[], AsyncIterator[Models]] | None = None,
    broker: str = "",
    idle_seconds: float = IDLE_SECONDS,
    batch: int = BATCH,
    metrics_port: int = 0,
    metrics_host: str = "127.0.0.1",
    stop: asyncio.Event | None = None,
) -> None:
    """As `serve`, with the models already loaded, by name; `changes` gives all of them anew."""
    if not models:
        raise ValueError("no model to serve")
    stop = stop or asyncio.Event()
    async with connect(redis_url) as redis:
        house = House(
            lambda name, model: Station(
                name, model, redis, broker or redis_url, idle_seconds=idle_seconds, batch=batch
            )
        )
        house.set(models)
        with signals(stop):
            async with metrics.served(house.stations, metrics_host, metrics_port), announced(redis, house):
                await house.run(stop, changes)


class House:
    """The stations of one process, as many as there are models."""

    def __init__(self, make: Callable[[str, AnyModel], Station]) -> None:
        self._make = make
        self._stations: dict[str, Station] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._retired: dict[str, int] = {}
        """Models that were removed, and how many windows they had when it was last looked."""

    def stations(self) -> list[Station]:
        """Those at work now."""
        return list(self._stations.values())

    @property
    def reading(self) -> list[str]:
        """Models whose windows reach this process, those that were removed left out."""
        return [
            name
            for name, station in self._stations.items()
            if name not in self._retired and station.is_reading
        ]

    def set(self, models: Models) -> None:
        """These should run: starts, replaces and retires."""
        for name, model in models.items():
            self._retired.pop(name, None)
            station = self._stations.get(name)
            if station is None:
                station = self._stations[name] = self._make(name, model)
                self._tasks[name] = asyncio.create_task(station.run(), name=f"recognize {name}")
            elif station.versions.newest is not model:
                station.put(model)
        for name in self._stations.keys() - models.keys() - self._retired.keys():
            self._retired[name] = -1

    async def run(
        self, stop: asyncio.Event, changes: Callable[[], AsyncIterator[Models]] | None = None
    ) -> None:
        """Until `stop` is set, or a station fails: RecognizersStoppedError."""
        beside = [asyncio.create_task(stop.wait()), asyncio.create_task(self._retire())]
        if changes is not None:
            beside.append(asyncio.create_task(self._follow(changes())))
        try:
            while not stop.is_set():
                # A station that comes meanwhile is seen at the next look.
                await asyncio.wait(
                    [*beside, *self._tasks.values()],
                    timeout=LOOK_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in [*beside[1:], *self._tasks.values()]:
                    if task.done():
                        task.result()
        finally:
            for task in beside:
                task.cancel()
            for station in self._stations.values():
                station.stop.set()
            ended = await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await asyncio.gather(*beside, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error

    async def _follow(self, changes: AsyncIterator[Models]) -> None:
        async for models in changes:
            self.set(models)

    async def _retire(self) -> None:
        """Ends the stations of removed models that have nothing more to do."""
        while True:
            await asyncio.sleep(RETIRE_SECONDS)
            for name, before in list(self._retired.items()):
                done = self._stations[name].agent.counts.total
                self._retired[name] = done
                if done == before:
                    del self._retired[name]
                    self._stations.pop(name).stop.set()
                    await self._tasks.pop(name)


@contextlib.asynccontextmanager
async def announced(redis: Redis, house: House) -> AsyncIterator[None]:
    """Says in Redis which models this process serves, as long as it really reads."""
    key = keys.stage(APP, process_name())
    announcing = asyncio.create_task(_announce(redis, house, key))
    try:
        yield
    finally:
        await tasks.end(announcing)
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(0.5):
                await redis.delete(key)


async def _announce(redis: Redis, house: House, key: str) -> None:
    told: list[str] = []
    due = 0.0
    while True:
        models, now = house.reading, asyncio.get_running_loop().time()
        if models and (models != told or now >= due):
            with contextlib.suppress(RedisError, OSError):  # its absence is told by those who work with it
                await redis.set(key, json.dumps({"models": models}), ex=keys.STAGE_TTL_SECONDS)
                told, due = models, now + ANNOUNCE_SECONDS
        await asyncio.sleep(ANNOUNCE_SECONDS / 15)


@contextlib.contextmanager
def signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def run(serving: Coroutine[Any, Any, None]) -> int:
    """Runs `serve` or `serve_models`; the exit status: 0 after a signal, 1 where the supervisor must start it
    again. Ends the process itself where a thread of it hangs."""
    try:
        uvloop.run(_or_exit(serving))
    except RecognizersStoppedError as error:
        log.error("Recognizers stopped: %s", error)
        return 1
    return 0


async def _or_exit(serving: Coroutine[Any, Any, None]) -> None:
    try:
        await serving
    except DrainError as error:
        # Neither the thread nor Faust's own waiting can be cancelled, and both the loop's end and the
        # interpreter's would wait for them.
        log.error("Recognizers stopped: %s", error)
        logging.shutdown()
        os._exit(1)
