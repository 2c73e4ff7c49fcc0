"""What an overload was found to do, and whether that is what is asked. Pure."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from deploy.bench.sender import RATE
from loadtests.tally import percentile
from workers.keypoints.pace import LANDMARK_FPS

PART = 95.0

LATER = 1.25
"""Times the 80 %: what a gloss may take under overload. 100 % of the places are taken then, not 80."""

OLDER_MS = 50.0
"""Beside that, what a picture may be older: its age is small, so that a factor alone would ask for a lot."""

DROPPED = 0.05
"""Of the pictures: who drops more keeps its latency by not looking."""

LEAST_GLOSSES = 3
"""Fewer say nothing of a 95th percentile."""

RECOVERY_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Figures:
    """Of one load."""

    offered: int
    """Cameras that want to be taken."""
    live: int
    """Of those, recognised at its end."""
    final_ms: Sequence[float]
    partial_ms: Sequence[float]
    frame_age_ms: Sequence[float]
    dropped: int
    """Frames of live cameras, as their viewers were told."""
    seconds: float
    late_ms: float
    """The most by which a frame was sent late: how far the machine carried the cameras themselves."""
    cores: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """That each process of the server used on average, and the cameras."""

    @property
    def dropped_share(self) -> float:
        """Of the pictures that had to be landmarked."""
        return self.dropped / max(1.0, self.live * self.seconds * LANDMARK_FPS)

    def keeps(self, values: Sequence[float], beside: Sequence[float]) -> bool:
        """Whether the 95th percentile of `values` is at most LATER times that of `beside`."""
        return percentile(values, PART) <= LATER * percentile(beside, PART)

    def keeps_age(self, ages: Sequence[float]) -> bool:
        """Whether pictures are about as young as in these figures."""
        return percentile(ages, PART) <= LATER * percentile(self.frame_age_ms, PART) + OLDER_MS

    def row(self, name: str) -> str:
        """A line of the table."""
        steps = [
            f"{percentile(each, 50):6.0f} {percentile(each, PART):6.0f}" if each else "     -      -"
            for each in (self.partial_ms, self.final_ms, self.frame_age_ms)
        ]
        dropped = f"{100 * self.dropped_share:6.1f}"
        return (
            f"{name:14} {self.offered:7} {self.live:5}  {'  '.join(steps)}  {len(self.final_ms):7} {dropped}"
        )


@dataclasses.dataclass(frozen=True)
class Recovery:
    """Seconds after the load began to leave; None where it did not come about."""

    newcomer: float | None
    """Until a new camera was taken and live."""
    pictures: float | None
    """Until, for a second, pictures were as young as at 80 %."""
    line: float | None
    """Until nobody waited in line."""


@dataclasses.dataclass(frozen=True)
class Found:
    """All of one mode."""

    mode: str
    capacity: int
    normal: Figures
    over: Figures
    live: int
    waiting: int
    untrue: Sequence[str]
    """What was not refused or told as it should be."""
    recovery: Recovery

    def table(self) -> list[str]:
        """For people."""
        return [
            f"{self.mode}: {self.capacity} cameras fit ({RATE} frames a second each)",
            "                                  partial ms      final ms     frame age ms           dropped",
            "                offered  live    p50    p95     p50    p95     p50    p95   finals       %",
            self.normal.row("80 %"),
            self.over.row("3 times"),
            f"cores at 80 %: {_each(self.normal.cores)}",
            f"cores at 3 times: {_each(self.over.cores)}",
            f"live {self.live}, waiting {self.waiting}, refused or elsewhere"
            f" {self.over.offered - self.live - self.waiting}",
        ]


def _each(cores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {used:.2f}" for name, used in cores.items()) or "unknown"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """On one thing that is asked."""

    what: str
    met: bool
    said: str


def verdicts(found: Found) -> Iterator[Verdict]:
    """On all of them."""
    normal, over, mode = found.normal, found.over, found.mode
    yield Verdict(
        f"{mode}: all of the 80 % are taken",
        normal.live == normal.offered,
        f"{normal.live} of {normal.offered}",
    )
    for name, before, after in (
        ("final glosses", normal.final_ms, over.final_ms),
        ("partial glosses", normal.partial_ms, over.partial_ms),
    ):
        enough = min(len(before), len(after)) >= LEAST_GLOSSES
        said = (
            f"{percentile(after, PART):.0f} ms beside {percentile(before, PART):.0f}" if enough else "too few"
        )
        yield Verdict(
            f"{mode}: {name} of the admitted keep their p95 (within {LATER} times)",
            enough and over.keeps(after, before),
            said,
        )
    both = bool(normal.frame_age_ms and over.frame_age_ms)
    yield Verdict(
        f"{mode}: pictures of the admitted keep their age's p95 (within {LATER} times and {OLDER_MS:g} ms)",
        both and normal.keeps_age(over.frame_age_ms),
        f"{percentile(over.frame_age_ms, PART):.0f} ms beside {percentile(normal.frame_age_ms, PART):.0f}"
        if both
        else "none",
    )
    yield Verdict(
        f"{mode}: the admitted have at most {100 * DROPPED:g} % of their pictures dropped",
        over.dropped_share <= DROPPED,
        f"{100 * over.dropped_share:.1f} % beside {100 * normal.dropped_share:.1f} %",
    )
    others = over.offered - found.live
    handled = found.waiting if mode == "queue" else others
    yield Verdict(
        f"{mode}: the others are {'told queued' if mode == 'queue' else 'refused with 503 and Retry-After'}",
        others > 0 and handled == others and not found.untrue,
        "; ".join(found.untrue[:3]) or f"{handled} of {others}",
    )
    for name, seconds in dataclasses.asdict(found.recovery).items():
        what = {
            "newcomer": "a new camera is live",
            "pictures": "pictures are as young as at 80 %",
            "line": "nobody waits",
        }[name]
        yield Verdict(
            f"{mode}: {what} within {RECOVERY_SECONDS:g} s of the load's leaving",
            seconds is not None and seconds <= RECOVERY_SECONDS,
            "never" if seconds is None else f"{seconds:.1f} s",
        )
