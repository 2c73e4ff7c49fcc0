"""What the Faust agent of one model does with its windows: a thread answers, the loop writes."""

import asyncio
import dataclasses
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from shared import keys, metrics
from shared.faust_redis import deliveries, give_back
from shared.messages import BadMessageError, Window
from workers.recognizers.ahead import SIDE_BY_SIDE
from workers.recognizers.recognizer import (
    MAX_TRIES,
    Counts,
    Model,
    Picks,
    answer,
    failed,
    looks_ahead,
    since,
    traced,
    unpack,
)
from workers.recognizers.results import Results

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose turn has not come."""

    event: Any
    times: int
    """How often it was handed to a worker, this time included."""

    @property
    def is_suspect(self) -> bool:
        """Whether a worker has ended while it had this message."""
        return self.times > 1


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one message came to."""

    session: str
    """Empty for a message that is no window."""
    packed: bytes = b""
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """A message that may be acknowledged once its answer is written."""

    event: Any
    answer: Answer


class RecognizerAgent:
    """Recognizes one model's windows in a thread, writes the results, then acknowledges. Never raises for a
    window, whatever is in it.

    The thread takes what waits for itself, without a word of the event loop between two windows: waiting for
    the loop took a fifth of its time. Both share one interpreter lock, so answers are handed to the loop as
    the graph is about to run, which leaves the lock alone for long enough to write them.
    """

    def __init__(
        self,
        name: str,
        versions: Picks[Model],
        executor: Executor,
        results: Results,
        *,
        together: int = SIDE_BY_SIDE,
        most: int = 64,
    ) -> None:
        """`executor` has one thread. `together` windows are begun at once; with `most` held `work` waits."""
        self.name = name
        self.versions = versions
        self.counts = Counts()
        self._executor = executor
        self._results = results
        self._together, self._most = together, most
        self._waiting: deque[Waiting] = deque()
        """Filled by the loop, emptied by the thread."""
        self._at_waiting = threading.Lock()
        """Held by who takes from it."""
        self._is_closed = False
        self._answering: asyncio.Future[None] | None = None
        self._answered: list[Answered] = []
        self._writing: asyncio.Task[None] | None = None
        self._held = 0
        """Windows that were taken and are neither acknowledged nor let go."""
        self._less = asyncio.Event()
        self._failed: BaseException | None = None

    async def work(self, events: Sequence[Any]) -> None:
        """Takes a batch of Faust events, oldest first.

        They may still be waiting when it returns: the next are then at hand when their turn comes. Raises
        what kept earlier ones from being answered or written; those are not acknowledged.
        """
        self._held += len(events)
        self._waiting.extend(Waiting(event, deliveries(event.message)) for event in events)
        if self._is_closed:
            self._give_back_waiting()
        self._go_on()
        await self._until_held(self._most)

    async def close(self) -> None:
        """Lets go of what waits, for another worker, and returns when the results of the rest are in Redis.
        A window is acknowledged then and no sooner."""
        self._is_closed = True
        self._give_back_waiting()
        await self._until_held(0)

    def _give_back_waiting(self) -> None:
        # Dropping them is not enough: Faust waits at its end for every message that somebody holds.
        with self._at_waiting:
            kept = [one for one in self._waiting if not give_back(one.event.message)]
            self._let_go(len(self._waiting) - len(kept))
            self._waiting = deque(kept)

    async def _until_held(self, most: int) -> None:
        while self._held > most and self._failed is None:
            self._less.clear()
            await self._less.wait()
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def _go_on(self) -> None:
        if self._answering is None and self._waiting:
            loop = asyncio.get_running_loop()
            self._answering = loop.run_in_executor(self._executor, self._answer_waiting, loop)
            self._answering.add_done_callback(self._pause)

    def _pause(self, answering: asyncio.Future[None]) -> None:
        self._answering = None
        if not answering.cancelled():
            self._fail(answering.exception())
            self._go_on()

    def _fail(self, error: BaseException | None) -> None:
        self._failed = self._failed or error
        self._less.set()

    def _take(self, answered: Sequence[Answered]) -> None:
        self._answered += answered
        if self._writing is None and self._answered:
            self._writing = asyncio.create_task(self._write_answered(), name=f"results of {self.name}")

    async def _write_answered(self) -> None:
        """One write after the other, each with all that was answered meanwhile."""
        while self._answered:
            answered, self._answered = self._answered, []
            try:
                await self._write([one.answer for one in answered])
                for one in answered:
                    one.event.ack()
            except Exception as error:  # told by the next call of `work` or `close`
                self._fail(error)
            finally:
                self._let_go(len(answered))
        self._writing = None

    def _let_go(self, count: int) -> None:
        self._held -= count
        self._less.set()

    def _answer_waiting(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answers what waits until nothing does. Runs outside the event loop."""
        some: list[Waiting] = []
        answered: list[Answered] = []
        try:
            while some := self._next():
                windows = [self._opened(one.event.value) for one in some]
                models, ms = self._look_ahead([window for window in windows if isinstance(window, Window)])
                before, answered = answered, []
                loop.call_soon_threadsafe(self._take, before)
                ms += run_ahead(models) / len(some)
                model = iter(models)
                tries = [self._try(window, one, loop) for window, one in zip(windows, some, strict=True)]
                answers = [
                    window if isinstance(window, Answer) else self._one(window, next(model), times, ms)
                    for window, times in zip(windows, tries, strict=True)
                ]
                answered = [Answered(one.event, its) for one, its in zip(some, answers, strict=True)]
        finally:
            loop.call_soon_threadsafe(self._take, answered)
            loop.call_soon_threadsafe(self._let_go, len(some))

    def _next(self) -> list[Waiting]:
        """Those that are begun at once. One that has ended a worker before is alone: the others are not to
        share its fate again."""
        some: list[Waiting] = []
        with self._at_waiting:
            while self._waiting and len(some) < self._together and not (some and self._waiting[0].is_suspect):
                some.append(self._waiting.popleft())
                if some[0].is_suspect:
                    break
        return some

    def _opened(self, value: bytes | None) -> Window | Answer:
        try:
            return unpack(value)
        except BadMessageError as error:
            return Answer("", error=str(error))

    def _look_ahead(self, windows: Sequence[Window]) -> tuple[list[Model], float]:
        """The model for each window; those that may have prepared them, in so many ms a window."""
        started, now = time.perf_counter(), time.time()
        for window in windows:
            if window.sent:
                metrics.WINDOW_WAIT.observe(max(0.0, now - window.sent), self.name)
        models = [self.versions.pick(window) for window in windows]
        for model in each(models):
            its = [window for window, one in zip(windows, models, strict=True) if one is model]
            if looks_ahead(model):
                model.look_ahead(its)
        return models, since(started) / max(1, len(windows))

    def _try(self, window: Window | Answer, one: Waiting, loop: asyncio.AbstractEventLoop) -> int:
        """Which try this is. How often a window was handed out does not tell: it may have waited each time
        behind the one that ended the worker."""
        if isinstance(window, Answer) or not one.is_suspect:
            return 1
        begin = self._results.begin(window.session, self.name, window.seq)
        return 1 + asyncio.run_coroutine_threadsafe(begin, loop).result()

    def _one(self, window: Window, model: Model, times: int, ahead_ms: float) -> Answer:
        if times >= MAX_TRIES:
            result = failed(window, f"given up: {times - 1} workers have ended over this window")
        else:
            result = answer(self.name, model, window, ahead_ms)
            metrics.RECOGNIZE.observe(result.recognize_ms / 1000, self.name)
        result = traced(window, result)
        complaint = f"Window {window.seq} of {window.session}: {result.error}" if result.error else ""
        return Answer(window.session, result.pack(), complaint)

    async def _write(self, answers: Sequence[Answer]) -> None:
        """Returns when every result is in Redis, or nobody waits for it."""
        by_session: dict[str, list[bytes]] = defaultdict(list)
        for one in answers:
            if one.session:
                by_session[one.session].append(one.packed)
        written = await self._results.write(by_session) if by_session else {}
        for one in answers:
            if not one.session:
                self.counts.bad += 1
                log.warning("A message on %s is dropped: %s", keys.windows(self.name), one.error)
            elif not written[one.session]:
                self.counts.ended += 1
            elif one.error:
                self.counts.errors += 1
                log.warning("%s: %s", self.name, one.error)
            else:
                self.counts.results += 1


def run_ahead(models: Sequence[Model]) -> float:
    """Each model once, on what it was shown; the ms that took."""
    started = time.perf_counter()
    for model in each(models):
        if looks_ahead(model):
            model.run_ahead()
    return since(started)


def each(models: Sequence[Model]) -> list[Model]:
    """Without those that come again. (A model need not be hashable.)"""
    return list({id(model): model for model in models}.values())
