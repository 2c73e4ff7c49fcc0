"""Pictures that wait to be landmarked, and which of them are not worth it any more. Pure."""

import collections
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from workers.keypoints.pace import Pace

HICCUP_SECONDS = 0.1
"""A live session may fall this far, one picture more than waits anyway, behind its camera and catches up with
every picture. Past it the worker is too slow, and takes only the newest: fewer pictures at even distances
serve a sign better than holes, and its gloss comes in time. A window bridges three lost pictures."""

CALM_TURNS = 15
"""Turns in a row, about a second, with one picture waiting: the worker keeps up again."""

WARM_SILENCE_SECONDS = 0.5
"""After a longer silence a live signer's hands have moved on: there is nothing to warm with."""

LONGEST = 16
"""Live pictures that wait at most, about a second of them: each is 1.4 MB at 720p."""

WARM_PICTURES = 10
"""A tracker that takes over sees this many pictures again before its landmarks count."""


class Shown(Protocol):
    """A picture, as far as choosing goes."""

    @property
    def time(self) -> float: ...
    @property
    def captured(self) -> float: ...


P = TypeVar("P", bound=Shown)


class Backlog(Generic[P]):
    """A session's due pictures in order of media time.

    With `after` the session was taken over: pictures up to that media time were landmarked by its last owner,
    and the newest of them are handed out once, by `warm`, to bring the tracker up to date.
    """

    def __init__(self, fps: float, *, live: bool, after: float | None = None) -> None:
        self.dropped = 0
        self._behind = False
        """Too slow for the camera."""
        self._calm = 0
        self._live = live
        self._after = after
        self._pace = Pace(fps, after)
        self._seen_pace = Pace(fps)
        self._seen: collections.deque[P] = collections.deque(maxlen=WARM_PICTURES)
        self._waiting: collections.deque[P] = collections.deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, pictures: Iterable[P]) -> None:
        """Takes decoded pictures, keeps those that are due, and of a live session those in time."""
        for picture in pictures:
            if self._after is not None and picture.time <= self._after:
                if self._seen_pace.is_due(picture.time):
                    self._seen.append(picture)
            elif self._pace.is_due(picture.time):
                self._waiting.append(picture)
            elif self._behind and self._waiting and picture.time > self._waiting[-1].time:
                self._waiting[-1] = picture  # of the same slot, and newer
        if self._live:
            self._drop_late()

    def miss(self, times: Iterable[float]) -> None:
        """Pictures of these media times, seconds, will not be decoded: those that were due are dropped."""
        for time in times:
            if (self._after is None or time > self._after) and self._pace.is_due(time):
                self.dropped += 1

    def warm(self) -> list[P]:
        """What the last owner landmarked just before; once there is something to go on with, else nothing."""
        if self._after is None or not self._waiting:
            return []
        self._after = None
        seen, first = list(self._seen), self._waiting[0]
        self._seen.clear()
        if self._live and seen and first.captured - seen[-1].captured > WARM_SILENCE_SECONDS:
            return []
        return seen

    def take(self) -> P | None:
        """The next picture to landmark."""
        return self._waiting.popleft() if self._waiting else None

    def _drop_late(self) -> None:
        came = len(self._waiting)
        if self._lag() > HICCUP_SECONDS:
            self._behind, self._calm = True, 0
        keep = 1 if self._behind else LONGEST
        while len(self._waiting) > keep:
            self._waiting.popleft()
        self.dropped += came - len(self._waiting)
        if came:
            self._calm = self._calm + 1 if came == 1 else 0
        self._behind = self._behind and self._calm < CALM_TURNS

    def _lag(self) -> float:
        """How far the oldest waiting picture is behind the newest, seconds of capture time."""
        return self._waiting[-1].captured - self._waiting[0].captured if self._waiting else 0.0
