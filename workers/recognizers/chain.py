"""Windows of a streaming graph become results, each on top of the window before: what its Faust agent does.

Any worker may take the next window of a session: the states lie in Redis. One that comes before its turn, as
when another worker still has the window before, is set aside and taken up when that one's result appears. Too
many set aside are given back; one whose turn does not come goes on without the states, and says so.
"""

import asyncio
import dataclasses
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, runtime_checkable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import keys, metrics, tasks
from shared.faust_redis import give_back
from shared.messages import BadMessageError, Result, Symbol, Window
from workers.recognizers.recognizer import MAX_TRIES, Counts, Picks, failed, traced, unpack
from workers.recognizers.states import SESSION_OVER, Beginning, Carried, States, StateStore

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 15.0
"""A window waits this long for the one before: more than twice what taking over from a dead worker takes."""

GAP_TICKS = 1.5
"""A window that begins later than this behind the last one is of another stretch: the states begin afresh."""


@runtime_checkable
class Streaming(Protocol):
    """What reads chunks one on top of the other; `workers.recognizers.reader.ChunkReader` is one."""

    def advance(self, window: Window, states: States | None) -> tuple[list[Symbol], States]:
        """A chunk's symbols and the states behind it. Raises ValueError for a window it cannot take."""
        ...

    @property
    def fps(self) -> float:
        """Samples a second."""
        ...


@dataclasses.dataclass
class _Waiting:
    """A window that is not acknowledged yet."""

    event: Any
    window: Window
    since: float


@dataclasses.dataclass
class _Session:
    """The windows of one session that this worker holds, by seq."""

    windows: dict[int, _Waiting] = dataclasses.field(default_factory=dict)
    turn: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    waiting: asyncio.Task[None] | None = None


class ChainAgent:
    """Answers one streaming model's windows, session by session in order. Never raises for a window."""

    def __init__(
        self,
        name: str,
        versions: Picks[Streaming],
        executor: Executor,
        redis: Redis,
        *,
        aside: int = 8,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`aside` windows wait here at most: one batch, of the two that a worker holds, so that there is room
        for the window they wait for."""
        self.name = name
        self.counts = Counts()
        self._versions, self._executor = versions, executor
        self._aside, self._patience = aside, patience_seconds
        self._store = StateStore(redis, name)
        self._sessions: defaultdict[str, _Session] = defaultdict(_Session)
        self._is_closed = False

    async def work(self, events: Sequence[Any]) -> None:
        """Takes a batch of Faust events; answers those whose turn it is, and those that it comes to."""
        touched = {}
        for event in events:
            try:
                window = unpack(event.value)
            except BadMessageError as error:
                self.counts.bad += 1
                log.warning("A message on %s is dropped: %s", keys.windows(self.name), error)
                event.ack()
                continue
            # One that is handed out again replaces what we hold of it: that was taken from us.
            self._sessions[window.session].windows[window.seq] = _Waiting(event, window, time.monotonic())
            touched[window.session] = True
        for session in touched:
            await self._advance(session)
        self._give_back_the_newest()

    async def close(self) -> None:
        """Lets go of what is set aside: it goes to another worker. From now on nothing is: Faust waits at its
        end for every message that somebody holds."""
        self._is_closed = True
        waiting = [held.waiting for held in self._sessions.values() if held.waiting is not None]
        for held in self._sessions.values():
            _let_go(held)
        self._sessions.clear()
        await tasks.end(*waiting)

    async def _advance(self, session: str) -> None:
        """Answers the session's windows as long as it is their turn."""
        held = self._sessions[session]
        async with held.turn:
            while held.windows and not self._is_closed:
                seq = min(held.windows)
                one = held.windows[seq]
                beginning = await self._store.begin(session, seq)
                if beginning.seq == SESSION_OVER:
                    self.counts.ended += 1
                elif beginning.seq < seq - 1 and time.monotonic() - one.since < self._patience:
                    break
                elif beginning.seq < seq and not await self._answer(one, beginning):
                    continue
                # What has its result already was written by a worker that ended before it could say so.
                if held.windows.get(seq) is one:
                    del held.windows[seq]
                one.event.ack()
        if self._is_closed:
            _let_go(held)
        if not held.windows and held.waiting is None:
            self._sessions.pop(session, None)
        elif held.waiting is None:
            held.waiting = asyncio.create_task(self._wait(session, held), name=f"chain-{session}")

    async def _answer(self, one: _Waiting, beginning: Beginning) -> bool:
        """False where the chain went on meanwhile, and the window is to be looked at again."""
        window = one.window
        loop = asyncio.get_running_loop()
        result, carried = await loop.run_in_executor(self._executor, self._chunk, window, beginning)
        written = await self._store.write(window.session, window.seq, beginning.seq, result.pack(), carried)
        if written == "ended":
            self.counts.ended += 1
        elif result.error and written == "written":
            self.counts.errors += 1
            log.warning("%s: Window %d of %s: %s", self.name, window.seq, window.session, result.error)
        elif written == "written":
            self.counts.results += 1
        return written != "elsewhere"

    def _chunk(self, window: Window, beginning: Beginning) -> tuple[Result, bytes]:
        """The window's result and the states behind it, packed. Runs outside the event loop."""
        started = time.perf_counter()
        if window.sent:
            metrics.WINDOW_WAIT.observe(max(0.0, time.time() - window.sent), self.name)
        before = beginning.carried or b""
        if beginning.tries >= MAX_TRIES:
            return failed(
                window, f"given up: {beginning.tries - 1} workers have ended over this window"
            ), before
        if beginning.seq != window.seq - 1:
            before = b""
            log.warning(
                "%s: Window %d of %s goes on without states: the one before has no result in %g s",
                self.name,
                window.seq,
                window.session,
                self._patience,
            )
        try:
            if window.model != self.name:
                raise ValueError(f"window is for model {window.model!r}, this is {self.name!r}")
            model = self._versions.pick(window)
            symbols, states = model.advance(window, self._states(window, before, model.fps))
            after = Carried(states, window.end).pack()
            result = dataclasses.replace(failed(window, ""), symbols=symbols)
        except Exception as error:  # a window may hold anything, and the transcript waits for an answer
            result, after = failed(window, f"{type(error).__name__}: {error}"), before
        seconds = time.perf_counter() - started
        metrics.RECOGNIZE.observe(seconds, self.name)
        return traced(window, dataclasses.replace(result, recognize_ms=seconds * 1000)), after

    def _states(self, window: Window, before: bytes, fps: float) -> States | None:
        if not before:
            return None
        carried = Carried.unpack(before)
        return None if window.start - carried.end > GAP_TICKS / fps else carried.states

    async def _wait(self, session: str, held: _Session) -> None:
        """Until the windows set aside have had their turn."""
        try:
            while held.windows:
                newest = await self._store.newest_result(session)
                oldest = min(held.windows)
                # Looked at behind `newest`: a result between the two is not missed.
                if await self._store.stands_at(session) < oldest - 1:
                    left = held.windows[oldest].since + self._patience - time.monotonic()
                    await self._store.wait(session, newest, max(left, 0.0))
                await self._advance(session)
        except RedisError:
            # The windows are not acknowledged: they come again, here or elsewhere.
            log.exception("%s: the windows of session %s are given back", self.name, session)
        finally:
            _let_go(held)
            held.waiting = None
            self._sessions.pop(session, None)

    def _give_back_the_newest(self) -> None:
        """Windows that nobody holds any more go back to Redis, for whoever has room."""
        aside = sorted((seq, session) for session, held in self._sessions.items() for seq in held.windows)
        for seq, session in aside[self._aside :]:
            windows = self._sessions[session].windows
            if give_back(windows[seq].event.message):
                del windows[seq]


def _let_go(held: _Session) -> None:
    """Of all its windows, for another worker. Dropping them is not enough: the stream has its last batch."""
    for one in held.windows.values():
        give_back(one.event.message)
    held.windows.clear()
