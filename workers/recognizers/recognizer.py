"""A window becomes a result."""

import dataclasses
import functools
import logging
import math
import time
from collections.abc import Hashable, Sequence
from typing import Any, Protocol, TypeGuard, TypeVar, cast, runtime_checkable

from shared import keys, traces
from shared.messages import BadMessageError, Result, Symbol, Window

M_co = TypeVar("M_co", covariant=True)
log = logging.getLogger(__name__)

MAX_TRIES = 3
"""The third is not made: a window that ended two workers would end the third."""

TOGETHER_SECONDS = 0.005
"""Of work are begun at once and written together: quick models save round trips to Redis, and no result of a
slow one waits for the next."""


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
        """It will be asked for these next: prepares them. Raises nothing for a window it cannot take."""
        ...

    def run_ahead(self) -> None:
        """The long part: runs its graph on them, without the interpreter's lock."""
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
        return _result(window, **seen, recognize_ms=ahead_ms + since(started))
    except Exception as error:  # a window may hold anything, and the transcript waits for an answer
        return _result(
            window, error=f"{type(error).__name__}: {error}", recognize_ms=ahead_ms + since(started)
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


def since(started: float) -> float:
    """Ms since `time.perf_counter` said so."""
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
