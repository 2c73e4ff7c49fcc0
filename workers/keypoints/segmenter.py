"""Landmark frames in, whole signs out: one window from the hands' rise to their rest. Pure.

Samples lie on the model's clock as the windower's do. A segment begins `padding` before the hands rise and
ends `padding` after they rest, as far as there are pictures; how long it is, is how long the sign took. One
that is shorter than `shortest` is none. One that grows longer than `samples` is cut there, and goes on as
another: hands that never rest still get their windows.
"""

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.hands_up import HandsUp
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import SLACK, Stretch, sample_between

RISE_SECONDS = 0.1
"""Hands that are up for less are a tracker's mistake, or on their way past."""

REST_SECONDS = 0.3
"""Hands that are gone for less were lost by the tracker, or go on: inside of a sign both happen."""

GAP_SECONDS = 1.0
"""After so long without a picture what was going on is over."""


class Segmenter:
    """One session's whole signs for one model. The same frames in give the same bytes out."""

    def __init__(self, spec: WindowSpec) -> None:
        if not spec.segments:
            raise ValueError(f"windows {spec.windows!r} must be 'segments' or 'both'")
        self.spec = spec
        self._seq = 0
        self._hands = HandsUp()
        self._time: float | None = None
        """Media time of the newest frame, in ticks of the model's clock."""
        self._frame = np.empty((0, 3), np.float32)
        self._samples: list[NDArray[np.float32]] = []
        """Of the segment, and before one of the padding; the first is tick `_first`."""
        self._first = 0
        self._rose: float | None = None
        """Ticks at which the hands rose; None at rest."""
        self._up = 0.0
        """Ticks at which a hand was last up."""
        self._open = False
        """The hands have been up long enough: a segment began at `_first`."""

    def add(self, time: float, frame: NDArray[np.float32], aspect: float = 1.0) -> list[Stretch]:
        """Takes the landmarks of media time `time`, seconds; returns the segment that ended, if one did.

        `aspect` is the picture's width / height. A frame that is not newer than the one before is ignored.
        """
        if not (math.isfinite(time) and time >= 0):
            raise ValueError(f"time is {time}, expected seconds from 0")
        picked, ticks = self.spec.pick(frame), time * self.spec.fps
        if self._time is not None and ticks <= self._time + SLACK:
            return []
        found: list[Stretch] = []
        if self._time is not None and ticks - self._time > GAP_SECONDS * self.spec.fps:
            found = self.flush()
        up = self._hands.add(time, frame, aspect)
        self._resample(ticks, picked)
        found += self._follow(ticks, up)
        return found

    def flush(self) -> list[Stretch]:
        """The media has ended, and with it a segment that is open."""
        found = self._close() if self._open else []
        self._hands = HandsUp()
        self._time, self._frame = None, np.empty((0, 3), np.float32)
        self._samples, self._rose, self._open = [], None, False
        return found

    def checkpoint(self) -> dict[str, Any]:
        """All of the state, for msgpack; `restore` goes on from it to the bit."""
        return {
            "seq": self._seq,
            "hands": self._hands.checkpoint(),
            "time": self._time,
            "frame": self._frame.tobytes(),
            "samples": np.array(self._samples, np.float32).tobytes(),
            "first": self._first,
            "rose": self._rose,
            "up": self._up,
            "open": self._open,
        }

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> Self:
        """A segmenter that stands where the checkpoint was taken. ValueError where it is of another spec."""
        segmenter, rows = cls(spec), len(spec.rows)
        try:
            segmenter._seq, segmenter._first = int(state["seq"]), int(state["first"])
            segmenter._hands = HandsUp.restore(state["hands"])
            segmenter._time = None if state["time"] is None else float(state["time"])
            segmenter._rose = None if state["rose"] is None else float(state["rose"])
            segmenter._up, segmenter._open = float(state["up"]), bool(state["open"])
            shape = (0 if segmenter._time is None else rows, 3)
            segmenter._frame = np.frombuffer(state["frame"], np.float32).reshape(shape).copy()
            samples = np.frombuffer(state["samples"], np.float32).reshape(-1, rows, 3)
            segmenter._samples = list(samples.copy())
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a checkpoint of a segmenter of {rows} rows: {error!r}") from error
        return segmenter

    def _resample(self, ticks: float, picked: NDArray[np.float32]) -> None:
        """The samples that lie between the frame before and this one."""
        if self._time is None:
            self._first, self._samples = math.ceil(ticks - SLACK), []
            if self._first <= ticks + SLACK:
                self._samples.append(picked)
        else:
            tick = self._first + len(self._samples)
            while tick <= ticks + SLACK:
                self._samples.append(sample_between(self._time, self._frame, ticks, picked, tick))
                tick += 1
        self._time, self._frame = ticks, picked

    def _follow(self, ticks: float, up: bool) -> list[Stretch]:
        found: list[Stretch] = []
        if up:
            self._rose = ticks if self._rose is None else self._rose
            self._up = ticks
        if self._open:
            if ticks - self._up >= self._rest() - SLACK:
                found = self._close()
            while self._open and self._up >= self._first + self.spec.samples:
                found += self._cut()
        elif not up:
            self._rose = None
        elif self._rose is not None and ticks - self._rose >= RISE_SECONDS * self.spec.fps - SLACK:
            self._open = True
        if not self._open:
            self._forget(ticks if self._rose is None else self._rose)
        return found

    def _rest(self) -> float:
        """Ticks without a hand after which a segment is over, and its padding there."""
        return max(REST_SECONDS, self.spec.padding) * self.spec.fps

    def _forget(self, ticks: float) -> None:
        """At rest only the padding of a segment that begins at `ticks` is kept."""
        first = math.ceil(ticks - self.spec.padding * self.spec.fps - SLACK)
        old = min(max(first - self._first, 0), len(self._samples))
        del self._samples[:old]
        self._first += old

    def _close(self) -> list[Stretch]:
        """The hands rest: the segment with its padding, and no more than the model takes."""
        last = math.floor(self._up + self.spec.padding * self.spec.fps + SLACK)
        count = min(last - self._first + 1, len(self._samples), self.spec.samples)
        self._open, self._rose = False, None
        return self._emit(count)

    def _cut(self) -> list[Stretch]:
        """The segment is as long as the model takes, and the hands are still up."""
        found = self._emit(self.spec.samples)
        del self._samples[: self.spec.samples]
        self._first += self.spec.samples
        return found

    def _emit(self, count: int) -> list[Stretch]:
        if count < self.spec.shortest:
            return []
        first, last = self._first, self._first + count - 1
        array = np.stack(self._samples[:count])
        stretch = Stretch(self._seq, first / self.spec.fps, last / self.spec.fps, array, whole=True)
        self._seq += 1
        return [stretch]
