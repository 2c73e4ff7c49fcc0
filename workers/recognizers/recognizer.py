"""Windows become results: what the Faust agent of one model does."""

import asyncio
import dataclasses
import functools
import logging
import math
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, TypeGuard, TypeVar, cast, runtime_checkable

from shared import keys, metrics, traces
from shared.faust_redis import deliveries
from shared.messages import BadMessageError, Result, Symbol, Window
from workers.recognizers.ahead import SIDE_BY_SIDE
from workers.recognizers.results import Results

M_co = TypeVar("M_co", covariant=True)
log = logging.getLogger(__name__)

MAX_DELIVERIES = 3
"""The third delivery is not tried: a window that ended two workers would end the third."""

TURN_SECONDS = 0.01
"""Windows are answered one after another until this is over, then their results are written together: quick
models save round trips to Redis and to the thread, and no result of a slow one waits for the next."""


class Isolated(Protocol):
    """What has one answer a window; `workers.recognizers.graphs.Recognizer` is one."""

    def recognize(self, window: Window) -> list[tuple[str, float]]:
        """(label, probability) pairs, best first. Raises ValueError for a window it cannot take."""
        ...


@runtime_checkable
class Continuous(Protocol):
    """What reads symbols off a window; `workers.recognizers.reader.Reader` is one."""

    def read(self, window: Window) -> list[Symbol]:
        """Symbols in order. Raises ValueError for a window it cannot take."""
        ...


Model = Isolated | Continuous


@runtime_checkable
class LookingAhead(Protocol):
    """A model that has less work with windows that it sees side by side."""

    def look_ahead(self, windows: Sequence[Window]) -> None:
        """It will be asked for these next. Raises nothing for a window it cannot take."""
        ...


def is_continuous(model: Model) -> TypeGuard[Continuous]:
    """Whether it reads symbols."""
    return _has(cast(Hashable, type(model)), Continuous)


def looks_ahead(model: Any) -> TypeGuard[LookingAhead]:
    """Whether it works ahead."""
    return _has(cast(Hashable, type(model)), LookingAhead)


@functools.cache
def _has(kind: Hashable, protocol: type) -> bool:
    # Asked once a class: looking through a protocol takes 25 us, a tenth of a quick model's window.
    return issubclass(cast(type, kind), protocol)


class Picks(Protocol[M_co]):
    """What knows the model for a window; `workers.recognizers.versions.Versions` is one."""

    def pick(self, window: Window) -> M_co:
        """The version it was made for."""
        ...


@dataclasses.dataclass
class Counts:
    """What one model's agent has done; read it for metrics."""

    results: int = 0
    """Answers written."""
    errors: int = 0
    """Windows answered with an error."""
    bad: int = 0
    """Messages that are no window; there is no session to tell."""
    ended: int = 0
    """Results nobody waits for any more."""

    @property
    def total(self) -> int:
        """Messages dealt with."""
        return self.results + self.errors + self.bad + self.ended


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one message came to."""

    session: str
    """Empty for a message that is no window."""
    packed: bytes = b""
    error: str = ""


class RecognizerAgent:
    """Recognizes one model's windows in a thread, writes the results, then acknowledges. Never raises for a
    window, whatever is in it."""

    def __init__(self, name: str, versions: Picks[Model], executor: Executor, results: Results) -> None:
        self.name = name
        self.versions = versions
        self.counts = Counts()
        self._executor = executor
        self._results = results
        self._writing: asyncio.Task[None] | None = None

    async def work(self, events: Sequence[Any]) -> None:
        """Works through a batch of Faust events, oldest first.

        The last results may still be on their way when it returns: the next windows need not wait for them.
        """
        messages = [(event.value, deliveries(event.message)) for event in events]
        loop = asyncio.get_running_loop()
        done = 0
        while done < len(events):
            # Alone where it has ended a worker before: the others are not to share its fate again.
            end = next((i for i in range(done, len(events)) if messages[i][1] > 1), len(events))
            turn = messages[done : max(end, done + 1)]
            answers = await loop.run_in_executor(self._executor, self._turn, turn)
            await self.close()
            self._writing = asyncio.create_task(
                self._finish(events[done : done + len(answers)], answers), name=f"results of {self.name}"
            )
            done += len(answers)

    async def close(self) -> None:
        """Returns when all results are in Redis. A window is acknowledged then and no sooner."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await asyncio.shield(writing)

    async def _finish(self, events: Sequence[Any], answers: Sequence[Answer]) -> None:
        await self._write(answers)
        for event in events:
            event.ack()

    def _turn(self, messages: Sequence[tuple[bytes | None, int]]) -> list[Answer]:
        """Answers the first, and the next while there is time. Runs outside the event loop."""
        until = time.perf_counter() + TURN_SECONDS
        answers: list[Answer] = []
        while len(answers) < len(messages) and (not answers or time.perf_counter() < until):
            some = messages[len(answers) : len(answers) + SIDE_BY_SIDE]
            windows = [self._opened(value) for value, _ in some]
            models, ms = self._look_ahead([window for window in windows if isinstance(window, Window)])
            for window, (_, times) in zip(windows, some, strict=True):
                if isinstance(window, Answer):
                    answers.append(window)
                    continue
                model = next(models)
                answers.append(self._one(window, model, times, ms))
                # What is prepared is answered too: it is little, and would be prepared again.
                if time.perf_counter() >= until and not looks_ahead(model):
                    break
        return answers

    def _opened(self, value: bytes | None) -> Window | Answer:
        try:
            return unpack(value)
        except BadMessageError as error:
            return Answer("", error=str(error))

    def _look_ahead(self, windows: Sequence[Window]) -> tuple[Iterator[Model], float]:
        """The model for each window; those that may have worked ahead on them, for so many ms a window."""
        started, now = time.perf_counter(), time.time()
        for window in windows:
            if window.sent:
                metrics.WINDOW_WAIT.observe(max(0.0, now - window.sent), self.name)
        models = [self.versions.pick(window) for window in windows]
        for model in {id(model): model for model in models}.values():
            its = [window for window, one in zip(windows, models, strict=True) if one is model]
            if looks_ahead(model):
                model.look_ahead(its)
        return iter(models), _since(started) / max(1, len(windows))

    def _one(self, window: Window, model: Model, times: int, ahead_ms: float) -> Answer:
        if times >= MAX_DELIVERIES:
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


def unpack(value: bytes | None) -> Window:
    """The window in a message. Raises BadMessageError, also for one that nobody could answer."""
    window = Window.unpack(value or b"")
    if not keys.is_session_id(window.session):
        raise BadMessageError(f"Window: session is {window.session[:80]!r}, which is no session id")
    if not (math.isfinite(window.start) and math.isfinite(window.end)):
        raise BadMessageError(f"Window: from {window.start} to {window.end} seconds is no stretch of time")
    return window


def answer(name: str, model: Model, window: Window, ahead_ms: float = 0.0) -> Result:
    """One window's result; what goes wrong is in its `error`. Runs outside the event loop.

    `ahead_ms` is what it cost before its turn.
    """
    started = time.perf_counter()
    try:
        if window.model != name:
            raise ValueError(f"window is for model {window.model!r}, this is {name!r}")
        seen: dict[str, Any] = {}
        if is_continuous(model):
            seen["symbols"] = model.read(window)
        else:
            seen["top"] = cast(Isolated, model).recognize(window)
        return _result(window, **seen, recognize_ms=ahead_ms + _since(started))
    except Exception as error:  # a window may hold anything, and the transcript waits for an answer
        return _result(
            window, error=f"{type(error).__name__}: {error}", recognize_ms=ahead_ms + _since(started)
        )


def traced(window: Window, result: Result) -> Result:
    """With the trace of the window's frame, one span further, where it is followed."""
    if not window.trace:
        return result
    now = time.time()
    begun = now - result.recognize_ms / 1000
    said: dict[str, traces.Value] = {
        "session": window.session,
        "model": window.model,
        "window.seq": window.seq,
        "waited_ms": 1000 * max(0.0, begun - window.sent),
    }
    context = traces.span(window.trace, "recognize", begun, now, said)
    return dataclasses.replace(result, trace=context)


def failed(window: Window, error: str) -> Result:
    """The window's place and times, without an answer."""
    return _result(window, error=error)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _result(window: Window, **seen: Any) -> Result:
    return Result(
        model=window.model,
        seq=window.seq,
        start=window.start,
        end=window.end,
        captured=_number(window.captured),
        capture_ms=_number(window.capture_ms),
        keypoints_ms=_number(window.keypoints_ms),
        whole=window.whole,
        **seen,
    )


def _number(value: object) -> float:
    """Times are for people to read: a sender that got one wrong still gets its answer."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
