"""The keypoint worker: a process that owns sessions while it has room, and hands them on when it ends."""

import asyncio
import contextlib
import json
import logging
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import redis.asyncio
import uvloop
from redis.exceptions import RedisError

from shared import connection, keys, metrics, metrics_server, tasks, traces
from shared.bundles import BundleError, ModelWatch
from shared.claims import Claim, Claims
from shared.fence import FencedOffError, SessionGoneError
from shared.settings import SESSIONS_A_CORE, Settings
from shared.telemetry import SESSION, configure_logging
from workers.keypoints import spec
from workers.keypoints.age import Age
from workers.keypoints.attempts import let_go
from workers.keypoints.capacity import SETTLE_SECONDS, Capacity
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.meter import Meter
from workers.keypoints.reclaim import return_free_memory
from workers.keypoints.relief import to_hand_over
from workers.keypoints.session import own_session
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windows import WindowTopics
from workers.keypoints.workplace import Workplace

log = logging.getLogger(__name__)

STAGE: metrics.Stage = "keypoints"

ANNOUNCE_SECONDS = 1.5
"""Three announcements fit into a stage key's life."""

TAKE_SECONDS = 0.1
"""Waits for a new session this long, then looks for one whose owner fell silent or let go."""

ASIDE_SECONDS, MOST_ASIDE_SECONDS = 0.03, 0.15
"""A worker asks for one more session only so often for each that it has, while one without waits in Redis: of
two with room the one with fewer mostly has it."""

FULL_SECONDS = 0.25
"""A worker without room looks this often whether it has some, or whether a session has no owner at all."""

ORPHAN_SECONDS = 0.5
"""It leaves such a session to workers with room for this long."""

BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between tries at a Redis that is away; the last repeats."""

STOP_SECONDS = 2.0
"""A session that has not let go by then is cut off: its last checkpoint stands."""

RECLAIM_SECONDS = 1.0
"""After a session ended, its memory is given back; so seldom that it holds up nobody's pictures."""

GOODBYE_SECONDS = 0.5
"""For what is only polite: a Redis that is slow then lets the stage's key run out by itself."""

AWAY = (RedisError, OSError, TimeoutError)
"""Redis or the broker cannot be reached."""


class Model(spec.Model, Protocol):
    """What the worker needs of a bundle: its name, and what its windows look like."""

    @property
    def name(self) -> str: ...


class Patience:
    """Waits longer and longer between tries, and says only once what it waits for."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._tries = 0

    async def after(self, error: BaseException, went_well: float = 0.0) -> None:
        """Waits before the next try, not past `stop`. A try that went well for so many seconds, longer than
        any wait, failed because of another outage."""
        if went_well > BACKOFF_SECONDS[-1]:
            self.back()
        if not self._tries:
            log.error("Redis or the broker is away, waiting for it: %s", str(error) or type(error).__name__)
        wait = BACKOFF_SECONDS[min(self._tries, len(BACKOFF_SECONDS) - 1)]
        self._tries += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait)

    def back(self) -> None:
        """It worked."""
        if self._tries:
            log.info("Redis is back")
        self._tries = 0


class Worker:
    """One process. Sessions share its loop, and take turns in its one thread for decoding and landmarking."""

    def __init__(self, config: Settings, place: Workplace, claims: Claims) -> None:
        self._capacity = Capacity(config.sessions_per_worker, SESSIONS_A_CORE[config.extractor])
        self._meter = Meter(place.tally)
        self._age = Age(config.worker_hours, config.worker_mib)
        self._place = place
        self._claims = claims
        self._tasks: dict[asyncio.Task[None], Claim] = {}
        """Of each session, in the order in which they were taken."""
        self._reclaiming: asyncio.Task[None] | None = None
        self._patience = Patience(place.stop)
        self._is_announced = False
        """It last said that it is there, and Redis took it."""

    def missing(self) -> list[str]:
        """What it cannot work without and has not."""
        stopping = ["this worker is stopping"] if self._place.stop.is_set() else []
        return stopping if self._is_announced else [*stopping, "Redis"]

    async def run(self) -> None:
        """Until the workplace's `stop` is set; then all sessions have let go."""
        announcing = asyncio.create_task(self._announce())
        try:
            while not self._place.stop.is_set():
                await self._take()
        finally:
            await tasks.end(announcing)
            await self._let_go()
            if self._reclaiming is not None:
                await self._reclaiming

    async def _take(self) -> None:
        room = self._room()
        if not room:
            stop = asyncio.create_task(self._place.stop.wait())
            await asyncio.wait(
                (*self._tasks, stop), return_when=asyncio.FIRST_COMPLETED, timeout=FULL_SECONDS
            )
            stop.cancel()
            if self._place.stop.is_set() or self._age.is_over:
                return
            if not self._capacity.takes_orphans(len(self._tasks), self._place.tally.published_sessions):
                return
        try:
            claim = await (self._one_more() if room else self._claims.take_orphan(ORPHAN_SECONDS))
        except AWAY as error:
            await self._patience.after(error)
            return
        self._patience.back()
        if claim is not None:
            task = asyncio.create_task(self._own(claim), name=f"session {claim.session}")
            self._tasks[task] = claim
            task.add_done_callback(self._ended)

    async def _one_more(self) -> Claim | None:
        if not self._tasks:
            return await self._claims.take(TAKE_SECONDS)
        await asyncio.sleep(min(MOST_ASIDE_SECONDS, ASIDE_SECONDS * len(self._tasks)))
        return await self._claims.take(0.0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if self._reclaiming is None or self._reclaiming.done():
            self._reclaiming = asyncio.create_task(self._reclaim())

    def _room(self) -> int:
        if self._age.is_over:
            return 0
        young = sum(time.monotonic() - claim.taken < SETTLE_SECONDS for claim in self._tasks.values())
        tally = self._place.tally
        return self._capacity.room(len(self._tasks), tally.file_sessions, young, tally.published_sessions)

    def _end_of_age(self) -> None:
        """A process that is to be replaced waits a while for its sessions to end by themselves."""
        if self._age.is_due(busy=bool(self._tasks)):
            self._place.stop.set()

    async def _reclaim(self) -> None:
        """Gives back the memory of the sessions that ended by then."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._place.stop.wait(), RECLAIM_SECONDS)
            return
        await self._place.in_thread(return_free_memory)

    async def _own(self, claim: Claim) -> None:
        """Whatever goes wrong stays with this session; unless it ended, a successor goes on with it."""
        SESSION.set(claim.session)
        patience = Patience(self._place.stop)
        try:
            while not (claim.lost.is_set() or claim.handing_on.is_set() or self._place.stop.is_set()):
                begun = time.monotonic()
                try:
                    if await self._serve(claim):
                        return
                except AWAY as error:
                    # The claim is kept: nobody else gets it without Redis, and the fence guards the rest.
                    await patience.after(error, time.monotonic() - begun)
            await self._say_alive(claim)
            if not claim.lost.is_set():
                await self._hand_on(claim)
                return
        except FencedOffError:
            await self._say_alive(claim)
        except Exception:
            log.exception("session %s failed here; the next worker tries", claim.session)
        self._claims.forget(claim)

    async def _hand_on(self, claim: Claim) -> None:
        if self._place.stop.is_set():
            return  # leaving `claims` does
        with contextlib.suppress(*AWAY):  # else its lease runs out
            await self._claims.release(claim)

    async def _relieve(self) -> None:
        """Hands a camera's session to a worker with room once there has been too much for a while."""
        if not self._capacity.is_over() or self._place.stop.is_set():
            return
        newest_first = [claim for claim in reversed(self._tasks.values()) if not claim.handing_on.is_set()]
        try:
            claim = await to_hand_over(self._place.store, self._claims.consumer, newest_first)
        except AWAY:
            return
        if claim is not None:
            log.info("session %s goes to a worker with room: this one drops pictures", claim.session)
            claim.handing_on.set()
            self._capacity.relieved()

    async def _say_alive(self, claim: Claim) -> None:
        """Of a session that goes on elsewhere: its input did not end this process."""
        with contextlib.suppress(*AWAY):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await let_go(self._place.store, claim.session, claim.fence)

    async def _serve(self, claim: Claim) -> bool:
        """True when the session is over and acknowledged."""
        try:
            over = await own_session(self._place, claim)
        except SessionGoneError as error:
            log.warning("%s", error)
            over = True
        if over:
            await self._claims.finish(claim)
        return over

    async def _announce(self) -> None:
        key = keys.stage(STAGE, self._claims.consumer)
        try:
            while True:
                self._capacity.look(self._meter.look())
                self._end_of_age()
                state = self._state()
                metrics.OWN_CAPACITY.set(state["capacity"])
                try:
                    await self._place.store.set(key, json.dumps(state), ex=keys.STAGE_TTL_SECONDS)
                    self._is_announced = True
                except AWAY:
                    self._is_announced = False
                await self._relieve()
                await asyncio.sleep(ANNOUNCE_SECONDS)
        finally:
            with contextlib.suppress(*AWAY):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._place.store.delete(key)

    def _state(self) -> dict[str, Any]:
        tally = self._place.tally
        return {
            "capacity": len(self._tasks) + self._room(),
            "owned": len(self._tasks),
            "cores_per_session": round(self._capacity.cost, 4),
            "models": list(self._place.specs),
            "process": self._claims.consumer,
            "at": time.time(),
            "cpu_seconds": time.process_time(),
            "landmarked": tally.landmarked,
            "dropped": tally.dropped,
            "ages": tally.ages.counts,
        }

    async def _let_go(self) -> None:
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=STOP_SECONDS)
        for task in late:
            log.warning("%s did not let go in %.1f s; cut off", task.get_name(), STOP_SECONDS)
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=GOODBYE_SECONDS)


async def serve(
    config: Settings,
    models: Sequence[Model],
    stop: asyncio.Event | None = None,
    watch: ModelWatch | None = None,
) -> None:
    """Serves sessions until `stop` is set, or SIGTERM or SIGINT comes when no `stop` is given.

    `watch` tells of models that come, change and go; sessions keep those they began with.
    """
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = connection.connect(config.redis_url)
    executor = ThreadPoolExecutor(1, thread_name_prefix="pictures")
    serving = contextlib.AsyncExitStack()
    working: list[Worker] = []
    try:
        await serving.enter_async_context(_told(config, working))
        await _wait_for_redis(store, stop)
        if stop.is_set():
            return
        async with (
            WindowTopics(config.broker or config.redis_url) as windows,
            Claims(config.redis_url, keys.KEYPOINTS_GROUP, connection.process_name()) as claims,
        ):
            specs = {model.name: WindowSpec.of(model) for model in models}
            # Before the worker says that it is there: compiling networks takes a second.
            extractor = await asyncio.to_thread(extractor_factory, config)
            place = Workplace(store, windows, specs, extractor, executor, stop)
            log.info("keypoint worker %s serves %s", claims.consumer, ", ".join(specs))
            following = asyncio.create_task(_follow(watch, specs)) if watch else None
            try:
                working.append(Worker(config, place, claims))
                await working[0].run()
            finally:
                if following is not None:
                    await tasks.end(following)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        await serving.aclose()
        await store.aclose()


def _told(config: Settings, working: Sequence[Worker]) -> contextlib.AbstractAsyncContextManager[None]:
    """Metrics and readiness; until there is a worker it is Redis that it waits for, or networks."""

    def missing() -> list[str]:
        return working[0].missing() if working else ["a worker: it waits for Redis, or compiles networks"]

    return metrics_server.served(STAGE, config.metrics_host, config.metrics_port, missing)


async def _follow(watch: ModelWatch, specs: dict[str, WindowSpec]) -> None:
    async with contextlib.aclosing(watch.changes()) as changes:
        async for bundles in changes:
            for name, bundle in bundles.items():
                try:
                    specs[name] = WindowSpec.of(bundle)
                except ValueError as error:
                    log.error("model %s is not taken: %s", name, error)
            # Sessions that run read nothing from here any more; a successor of one still may, so none is
            # taken away before this process ends. The gateways refuse new sessions with it.


async def _wait_for_redis(store: redis.asyncio.Redis, stop: asyncio.Event) -> None:
    patience = Patience(stop)
    while not stop.is_set():
        try:
            await store.ping()
        except AWAY as error:
            await patience.after(error)
        else:
            patience.back()
            return


def main(config: Settings) -> None:
    """The process `signstream keypoints`. Exits with status 2 where starting it again would not help."""
    configure_logging(STAGE, config.log_level, config.log_format)
    try:
        watch = ModelWatch(config.model_list, config.watched_folders)
        models = list(watch.start().values())
    except BundleError as error:
        log.error("%s", error)
        raise SystemExit(2) from error
    with traces.exporting(STAGE, config.otlp_endpoint, config.trace_share):
        uvloop.run(serve(config, models, watch=watch))
