"""Pictures in, clip windows out: of the model's size, on its clock, slid by its stride.

Sample k of the clock is the picture nearest to k / fps seconds of media time, shown twice where the camera is
slower; nothing is blended. Unlike landmark windows the first one begins with the first picture, as clips did
in training, and what the last one needs behind the last picture is that picture held.

Between two pictures it keeps one window of JPEGs and the newest picture. A checkpoint holds neither: twice a
second they would be more than all else a session writes. It says from when on the pictures are needed, and a
successor, which decodes from a keyframe anyway, shows them again (`replay`) and has the same bytes.
"""

import contextlib
import math
from typing import Any, Self

import numpy as np

from workers.keypoints.shot import Shot
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import SLACK, Stretch


class Clipper:
    """One session's clip windows for one model. The same pictures in give the same bytes out."""

    def __init__(self, spec: WindowSpec) -> None:
        if spec.picture is None:
            raise ValueError(f"{spec} has no picture")
        self.spec, self._size = spec, spec.picture
        self._longest_gap = float(spec.samples)
        """Ticks without a picture after which what was going on is over."""
        self._seq = 0
        self._begin: float | None = None
        """Ticks of the first picture since the media began, or since a gap."""
        self._time = 0.0
        """Ticks of the newest picture."""
        self._shot: Shot | None = None
        """The newest picture: the next sample may be it."""
        self._samples: list[bytes] = []
        """Ticks `_first` to `_next`, after a restore only as far as they were shown again."""
        self._first = 0
        self._next = 0
        self._covered = -1
        """The last tick that a window has shown."""

    def add(self, shot: Shot) -> list[Stretch]:
        """Takes the next picture; returns the windows that are now whole.

        One that is not newer than the one before is ignored. After a gap longer than a window what there is
        ends as at the end of the media. Raises ValueError for a picture that cannot be converted.
        """
        if not (math.isfinite(shot.time) and shot.time >= 0):
            raise ValueError(f"time is {shot.time}, expected seconds from 0")
        ticks = shot.time * self.spec.fps
        if self._begin is None:
            self._start(ticks, shot)
            return []
        if ticks <= self._time + SLACK:
            return []
        self._fill_up(shot)
        if ticks - self._time > self._longest_gap:
            windows = self._finish()
            self._start(ticks, shot)
            return windows
        while self._next <= ticks + SLACK:
            self._append(self._nearer(self._next, ticks, shot))
        self._time, self._shot = ticks, shot
        return self._whole()

    def replay(self, shot: Shot) -> None:
        """Shows again, after a restore and in order, a picture that the last owner had taken."""
        ticks = shot.time * self.spec.fps
        if self._begin is None or ticks < self._begin - SLACK:
            return
        tick = self._first + len(self._samples)
        while tick < self._next and tick <= ticks + SLACK:
            self._samples.append(self._jpeg(self._nearer(tick, ticks, shot)))
            tick += 1
        self._shot = shot

    def flush(self) -> list[Stretch]:
        """The media has ended: the window that shows the last picture."""
        if self._begin is None:
            return []
        if self._shot is not None:
            with contextlib.suppress(ValueError):
                self._fill_up(self._shot)
        windows = self._finish()
        self._begin, self._shot = None, None
        return windows

    def since(self) -> float | None:
        """Media time from which on a successor must be shown the pictures again, seconds; None: from none."""
        if self._begin is None:
            return None
        return max(self._begin, self._first - 1.0) / self.spec.fps

    def checkpoint(self) -> dict[str, Any]:
        """All of the state but pictures, for msgpack."""
        return {
            "seq": self._seq,
            "begin": self._begin,
            "time": self._time,
            "first": self._first,
            "next": self._next,
            "covered": self._covered,
        }

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> Self:
        """A clipper that waits for `replay` from `since` on. ValueError where it is no checkpoint."""
        clipper = cls(spec)
        try:
            clipper._begin = None if state["begin"] is None else float(state["begin"])
            clipper._time = float(state["time"])
            for name in ("seq", "first", "next", "covered"):
                setattr(clipper, f"_{name}", int(state[name]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"not a checkpoint of a clipper: {error!r}") from error
        if not 0 <= clipper._next - clipper._first <= spec.samples + clipper._longest_gap:
            raise ValueError(f"not a checkpoint of a clipper of {spec.samples} samples: {state}")
        return clipper

    def _start(self, ticks: float, shot: Shot) -> None:
        self._begin, self._time, self._shot = ticks, ticks, shot
        self._samples = []
        self._first = self._next = math.ceil(ticks - SLACK)
        self._covered = self._first - 1

    def _nearer(self, tick: int, ticks: float, shot: Shot) -> Shot:
        """Of the newest picture and the one after it."""
        before = self._shot
        if before is None or ticks - tick < tick - before.time * self.spec.fps:
            return shot
        return before

    def _fill_up(self, shot: Shot) -> None:
        """Of pictures that nobody could show again, the nearest after them."""
        missing = self._next - self._first - len(self._samples)
        if missing > 0:
            nearest = self._samples[0] if self._samples else self._jpeg(shot)
            self._samples[:0] = [nearest] * missing

    def _append(self, shot: Shot) -> None:
        self._samples.append(self._jpeg(shot))
        self._next += 1

    def _jpeg(self, shot: Shot) -> bytes:
        return shot.jpeg(self._size)

    def _finish(self) -> list[Stretch]:
        """Holds the last picture until a window has shown it."""
        self._append_last()
        windows = self._whole()
        last = self._next - 1
        while self._samples and self._covered < last:
            self._samples.append(self._samples[-1])
            self._next += 1
            windows += self._whole()
        return windows

    def _append_last(self) -> None:
        """The newest picture, where it is the nearest to the next sample."""
        none_yet = self._begin is not None and self._next == math.ceil(self._begin - SLACK)
        if self._shot is not None and (none_yet or self._next - self._time <= 0.5):
            with contextlib.suppress(ValueError):  # one that cannot be converted is not shown
                self._append(self._shot)

    def _whole(self) -> list[Stretch]:
        windows = []
        none = np.empty((self.spec.samples, 0, 3), np.float32)
        while len(self._samples) >= self.spec.samples:
            last = self._first + self.spec.samples - 1
            pictures = tuple(self._samples[: self.spec.samples])
            start, end = self._first / self.spec.fps, last / self.spec.fps
            windows.append(Stretch(self._seq, start, end, none, pictures))
            self._seq, self._covered = self._seq + 1, last
            self._first += self.spec.stride
            del self._samples[: self.spec.stride]
        return windows
