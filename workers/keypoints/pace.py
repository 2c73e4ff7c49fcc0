"""Which pictures are landmarked: at most one a slot of media time. Pure.

It depends on timestamps alone, so a camera, a recording of it and a successor choose the same pictures.
"""

import math
from collections.abc import Iterable

LANDMARK_FPS = 15.0
"""At least this many a second: every other picture of the usual camera, and what signing needs."""

MAX_MEDIA_SECONDS = 24 * 3600.0
"""A timestamp beyond a day is a broken one; taking it would make every later picture look old."""

PHASE = 0.25
"""Slots. Pictures that should lie on a slot's edge come a few milliseconds early or late (WebM counts in
milliseconds, cameras drift); a quarter slot off the edge, they still fall into one slot each."""


SLOTS_KEPT = 64
"""More than a decoder reorders."""


def pace_of(model_fps: Iterable[float]) -> float:
    """Pictures a second to landmark for these models."""
    return max((LANDMARK_FPS, *model_fps))


class Pace:
    """Takes the first picture of every slot."""

    def __init__(self, fps: float, after: float | None = None) -> None:
        """With `after`, goes on behind the picture of that media time."""
        self._fps = fps
        self._slot = -1 if after is None else self.slot_of(after)

    def is_due(self, time: float) -> bool:
        """Whether the picture at media time `time` (seconds) is landmarked. Ask once a picture, in order."""
        if not 0 <= time <= MAX_MEDIA_SECONDS:
            return False
        slot = self.slot_of(time)
        if slot <= self._slot:
            return False
        self._slot = slot
        return True

    def slot_of(self, time: float) -> int:
        """Number of the slot in which media time `time` lies."""
        return math.floor(time * self._fps + PHASE)


class Spare:
    """Which packets need not become pictures where nothing refers to them: their slot has an earlier one."""

    def __init__(self, fps: float) -> None:
        self._pace = Pace(fps)
        self._first: dict[int, float] = {}

    def is_spare(self, time: float) -> bool:
        """Whether a picture earlier in its slot than the one at media time `time` has come as a packet."""
        if not 0 <= time <= MAX_MEDIA_SECONDS:
            return False
        slot = self._pace.slot_of(time)
        first = self._first.setdefault(slot, time)
        self._first[slot] = min(first, time)
        if len(self._first) > SLOTS_KEPT:
            del self._first[next(iter(self._first))]
        return time > first
