"""Where the knee is: how many users are carried, found by steps. Pure."""

import dataclasses
from collections.abc import Sequence

from loadtests.tally import percentile

PART = 95.0


@dataclasses.dataclass(frozen=True)
class Step:
    """What so many users met. Percentiles are the 95th, 0 where nothing was measured."""

    users: int
    final_ms: float
    frame_age_ms: float
    asked: int
    """Sessions that wanted to be taken, and other things that could fail."""
    failed: int
    dropped_per_mille: float
    late_ms: float
    """By which frames were sent late: the load test's own fault."""

    @classmethod
    def of(cls, users: int, values: dict[str, Sequence[float]], asked: int, failed: int) -> "Step":
        """`values` by `final`, `age`, `dropped` and `late`, as measured."""

        def of(name: str, part: float = PART) -> float:
            return percentile(values[name], part) if values.get(name) else 0.0

        return cls(users, of("final"), of("age"), asked, failed, of("dropped", 50.0), of("late"))


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Beyond which users are not carried."""

    failed_share: float = 0.01
    dropped_per_mille: float = 5.0
    """As in `signstream bench keypoints --overload`: a Redis that pauses costs a picture too."""
    times_first: float = 1.5
    """Latencies beside those of the first step."""
    spare_ms: float = 50.0
    """That much later is not late, however short the first step's times."""
    late_ms: float = 100.0
    """Frames that leave later than this say that the machine does not carry the load test itself."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How it is looked for."""

    first: int = 2
    step: int = 2
    most: int = 64


def overloaded(step: Step, first: Step, bounds: Bounds) -> str:
    """Why these users are not carried; empty: they are."""
    if step.failed > bounds.failed_share * step.asked:
        return f"{step.failed} of {step.asked} failed"
    if step.dropped_per_mille > bounds.dropped_per_mille:
        return f"{step.dropped_per_mille:.0f} of 1000 pictures dropped"
    for name, now, before in (
        ("final glosses", step.final_ms, first.final_ms),
        ("landmarks", step.frame_age_ms, first.frame_age_ms),
    ):
        if before and now > bounds.times_first * before + bounds.spare_ms:
            return f"{name} after {now:.0f} ms instead of {before:.0f}"
    if step.late_ms > bounds.late_ms:
        return f"frames were sent {step.late_ms:.0f} ms late: this machine does not carry the load test"
    return ""


def next_users(steps: Sequence[Step], plan: Plan, bounds: Bounds) -> int | None:
    """What to try next; None: the knee is known, or there is none up to `plan.most`.

    Up by `plan.step` until a number is overloaded twice in a row (a pause may be another's), then between
    the most that was carried and the least that was not.
    """
    if not steps:
        return plan.first
    users = steps[-1].users
    if overloaded(steps[-1], steps[0], bounds) and (len(steps) == 1 or steps[-2].users != users):
        return users
    carried, refused = knee(steps, bounds), _least_overloaded(steps, bounds)
    if refused is None:
        return users + plan.step if users + plan.step <= plan.most else None
    middle = (carried + refused) // 2
    return middle if carried < middle < refused else None


def knee(steps: Sequence[Step], bounds: Bounds) -> int:
    """The most users that were carried, below any that were not; 0: not even the fewest."""
    limit = _least_overloaded(steps, bounds)
    good = [step.users for step in steps if not overloaded(step, steps[0], bounds)]
    return max((users for users in good if limit is None or users < limit), default=0)


def _least_overloaded(steps: Sequence[Step], bounds: Bounds) -> int | None:
    """Of those that were tried twice and overloaded both times."""
    tries: dict[int, list[bool]] = {}
    for step in steps:
        tries.setdefault(step.users, []).append(bool(overloaded(step, steps[0], bounds)))
    return min((users for users, each in tries.items() if len(each) > 1 and all(each)), default=None)


def table(steps: Sequence[Step], bounds: Bounds) -> str:
    """All steps, and the knee."""
    lines = ["users  final p95 ms  frame age p95 ms  dropped ‰  failed"]
    lines += [
        f"{step.users:5} {step.final_ms:13.0f} {step.frame_age_ms:17.0f} {step.dropped_per_mille:10.0f}"
        f"  {step.failed} of {step.asked}  {overloaded(step, steps[0], bounds)}"
        for step in steps
    ]
    return "\n".join([*lines, f"knee: {knee(steps, bounds)} users"])
