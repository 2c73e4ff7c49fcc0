"""From the ordered answers of one isolated model to glosses. Pure; the state packs with msgpack.

Each sign the model names has a run: it opens with the first window in which the sign's probability reaches
`release` and ends when it stays below that for `rest` windows. The first window that speaks for the sign
(`threshold` and `margin`) gives a partial gloss. A run for which `confirm` windows spoke gives one final
gloss when it ends, any other nothing. So rest between two signs, or another sign, makes two glosses, and a
final gloss stands, because nothing that comes later belongs to its run.

A window that holds one whole sign, from the hands' rise to their rest, decides alone: every run ends with it,
and what it speaks for is final at once, from the window's begin to its end, unless a run has told it.

A sign's times are where its probability crosses `release`, interpolated between windows, and `inset` further
out on both sides: the model answers while a window's middle lies at least that deep inside the sign. Hence
they are finer than the stride, and hardly depend on how the windows happen to lie on the sign.
"""

import dataclasses
import math
from typing import Any, Literal, Self

from shared.bundles.manifest import Streaming
from shared.messages import Result

HOLE_SECONDS = 1.0
"""Windows further apart than this are not of one sign; nearer, a hole between them is interpolated over."""

LONGEST_SECONDS = 5.0
"""A sign held longer than this is final at once and once: nobody waits for someone who does not move."""

ALTERNATIVES = 10
"""Readings of a sign that are told; for somebody who learns, the sixth says something too."""


@dataclasses.dataclass(frozen=True)
class GlossDraft:
    """A gloss before it has a place in the transcript. Times in seconds of media time."""

    status: Literal["partial", "final"]
    gloss: str
    confidence: float
    start: float
    end: float
    alternatives: list[tuple[str, float]]
    """The best signs of the window that showed it best, this one among them."""
    captured: float
    capture_ms: float
    keypoints_ms: float
    recognize_ms: float
    """These four are of the window that decided it."""


@dataclasses.dataclass
class _Run:
    """One sign while it lasts."""

    begin: float
    """Where its probability rose through `release`."""
    last: float
    """Middle of the newest window at or above `release`."""
    last_probability: float
    end: float | None = None
    """Where it fell through `release`, once it has."""
    below: int = 0
    """Windows in a row below `release`."""
    agreed: int = 0
    """Windows that spoke for it."""
    best: float = 0.0
    alternatives: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    spent: bool = False
    """Its final gloss is out."""


class IsolatedRule:
    """One session's rule for one model. Results are fed in the order of their `seq`."""

    def __init__(self, streaming: Streaming, background: frozenset[str]) -> None:
        self._rule = streaming
        self._background = background
        self._runs: dict[str, _Run] = {}
        self._first: float | None = None
        self._middle = 0.0
        """Of the newest window."""
        self._before: dict[str, float] = {}
        """Probabilities in it."""
        self._newest: Result | None = None
        self._cleared: float | None = None
        """With the buffer `clear_on_accept`: windows that begin before this are not looked at."""
        self._told: dict[str, float] = {}
        """Where each sign's newest final gloss ended."""
        self._rested: float | None = None
        """Where the newest whole sign ended: windows whose middle lies before that have nothing to add."""

    def feed(self, result: Result) -> list[GlossDraft]:
        """The glosses this window brings. One with an error is a hole and brings none."""
        if result.error or (self._cleared is not None and result.start < self._cleared):
            return []
        middle = (result.start + result.end) / 2
        if result.whole:
            return self._decide(result)
        if self._rested is not None and middle <= self._rested:
            return []
        if self._first is None:
            self._first = middle
        drafts: list[GlossDraft] = []
        if self._before and middle - self._middle > HOLE_SECONDS:
            drafts += self._close_all()
            self._before = {}
        signs = {label: p for label, p in result.top if label not in self._background}
        self._newest = result
        for label in sorted({*self._runs, *signs}):
            drafts += self._follow(label, signs.get(label, 0.0), middle, signs)
        self._middle, self._before = middle, signs
        return drafts + self._accepted(result)

    def finish(self) -> list[GlossDraft]:
        """The session has ended: signs that still last end with it.

        The last window's middle is the last sample of the media, so nothing ends later than that.
        """
        return [dataclasses.replace(draft, end=min(draft.end, self._middle)) for draft in self._close_all()]

    def state(self) -> dict[str, Any]:
        """All of it, for msgpack."""
        return {
            "runs": {label: dataclasses.asdict(run) for label, run in self._runs.items()},
            "first": self._first,
            "middle": self._middle,
            "before": dict(self._before),
            "newest": dataclasses.asdict(self._newest) if self._newest else None,
            "cleared": self._cleared,
            "rested": self._rested,
            "told": dict(self._told),
        }

    @classmethod
    def restore(cls, streaming: Streaming, background: frozenset[str], state: dict[str, Any]) -> Self:
        """A rule that goes on where the other's state was taken, mid-sign if need be."""
        rule = cls(streaming, background)
        rule._runs = {label: _Run(**fields) for label, fields in state["runs"].items()}
        for run in rule._runs.values():
            run.alternatives = [(label, p) for label, p in run.alternatives]
        rule._first, rule._middle = state["first"], state["middle"]
        rule._before = dict(state["before"])
        rule._cleared, rule._rested = state.get("cleared"), state.get("rested")
        rule._told = dict(state.get("told", {}))
        rule._newest = Result.from_fields(state["newest"]) if state["newest"] else None
        return rule

    def _decide(self, result: Result) -> list[GlossDraft]:
        """A whole sign: the hands rest behind it, so nothing that was seen until then goes on."""
        told = self._close_all()
        signs = {label: p for label, p in result.top if label not in self._background}
        self._before, self._rested, self._middle = {}, result.end, max(self._middle, result.end)
        ranked = sorted(signs.items(), key=lambda item: (-item[1], item[0]))[:ALTERNATIVES]
        if not ranked or not self._speaks(*ranked[0], signs):
            return told
        label, p = ranked[0]
        if self._told.get(label, -math.inf) > result.start:
            return told
        self._newest = result
        return [*told, self._made("final", label, p, result.start, result.end, ranked)]

    def _accepted(self, result: Result) -> list[GlossDraft]:
        """As easy_sign empties its buffer with each sign it accepts: that sign is final, and what was seen
        until then is told of no other."""
        accepted = any(run.agreed >= self._rule.confirm for run in self._runs.values())
        if self._rule.buffer != "clear_on_accept" or not accepted:
            return []
        self._cleared, self._before = result.end, {}
        return self._close_all()

    def _follow(self, label: str, p: float, middle: float, signs: dict[str, float]) -> list[GlossDraft]:
        rule, run = self._rule, self._runs.get(label)
        if p < rule.release:
            return [] if run is None else self._fall(label, run, p, middle)
        if run is None:
            run = _Run(self._crossing(self._before.get(label, 0.0), p, middle), middle, p)
            self._runs[label] = run
        run.last, run.last_probability, run.below, run.end = middle, p, 0, None
        if p > run.best:
            ranked = sorted(signs.items(), key=lambda item: (-item[1], item[0]))
            run.best, run.alternatives = p, ranked[:ALTERNATIVES]
        drafts = []
        if self._speaks(label, p, signs):
            run.agreed += 1
            if run.agreed == 1:
                drafts.append(self._draft("partial", label, run, middle))
        if not run.spent and run.agreed >= rule.confirm and middle - run.begin >= LONGEST_SECONDS:
            run.spent = True
            drafts.append(self._draft("final", label, run, middle))
        return drafts

    def _speaks(self, label: str, p: float, signs: dict[str, float]) -> bool:
        next_best = max((other for name, other in signs.items() if name != label), default=0.0)
        return p >= self._rule.threshold and p - next_best >= self._rule.margin

    def _fall(self, label: str, run: _Run, p: float, middle: float) -> list[GlossDraft]:
        run.below += 1
        if run.end is None:
            run.end = self._crossing(run.last_probability, p, middle, run.last)
        return self._close(label) if run.below >= self._rule.rest else []

    def _crossing(self, before: float, p: float, middle: float, since: float | None = None) -> float:
        """Where the probability went through `release` between the window before and this one."""
        if since is None:
            if not self._before:
                return middle
            since = self._middle
        if p == before:
            return middle
        share = (self._rule.release - before) / (p - before)
        return since + min(max(share, 0.0), 1.0) * (middle - since)

    def _close_all(self) -> list[GlossDraft]:
        return [draft for label in sorted(self._runs) for draft in self._close(label)]

    def _close(self, label: str) -> list[GlossDraft]:
        run = self._runs.pop(label)
        if run.spent or run.agreed < self._rule.confirm:
            return []
        return [self._draft("final", label, run, run.last if run.end is None else run.end)]

    def _draft(self, status: Literal["partial", "final"], label: str, run: _Run, end: float) -> GlossDraft:
        newest = self._newest
        assert newest is not None
        assert self._first is not None
        start = max(run.begin - self._rule.inset, self._first, 0.0)
        end = min(end + self._rule.inset, newest.end)
        return self._made(status, label, run.best, start, end, list(run.alternatives))

    def _made(
        self,
        status: Literal["partial", "final"],
        label: str,
        p: float,
        start: float,
        end: float,
        alternatives: list[tuple[str, float]],
    ) -> GlossDraft:
        newest = self._newest
        assert newest is not None
        if status == "final":
            self._told[label] = end
        return GlossDraft(
            status=status,
            gloss=label,
            confidence=p,
            start=start,
            end=end,
            alternatives=alternatives,
            captured=newest.captured,
            capture_ms=newest.capture_ms,
            keypoints_ms=newest.keypoints_ms,
            recognize_ms=newest.recognize_ms,
        )
