"""Where one model works: a Faust app of its own that reads the model's topic, and the agent in it.

An app a model, because Faust takes topics up only when it starts (a new one after 45 s), because models then
come, go and fail by themselves, and because no Redis command then reads two topics, which a Cluster refuses.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import faust
from redis.asyncio import Redis

from shared import keys
from shared.faust_redis import broker_url
from workers.recognizers.agent import RecognizerAgent
from workers.recognizers.ahead import SIDE_BY_SIDE
from workers.recognizers.batches import batches
from workers.recognizers.chain import ChainAgent, Streaming
from workers.recognizers.recognizer import TOGETHER_SECONDS, Model
from workers.recognizers.results import Results
from workers.recognizers.versions import Versions

log = logging.getLogger(__name__)

AnyModel = Model | Streaming

APP = keys.RECOGNIZERS_GROUP
"""Faust's app id, and so the consumer group: all recognizer processes share the work."""

BATCH = 32
"""Windows fetched at once, so at most 64 are held here where another worker might be free."""

HELD_SECONDS = 0.02
"""Of work a batch may hold: a slow model fetches fewer windows at once, one at the least."""

DRAIN_SECONDS = 2.5
"""To finish what is in work; a supervisor kills after three."""


class RecognizersStoppedError(RuntimeError):
    """The app ended by itself: the process must end too, so that its supervisor starts a fresh one."""


class DrainError(RecognizersStoppedError):
    """A window in work did not end in time. Its thread cannot be stopped: leave by `os._exit`."""


class Station:
    """One model at work. `run` it; `put` replaces the model between two windows."""

    def __init__(
        self, name: str, model: AnyModel, redis: Redis, broker: str, *, idle_seconds: float, batch: int
    ) -> None:
        """Windows come from `broker`, Faust's URL; results go to `redis`."""
        self.name = name
        self.versions = Versions(model)
        self.stop = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"recognize-{name}")
        batch = batch_for(model, batch)
        self.agent: RecognizerAgent | ChainAgent
        if isinstance(model, Streaming):
            chunks = cast(Versions[Streaming], self.versions)
            self.agent = ChainAgent(name, chunks, self._executor, redis, aside=batch)
        else:
            self.agent = RecognizerAgent(
                name,
                cast(Versions[Model], self.versions),
                self._executor,
                Results(redis),
                together=batch_for(model, SIDE_BY_SIDE, TOGETHER_SECONDS),
                most=2 * batch,
            )
        is_redis = broker.startswith(("redis:", "rediss:"))
        if is_redis:
            broker = broker_url(broker, idle_seconds=idle_seconds, batch=batch, maxlen=keys.WINDOWS_LENGTH)
        # Kafka's groups want that all members read the same topics.
        self.app = make_app(broker, self.agent, batch, APP if is_redis else f"{APP}-{name}")

    def put(self, model: AnyModel) -> None:
        """From the next window on. One that keeps states cannot take the place of one that keeps none."""
        if isinstance(model, Streaming) != isinstance(self.versions.newest, Streaming):
            log.error(
                "%s: with [[state]] or without is what a restart takes up; the one before runs on", self.name
            )
            return
        self.versions.put(model)
        log.info("%s was replaced", self.name)

    @property
    def is_reading(self) -> bool:
        """Whether windows reach it now."""
        reading = getattr(self.app.consumer, "reading", None)
        return bool(self.app.started and not self.app.should_stop and (reading is None or reading.is_set()))

    async def run(self) -> None:
        """Until `stop` is set; then finishes what is in work.

        Raises RecognizersStoppedError where the app ends by itself.
        """
        try:
            async with running(self.app, self.stop, self.agent.close):
                log.info("Recognizing %s", self.name)
                await self.app.wait_for_stopped(self.stop)
        finally:
            log.info("%s: %s", self.name, self.agent.counts)
            self._executor.shutdown(wait=False, cancel_futures=True)


def batch_for(model: AnyModel, most: int, held_seconds: float = HELD_SECONDS) -> int:
    """How many windows make so much work, by what one took when the model was loaded."""
    seconds = float(getattr(model, "seconds", 0.0))
    return max(1, min(most, int(held_seconds / seconds))) if seconds else most


def make_app(broker: str, agent: RecognizerAgent | ChainAgent, batch: int, app_id: str = APP) -> Any:
    """The Faust app of one agent, not started."""
    app = faust.App(
        app_id,
        broker=broker,
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        web_enabled=False,
    )

    async def recognize(stream: Any) -> None:
        # Nothing is acknowledged here: each window is once its result is written.
        async with contextlib.aclosing(batches(stream, batch)) as coming:
            async for events in coming:
                await agent.work(events)

    topic = app.topic(keys.windows(agent.name), key_type=bytes, value_type=bytes)
    app.agent(topic, name=f"recognize-{agent.name}")(recognize)
    return app


@contextlib.asynccontextmanager
async def running(app: Any, stop: asyncio.Event, close: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Starts the app, which takes as long as Redis is away; at the end, cancelled or not, calls `close` and
    stops it, both within DRAIN_SECONDS, and raises if it had crashed."""
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            # It times every event, which costs half of what reading one does; we count for ourselves.
            app.sensors.remove(app.monitor)
            settle()
        yield
        if app.crashed or app.should_stop:
            raise RecognizersStoppedError(f"the Faust app has stopped: {app.crash_reason}")
    finally:
        stopping.cancel()
        starting.cancel()
        # Not a timeout around it: Faust swallows the cancellation while it waits for acknowledgements.
        leaving = asyncio.create_task(_leave(app, starting, close))
        await asyncio.wait((leaving,), timeout=DRAIN_SECONDS)
        if not leaving.done():
            raise DrainError(f"a window in work did not end within {DRAIN_SECONDS} s")
        leaving.result()


def settle() -> None:
    """Takes what is loaded by now out of the garbage collector's sight, but for what is garbage already.

    A full collection looks through everything that Faust, NumPy and the models have made, and holds every
    window up meanwhile: some 40 ms, now and then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def _leave(app: Any, starting: asyncio.Task[None], close: Callable[[], Awaitable[None]]) -> None:
    await asyncio.gather(starting, return_exceptions=True)
    # First: the app waits for what the agent holds.
    await close()
    await app.stop()
