"""The recognizer process: a Faust app with one agent a model, and the loop that watches over it."""

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faust
import uvloop
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import keys
from shared.bundles import Bundle
from shared.connection import connect, process_name
from shared.faust_redis import broker_url
from workers.recognizers.batches import batches
from workers.recognizers.chain import ChainAgent, Streaming
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import ChunkReader, Reader
from workers.recognizers.recognizer import Model, RecognizerAgent
from workers.recognizers.results import Results

log = logging.getLogger(__name__)

APP = "recognizers"
"""Faust's app id, and so the consumer group: all recognizer processes share the work."""

BATCH = 32
"""Windows taken at once, so at most 16 are held here where another worker might be free. A window takes some
milliseconds; a batch saves a round trip to Redis each."""

IDLE_SECONDS = 1.5
"""A recognizer silent this long has died, and others take its windows: before a live session gives them up,
which it does after two seconds. A living one renews them every half second, inference or not."""

ANNOUNCE_SECONDS = 1.5
"""Three times in keys.STAGE_TTL_SECONDS: one may be lost."""

DRAIN_SECONDS = 2.5
"""To finish what is in work; a supervisor kills after three."""


class RecognizersStoppedError(RuntimeError):
    """The app ended by itself: the process must end too, so that its supervisor starts a fresh one."""


class DrainError(RecognizersStoppedError):
    """A window in work did not end in time. Its thread cannot be stopped: leave by `os._exit`."""


async def serve(
    redis_url: str,
    bundles: Sequence[Bundle],
    *,
    broker: str = "",
    threads: int = 1,
    idle_seconds: float = IDLE_SECONDS,
    batch: int = BATCH,
    stop: asyncio.Event | None = None,
) -> None:
    """Serves every bundle until SIGTERM, SIGINT or `stop`; then finishes what is in work.

    Windows come from `broker` where it is another than `redis_url`, to which results go.
    `threads` are ONNX Runtime's per window; windows themselves run one after another. Raises BundleError for
    a graph that does not keep its manifest, RecognizersStoppedError where it cannot go on.
    """
    models = {bundle.name: model_of(bundle, threads) for bundle in bundles}
    await serve_models(redis_url, models, broker=broker, idle_seconds=idle_seconds, batch=batch, stop=stop)


def model_of(bundle: Bundle, threads: int = 1) -> Model | Streaming:
    """The bundle's model, loaded: with `[ctc]` one that reads symbols. Raises BundleError."""
    recognizer = Recognizer(bundle, threads)
    if bundle.states:
        return ChunkReader(recognizer)
    return Reader(recognizer) if bundle.ctc else recognizer


async def serve_models(
    redis_url: str,
    models: Mapping[str, Model | Streaming],
    *,
    broker: str = "",
    idle_seconds: float = IDLE_SECONDS,
    batch: int = BATCH,
    stop: asyncio.Event | None = None,
) -> None:
    """As `serve`, with the models already loaded, by name."""
    if not models:
        raise ValueError("no model to serve")
    stop = stop or asyncio.Event()
    executor = ThreadPoolExecutor(1, thread_name_prefix="recognize")
    try:
        async with connect(redis_url) as redis:
            results = Results(redis)
            agents = [
                ChainAgent(name, model, executor, redis, aside=batch)
                if isinstance(model, Streaming)
                else RecognizerAgent(name, model, executor, results)
                for name, model in models.items()
            ]
            windows = broker or redis_url
            if windows.startswith(("redis:", "rediss:")):
                windows = broker_url(
                    windows, idle_seconds=idle_seconds, batch=batch, maxlen=keys.WINDOWS_LENGTH
                )
            app = make_app(windows, agents, batch)
            with signals(stop):
                async with running(app, stop), announced(redis, app, list(models)):
                    log.info("Recognizing %s", ", ".join(models))
                    await app.wait_for_stopped(stop)
                    for agent in agents:
                        await agent.close()
            for agent in agents:
                log.info("%s: %s", agent.name, agent.counts)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def make_app(broker: str, agents: Sequence[RecognizerAgent | ChainAgent], batch: int = BATCH) -> Any:
    """The Faust app, not started."""
    app = faust.App(
        APP,
        broker=broker,
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        web_enabled=False,
    )
    for agent in agents:
        topic = app.topic(keys.windows(agent.name), key_type=bytes, value_type=bytes)
        app.agent(topic, name=f"recognize-{agent.name}")(_reading(agent, batch))
    return app


def _reading(agent: RecognizerAgent | ChainAgent, batch: int) -> Any:
    async def recognize(stream: Any) -> None:
        # Nothing is acknowledged here: each window is once its result is written.
        async with contextlib.aclosing(batches(stream, batch)) as coming:
            async for events in coming:
                await agent.work(events)

    return recognize


@contextlib.asynccontextmanager
async def running(app: Any, stop: asyncio.Event) -> AsyncIterator[None]:
    """Starts the app, which takes as long as Redis is away; at the end stops it, within DRAIN_SECONDS, and
    raises if it had crashed."""
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        yield
        if app.crashed or app.should_stop:
            raise RecognizersStoppedError(f"the Faust app has stopped: {app.crash_reason}")
    finally:
        stopping.cancel()
        starting.cancel()
        # Not a timeout around it: Faust swallows the cancellation while it waits for acknowledgements.
        leaving = asyncio.create_task(_leave(app, starting))
        await asyncio.wait((leaving,), timeout=DRAIN_SECONDS)
        if not leaving.done():
            raise DrainError(f"a window in work did not end within {DRAIN_SECONDS} s")
        leaving.result()


async def _leave(app: Any, starting: asyncio.Task[None]) -> None:
    await asyncio.gather(starting, return_exceptions=True)
    await app.stop()


@contextlib.asynccontextmanager
async def announced(redis: Redis, app: Any, models: Sequence[str]) -> AsyncIterator[None]:
    """Says in Redis that this process serves these models, as long as it really reads."""
    key = keys.stage("recognizers", process_name())
    announcing = asyncio.create_task(_announce(redis, app, key, json.dumps({"models": list(models)})))
    try:
        yield
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(0.5):
                await redis.delete(key)


async def _announce(redis: Redis, app: Any, key: str, value: str) -> None:
    while True:
        await app.consumer.reading.wait()
        with contextlib.suppress(RedisError, OSError):  # its absence is reported by those who work with it
            await redis.set(key, value, ex=keys.STAGE_TTL_SECONDS)
        await asyncio.sleep(ANNOUNCE_SECONDS)


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


def main(redis_url: str, bundles: Sequence[Bundle], *, broker: str = "", threads: int = 1) -> int:
    """Runs the process; its exit status: 0 after a signal, 1 where the supervisor must start it again."""
    return run(serve(redis_url, bundles, broker=broker, threads=threads))


def run(serving: Coroutine[Any, Any, None]) -> int:
    """As `main`, for `serve` or `serve_models`. Ends the process itself where a thread of it hangs."""
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
