"""One reader a session and process, however many listen: events from `glosses:{id}`, landmarks for overlays.

What is read once is handed to every listener's own bounded queue. A listener of events that falls behind
takes the rest from Redis at its own pace, so nothing is lost to it and nobody waits for it; a listener of
landmarks gets the newest.
"""

import abc
import asyncio
import collections
import contextlib
import functools
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Generic, TypeVar, cast

import msgpack
import redis.asyncio
from redis.exceptions import RedisError

from gateway.results import log
from gateway.results.transcript import Event
from shared import keys, sessions, tasks

logger = logging.getLogger(__name__)

QUEUE_EVENTS = 256
"""Half a minute of a busy session; a listener further behind reads what Redis keeps."""

QUEUE_LANDMARKS = 2
"""An overlay draws the newest picture; older ones are worth nothing."""

LOOK_SECONDS = 2.0
"""After this much silence an overlay looks whether its session is over."""


class Told:
    """One event, and how each subprotocol spells it, spelt once for all who hear it."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.seq: int = event["seq"]

    @functools.cached_property
    def text(self) -> str:
        return json.dumps(self.event, ensure_ascii=False)

    @functools.cached_property
    def packed(self) -> bytes:
        return cast(bytes, msgpack.packb(self.event))


T = TypeVar("T")
R = TypeVar("R", bound="Relay[Any]")


class Listener(Generic[T]):
    """One listener's queue. When it is full the oldest give way, and `behind` says so."""

    def __init__(self, size: int) -> None:
        self.behind = False
        self._queue: collections.deque[T] = collections.deque(maxlen=size)
        self._ended = False
        self._error: BaseException | None = None
        self._woken = asyncio.Event()

    def put(self, item: T) -> None:
        self.behind = self.behind or len(self._queue) == self._queue.maxlen
        self._queue.append(item)
        self._woken.set()

    def end(self, error: BaseException | None) -> None:
        """Nothing follows; `error` is why, where it is a fault."""
        self._ended, self._error = True, error
        self._woken.set()

    def start_again(self) -> None:
        """Forgets what is queued: it will be read elsewhere."""
        self._queue.clear()
        self.behind = False

    async def get(self) -> T | None:
        """The next item; None when nothing follows. Raises what ended it."""
        while not self._queue:
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            self._woken.clear()
            await self._woken.wait()
        return self._queue.popleft()


class Relay(abc.ABC, Generic[T]):
    """One reader and those who listen to it."""

    queue: int
    """Items a listener may be behind."""

    def __init__(self, store: redis.asyncio.Redis, session: str) -> None:
        self.over = False
        self._store = store
        self._session = session
        self._listeners: set[Listener[T]] = set()
        self._reading = asyncio.create_task(self._read(), name=f"relay {session}")

    def __len__(self) -> int:
        return len(self._listeners)

    def join(self) -> Listener[T]:
        listener: Listener[T] = Listener(self.queue)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener[T]) -> None:
        self._listeners.discard(listener)

    async def aclose(self) -> None:
        await tasks.end(self._reading)

    @abc.abstractmethod
    def _items(self) -> AsyncIterator[T]:
        """What the session says, until nothing follows. Raises RedisError."""

    async def _read(self) -> None:
        error: BaseException | None = None
        try:
            async with contextlib.aclosing(cast(AsyncGenerator[T, None], self._items())) as items:
                async for item in items:
                    for listener in self._listeners:
                        listener.put(item)
        except RedisError as fault:
            error = fault
        except Exception as fault:
            logger.exception("session %s: its reader stopped", self._session)
            error = fault
        finally:
            self.over = True
            for listener in self._listeners:
                listener.end(error)


class EventRelay(Relay[Told]):
    """A session's events, from where its first listener wants them."""

    queue = QUEUE_EVENTS

    def __init__(self, store: redis.asyncio.Redis, session: str, after: int) -> None:
        self.position = after
        """Seq of the last event read."""
        super().__init__(store, session)

    async def _items(self) -> AsyncIterator[Told]:
        async for event in log.follow(self._store, self._session, self.position):
            self.position = event["seq"]
            yield Told(event)


class LandmarkRelay(Relay[bytes]):
    """A session's landmarks, as the keypoint worker publishes them."""

    queue = QUEUE_LANDMARKS

    async def _items(self) -> AsyncIterator[bytes]:
        async with self._store.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(keys.landmarks(self._session))
            while True:
                message = await channel.get_message(timeout=LOOK_SECONDS)
                if message is not None:
                    yield message["data"]
                elif await self._is_over():
                    return

    async def _is_over(self) -> bool:
        """Not before its first frame: silence then means only that a camera is still to come."""
        state = await self._store.hget(keys.session(self._session), "state")
        return state is None or cast(bytes, state).decode() in sessions.OVER


class Relays:
    """The relays of one process, each as long as somebody listens."""

    def __init__(self) -> None:
        self._relays: dict[str, Relay[Any]] = {}

    def __len__(self) -> int:
        return len(self._relays)

    async def events(
        self, store: redis.asyncio.Redis, session: str, after: int
    ) -> AsyncGenerator[Told, None]:
        """Events with seq > `after` as they come, until the session's last. Close it (`aclosing`).

        Raises RedisError when the store is away, log.CannotReplayError when what this listener still has to
        hear is no longer kept.
        """
        last = after
        key = keys.glosses(session)
        async with self._listening(key, lambda: EventRelay(store, session, after)) as (relay, listener):
            # What was read before we came is not in our queue.
            listener.behind = relay.position > after
            while True:
                if listener.behind:
                    listener.start_again()
                    async for told in _kept(store, session, last):
                        yield told
                        last = told.seq
                coming = await listener.get()
                if coming is None and not listener.behind:
                    return
                if coming is None or listener.behind or coming.seq <= last:
                    continue
                _require_next(coming, last)
                yield coming
                last = coming.seq

    async def landmarks(self, store: redis.asyncio.Redis, session: str) -> AsyncGenerator[bytes, None]:
        """The newest landmarks as they come, until the session is over. Close it (`aclosing`)."""
        key = keys.landmarks(session)
        async with self._listening(key, lambda: LandmarkRelay(store, session)) as (_, listener):
            while (item := await listener.get()) is not None:
                yield item

    @contextlib.asynccontextmanager
    async def _listening(self, key: str, make: Callable[[], R]) -> AsyncIterator[tuple[R, Listener[Any]]]:
        relay = cast(R | None, self._relays.get(key))
        if relay is None or relay.over:
            relay = self._relays[key] = make()
        listener = relay.join()
        try:
            yield relay, listener
        finally:
            relay.leave(listener)
            if not len(relay):
                if self._relays.get(key) is relay:
                    del self._relays[key]
                await relay.aclose()


async def _kept(store: redis.asyncio.Redis, session: str, after: int) -> AsyncIterator[Told]:
    """What Redis has, page by page. Raises CannotReplayError where it begins too late."""
    while True:
        page: Any = await store.xrange(keys.glosses(session), min=f"{after + 1}-0", count=log.READ_COUNT)
        for _, fields in page:
            told = Told(log.unpack(fields))
            _require_next(told, after)
            yield told
            after = told.seq
        if len(page) < log.READ_COUNT:
            return


def _require_next(told: Told, last: int) -> None:
    if told.seq > last + 1:
        raise log.CannotReplayError(f"cannot replay: events {last + 1} to {told.seq - 1} are no longer kept")
