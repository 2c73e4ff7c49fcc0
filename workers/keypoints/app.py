"""The keypoint worker: a process that owns sessions while it has room, and hands them on when it ends."""

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import redis.asyncio
import uvloop
from redis.exceptions import RedisError

from shared import connection, keys, settings
from shared.bundles import Bundle, Registry
from shared.claims import Claim, Claims
from shared.fence import FencedOffError, SessionGoneError
from shared.settings import Settings
from workers.keypoints.holistic import Holistic
from workers.keypoints.session import Workplace, own_session
from workers.keypoints.windower import WindowSpec
from workers.keypoints.windows import WindowTopics

log = logging.getLogger(__name__)

STAGE = "keypoints"

ANNOUNCE_SECONDS = 1.5
"""Three announcements fit into a stage key's life."""

TAKE_SECONDS = 0.25
"""Waits for a new session this long, then looks for one whose owner fell silent."""

BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between tries at a Redis that is away; the last repeats."""

STOP_SECONDS = 2.0
"""A session that has not let go by then is cut off: its last checkpoint stands."""

AWAY = (RedisError, OSError, TimeoutError)
"""Redis or the broker cannot be reached."""


class Worker:
    """One process. Sessions share its loop, and take turns in its one thread for decoding and landmarking."""

    def __init__(self, config: Settings, bundles: Sequence[Bundle], place: Workplace, claims: Claims) -> None:
        self._capacity = config.sessions_per_worker
        self._models = [bundle.name for bundle in bundles]
        self._place = place
        self._claims = claims
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0

    async def run(self) -> None:
        """Until the workplace's `stop` is set; then all sessions have let go."""
        announcing = asyncio.create_task(self._announce())
        try:
            while not self._place.stop.is_set():
                await self._take()
        finally:
            announcing.cancel()
            await asyncio.gather(announcing, return_exceptions=True)
            await self._let_go()

    async def _take(self) -> None:
        if len(self._tasks) >= self._capacity:
            stop = asyncio.create_task(self._place.stop.wait())
            await asyncio.wait((*self._tasks, stop), return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            return
        try:
            claim = await self._claims.take(TAKE_SECONDS)
        except AWAY as error:
            await self._wait_out(error)
            return
        self._is_back()
        if claim is not None:
            task = asyncio.create_task(self._own(claim), name=f"session {claim.session}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _own(self, claim: Claim) -> None:
        """Whatever goes wrong with one session stays with it; unless it ended, a successor goes on with it."""
        try:
            ended = await own_session(self._place, claim)
            if ended:
                await self._claims.finish(claim)
            elif claim.lost.is_set():
                self._claims.forget(claim)
        except FencedOffError:
            self._claims.forget(claim)
        except SessionGoneError as error:
            log.warning("%s", error)
            with contextlib.suppress(*AWAY):
                await self._claims.finish(claim)
        except AWAY as error:
            log.debug("session %s: %s", claim.session, error)
            self._claims.forget(claim)
        except Exception:
            log.exception("session %s failed here; the next worker tries", claim.session)
            self._claims.forget(claim)

    async def _announce(self) -> None:
        key = keys.stage(STAGE, self._claims.consumer)
        try:
            while True:
                state = {"capacity": self._capacity, "owned": len(self._tasks), "models": self._models}
                with contextlib.suppress(*AWAY):
                    await self._place.store.set(key, json.dumps(state), ex=keys.STAGE_TTL_SECONDS)
                await asyncio.sleep(ANNOUNCE_SECONDS)
        finally:
            with contextlib.suppress(*AWAY):
                await self._place.store.delete(key)

    async def _let_go(self) -> None:
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=STOP_SECONDS)
        for task in late:
            log.warning("%s did not let go in %.1f s; cut off", task.get_name(), STOP_SECONDS)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _wait_out(self, error: BaseException) -> None:
        if not self._failures:
            log.error("Redis is away, waiting for it: %s", error)
        wait = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._place.stop.wait(), wait)

    def _is_back(self) -> None:
        if self._failures:
            log.info("Redis is back")
        self._failures = 0


async def serve(config: Settings, bundles: Sequence[Bundle], stop: asyncio.Event | None = None) -> None:
    """Serves sessions until `stop` is set, or SIGTERM or SIGINT comes when no `stop` is given."""
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = connection.connect(config.redis_url)
    executor = ThreadPoolExecutor(1, thread_name_prefix="pictures")
    try:
        await _wait_for_redis(store, stop)
        if stop.is_set():
            return
        async with (
            WindowTopics(config.broker or config.redis_url) as windows,
            Claims(config.redis_url, keys.KEYPOINTS_GROUP, connection.process_name()) as claims,
        ):
            specs = {bundle.name: WindowSpec.of(bundle) for bundle in bundles}
            place = Workplace(store, windows, specs, Holistic, executor, stop)
            log.info("keypoint worker %s serves %s", claims.consumer, ", ".join(specs))
            await Worker(config, bundles, place, claims).run()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        await store.aclose()


async def _wait_for_redis(store: redis.asyncio.Redis, stop: asyncio.Event) -> None:
    tries = 0
    while not stop.is_set():
        try:
            await store.ping()
            return
        except AWAY as error:
            if not tries:
                log.error("Redis is away, waiting for it: %s", error)
            wait = BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)]
            tries += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)


def main() -> None:
    """The process `signstream keypoints`: settings from the environment."""
    config = settings.load()
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    registry = Registry(config.models_folders)
    bundles = [registry.find(name) for name in config.model_list]
    uvloop.run(serve(config, bundles))


if __name__ == "__main__":
    main()
