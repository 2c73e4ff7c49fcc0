"""A batch of windows becomes results: what the Faust agent of one model does."""

import asyncio
import dataclasses
import logging
import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, runtime_checkable

from shared import keys
from shared.faust_redis import deliveries
from shared.messages import BadMessageError, Result, Symbol, Window
from workers.recognizers.results import Results

log = logging.getLogger(__name__)

MAX_DELIVERIES = 3
"""The third delivery is not tried: a window that ended two workers would end the third."""


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


class RecognizerAgent:
    """Recognizes one model's windows in a thread, writes each result, then acknowledges. Never raises for a
    window, whatever is in it."""

    def __init__(self, name: str, model: Model, executor: Executor, results: Results) -> None:
        self.name = name
        self.model = model
        self.counts = Counts()
        self._executor = executor
        self._results = results

    async def work(self, events: Sequence[Any]) -> None:
        """Works through a batch of Faust events, oldest first."""
        for event in events:
            await self._one(event)

    async def _one(self, event: Any) -> None:
        window = self._unpack(event.value)
        if window is not None:
            times = deliveries(event.message)
            if times >= MAX_DELIVERIES:
                result = failed(window, f"given up: {times - 1} workers have ended over this window")
            else:
                loop = asyncio.get_running_loop()
                result = await loop.run_in_executor(self._executor, answer, self.name, self.model, window)
            if result.error:
                log.warning("Window %d of %s (%s): %s", window.seq, window.session, self.name, result.error)
            self._count(result, await self._results.write(window.session, result))
        event.ack()

    def _unpack(self, value: bytes | None) -> Window | None:
        try:
            window = Window.unpack(value or b"")
            if not keys.is_session_id(window.session):
                raise BadMessageError(f"Window: session is {window.session[:80]!r}, which is no session id")
            if not (math.isfinite(window.start) and math.isfinite(window.end)):
                raise BadMessageError(
                    f"Window: from {window.start} to {window.end} seconds is no stretch of time"
                )
        except BadMessageError as error:
            self.counts.bad += 1
            log.warning("A message on %s is dropped: %s", keys.windows(self.name), error)
            return None
        return window

    def _count(self, result: Result, written: bool) -> None:
        if not written:
            self.counts.ended += 1
        elif result.error:
            self.counts.errors += 1
        else:
            self.counts.results += 1


def answer(name: str, model: Model, window: Window) -> Result:
    """One window's result; what goes wrong is in its `error`. Runs outside the event loop."""
    started = time.perf_counter()
    try:
        if window.model != name:
            raise ValueError(f"window is for model {window.model!r}, this is {name!r}")
        if isinstance(model, Continuous):
            seen = dataclasses.replace(failed(window, ""), symbols=model.read(window))
        else:
            seen = dataclasses.replace(failed(window, ""), top=model.recognize(window))
        return dataclasses.replace(seen, recognize_ms=(time.perf_counter() - started) * 1000)
    except Exception as error:  # a window may hold anything, and the transcript waits for an answer
        return dataclasses.replace(
            failed(window, f"{type(error).__name__}: {error}"),
            recognize_ms=(time.perf_counter() - started) * 1000,
        )


def failed(window: Window, error: str) -> Result:
    """The window's place and times, without an answer."""
    return Result(
        model=window.model,
        seq=window.seq,
        start=window.start,
        end=window.end,
        error=error,
        captured=_number(window.captured),
        capture_ms=_number(window.capture_ms),
        keypoints_ms=_number(window.keypoints_ms),
    )


def _number(value: object) -> float:
    """Times are for people to read: a sender that got one wrong still gets its answer."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
