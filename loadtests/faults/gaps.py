"""Silence: how long nothing came of a live session, around a fault. Pure."""

import bisect
import dataclasses
import itertools
from collections.abc import Sequence


class Pulse:
    """When something came of one live flow, seconds of one clock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.beats: list[float] = []

    def beat(self, at: float) -> None:
        """Something came."""
        self.beats.append(at)

    def first_after(self, at: float) -> float | None:
        """When something came next."""
        place = bisect.bisect_right(self.beats, at)
        return self.beats[place] if place < len(self.beats) else None

    def silence(self, begin: float, end: float) -> float:
        """The longest time without a beat between `begin` and `end`, both of which bound it."""
        inside = self.beats[bisect.bisect_left(self.beats, begin) : bisect.bisect_right(self.beats, end)]
        marks = [begin, *inside, max(begin, end)]
        return max(later - earlier for earlier, later in itertools.pairwise(marks))


class Delivery:
    """How far the viewer of a flow is behind what was told, as seen from time to time."""

    def __init__(self) -> None:
        self._waits: list[tuple[float, float]] = []
        self._since: float | None = None
        self._seq = 0

    def saw(self, at: float, told: int, heard: int) -> None:
        """`told` is the newest event's seq, `heard` the viewer's."""
        if self._since is not None and heard >= self._seq:
            self._waits.append((self._since, at))
            self._since = None
        if self._since is None and heard < told:
            self._since, self._seq = at, told

    def longest(self, begin: float, end: float) -> float:
        """The longest time for which an event waited for its viewer, as far as it lies between the two."""
        open_wait = [(self._since, end)] if self._since is not None else []
        waits = [min(until, end) - max(since, begin) for since, until in [*self._waits, *open_wait]]
        return max([0.0, *waits])


@dataclasses.dataclass(frozen=True)
class Gap:
    """The longest time in which the viewers of a flow had nothing, and which flow."""

    seconds: float
    flow: str


def worst(gaps: Sequence[Gap]) -> Gap:
    """The longest; none at all where there was no flow."""
    return max(gaps, key=lambda gap: gap.seconds, default=Gap(0.0, "none"))
