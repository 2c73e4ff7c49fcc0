"""From the results of a session's windows to its events: pure, and able to go on in another process.

Takes each window once and in order per model, whatever order and however often the results arrive. The state
packs into the session's hash, in the same step as the events it led to.
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, cast

import msgpack

from gateway.results.isolated import GlossDraft
from gateway.results.progress import Progress
from gateway.results.shortage import Shortage
from shared import sessions
from shared.messages import Last, Length, Note, Record, Result
from shared.sessions import Session

log = logging.getLogger(__name__)

ALTERNATIVES = 5
"""Readings an event tells as `alternatives`; the rest of a draft's stand in `more`."""

HOLE_SECONDS = 2.0
"""A live session goes on past a window nobody answered for this long; a file waits as long as it takes."""

LINE_SECONDS = 1.0
"""A session is told its place in line when it has waited this long, and at most as often."""

Event = dict[str, Any]
"""One event as the socket sends it."""


class Rule(Protocol):
    """How one model's results, in order, become glosses; its state is msgpack-able."""

    def feed(self, result: Result) -> Sequence[GlossDraft]: ...

    def finish(self) -> Sequence[GlossDraft]: ...

    def state(self) -> dict[str, Any]: ...


RuleFactory = Callable[[str, dict[str, Any] | None], Rule]
"""Makes a model's rule, afresh or from its state."""


@dataclasses.dataclass
class _Model:
    rule: Rule
    next: int = 0
    last: int | None = None
    waiting: dict[int, Result] = dataclasses.field(default_factory=dict)
    hole_since: float | None = None
    finished: bool = False


class Transcript:
    """One session's events. `take` each record of `results:{id}`, `tick` in between; both give new events."""

    def __init__(self, session: Session, tasks: Mapping[str, str], rule: RuleFactory) -> None:
        self._session = session
        self._tasks = tasks
        self.seq = 0
        """Of the last event."""
        self.reason = ""
        """Why the state is what it is; empty where there is nothing to say."""
        self._failed = False
        self._end_reason = ""
        self.state = ""
        """The session's state as last told; empty before the first event."""
        self.dropped = 0
        self._models = {name: _Model(rule(name, None)) for name in session.models}
        self._progress = Progress(session.seconds if session.mode == "file" else 0.0)
        self._shortage = Shortage()
        self._place = 0
        self._looked_at = session.created

    @classmethod
    def restore(cls, session: Session, tasks: Mapping[str, str], rule: RuleFactory, packed: bytes) -> Self:
        """Goes on where the owner before packed its state."""
        state = msgpack.unpackb(packed, raw=False, strict_map_key=False)
        self = cls(session, tasks, rule)
        self.seq, self.state, self.reason = state["seq"], state["state"], state["reason"]
        self._failed, self.dropped = state["failed"], state["dropped"]
        self._end_reason = state["end_reason"]
        if "progress" in state:
            self._progress = Progress.restore(state["progress"])
        for name, saved in state["models"].items():
            waiting = {int(seq): Result.unpack(data) for seq, data in saved["waiting"].items()}
            self._models[name] = _Model(
                rule(name, saved["rule"]), saved["next"], saved["last"], waiting, finished=saved["finished"]
            )
        return self

    def pack(self) -> bytes:
        """Everything a successor needs."""
        models = {
            name: {
                "rule": model.rule.state(),
                "next": model.next,
                "last": model.last,
                "waiting": {seq: result.pack() for seq, result in model.waiting.items()},
                "finished": model.finished,
            }
            for name, model in self._models.items()
        }
        state = {
            "seq": self.seq,
            "state": self.state,
            "reason": self.reason,
            "failed": self._failed,
            "end_reason": self._end_reason,
            "dropped": self.dropped,
            "models": models,
            "progress": self._progress.state(),
        }
        return cast(bytes, msgpack.packb(state, use_bin_type=True))

    @property
    def over(self) -> bool:
        """Whether no event follows."""
        return self.state in sessions.OVER

    @property
    def is_waiting(self) -> bool:
        """Whether time alone may soon bring an event: a file's progress, a place in line, a hole, an end to
        what is missing."""
        is_at_rest = self._session.mode != "file" and self.state == sessions.LIVE
        return not is_at_rest or any(model.hole_since is not None for model in self._models.values())

    @property
    def progress(self) -> float | None:
        """The share of a file that is told, 0 to 1; None for cameras."""
        if self._session.mode != "file":
            return None
        return 1.0 if self.state == sessions.ENDED else self._progress.fraction

    def reached(self) -> dict[str, int]:
        """Per model, the seq up to which every window was taken; -1 before the first."""
        return {name: model.next - 1 for name, model in self._models.items()}

    def begin(self) -> list[Event]:
        """The first event of a session nobody has owned yet."""
        return [] if self.state else [self._session_event(sessions.QUEUED)]

    def wants_place(self, now: float) -> bool:
        """Whether it is time to look where in the line for a keypoint worker the session is."""
        if self.state != sessions.QUEUED or now - self._looked_at < LINE_SECONDS:
            return False
        self._looked_at = now
        return True

    def wait_in_line(self, place: int | None) -> list[Event]:
        """The session's place in that line, told when it changes."""
        if place is None or place == self._place or self.state != sessions.QUEUED:
            return []
        self._place = place
        self.reason = f"number {place} in line for a keypoint worker"
        return [self._event("session", state=self.state, reason=self.reason, place=place)]

    def leave_line(self, place: int | None) -> list[Event]:
        """Its publisher has gone: a camera's session that no keypoint worker was given ends at once.

        Nobody would look at what was never recognised, and those behind it move up.
        """
        if place is None or self._session.mode != "live" or self.state != sessions.QUEUED:
            return []
        return [self._session_event(sessions.ENDED, "left while it waited in line")]

    def take(self, record: Record, now: float) -> list[Event]:
        """One record of `results:{id}`; `now` in unix seconds."""
        if isinstance(record, Note):
            return self._note(record, now)
        if isinstance(record, Length):
            self._progress.seconds = self._progress.seconds or record.seconds
            return []
        model = self._models.get(record.model)
        if model is None:
            log.warning("session %s: a record of model %r it does not run", self._session.id, record.model)
            return []
        if isinstance(record, Last):
            model.last = record.seq
        elif record.seq >= model.next:
            # A window answered twice (its worker died between answer and acknowledgement) counts once.
            model.waiting.setdefault(record.seq, record)
        return self._advance(record.model, model, now)

    def tick(self, now: float) -> list[Event]:
        """What time alone brings: how far a file is; that a camera's pictures or answers are missing."""
        events: list[Event] = []
        if self._session.mode == "file":
            fraction = None if self.over else self._progress.tell(len(self._models), now)
            return events if fraction is None else [self._event("progress", fraction=fraction)]
        events += self._look_at_shortage(now)
        for name, model in self._models.items():
            if model.hole_since is not None and now - model.hole_since >= HOLE_SECONDS:
                until = min(model.waiting, default=(model.last or 0) + 1)
                events += self._drop(
                    until - model.next, "windows", f"{name}: no answer within {HOLE_SECONDS:g} s"
                )
                model.next = until
                events += self._advance(name, model, now)
        return events

    def _look_at_shortage(self, now: float) -> list[Event]:
        if self.state == sessions.LIVE and self._shortage.lasts(now, already=False):
            return [self._session_event(sessions.DEGRADED, self._shortage.reason)]
        if self.state == sessions.DEGRADED and not self._shortage.lasts(now, already=True):
            return [self._session_event(sessions.LIVE, "pictures are no longer dropped")]
        return []

    def _advance(self, name: str, model: _Model, now: float) -> list[Event]:
        events: list[Event] = []
        before = model.next
        while (result := model.waiting.pop(model.next, None)) is not None:
            model.next += 1
            self._progress.reach(name, result.end)
            if result.error:
                log.warning("session %s: %s window %d: %s", self._session.id, name, result.seq, result.error)
            events += [self._gloss_event(name, draft, now) for draft in model.rule.feed(result)]
        complete = model.last is not None and model.next > model.last
        if complete and not model.finished:
            model.finished = True
            events += [self._gloss_event(name, draft, now) for draft in model.rule.finish()]
        waits = bool(model.waiting) or (model.last is not None and not complete)
        if not waits:
            model.hole_since = None
        elif model.hole_since is None or model.next > before:
            model.hole_since = now
        if all(other.finished for other in self._models.values()) and not self.over:
            state = sessions.FAILED if self._failed else sessions.ENDED
            events.append(self._session_event(state, self._end_reason))
        return events

    def _note(self, note: Note, now: float) -> list[Event]:
        events: list[Event] = []
        if note.dropped:
            self._shortage.count(note.dropped, now)
            events = self._drop(note.dropped, note.what, note.reason)
        if note.state == sessions.FAILED:
            self._failed = True
        if note.state in sessions.OVER:
            # Told when every model has come to its last window, as the session's last event.
            self._end_reason = self._end_reason or note.reason
            return events
        known = self.state == note.state or (self.state, note.state) == (sessions.DEGRADED, sessions.LIVE)
        if note.state and not known and not self.over:  # an owner's `live` only says that there is one
            events.append(self._session_event(note.state, note.reason))
        return events

    def _drop(self, count: int, what: str, reason: str) -> list[Event]:
        self.dropped += count
        return [self._event("dropped", count=count, what=what, reason=reason)]

    def _session_event(self, state: str, reason: str = "") -> Event:
        self.state, self.reason = state, reason
        return self._event("session", state=state, reason=reason)

    def _gloss_event(self, name: str, draft: GlossDraft, now: float) -> Event:
        told = {"capture": draft.capture_ms, "keypoints": draft.keypoints_ms, "recognize": draft.recognize_ms}
        known = sum(told.values())
        # A file's frames have no capture time: what it waited for is the file's own affair.
        total = max(known, (now - draft.captured) * 1000) if draft.captured else known
        ranked = [{"gloss": label, "confidence": round(p, 4)} for label, p in draft.alternatives]
        latency = {**told, "publish": total - known, "total": total}
        return self._event(
            "gloss",
            status=draft.status,
            model=name,
            task=self._tasks[name],
            gloss=draft.gloss,
            confidence=round(draft.confidence, 4),
            start=round(draft.start, 3),
            end=round(draft.end, 3),
            alternatives=ranked[:ALTERNATIVES],
            more=ranked[ALTERNATIVES:],
            latency_ms={stage: round(ms, 1) for stage, ms in latency.items()},
        )

    def _event(self, kind: str, **fields: Any) -> Event:
        self.seq += 1
        head = {"seq": self.seq, "session": self._session.id, "epoch": self._session.epoch, "type": kind}
        return {**head, **fields}
