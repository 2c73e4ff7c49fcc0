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


class Spans:
    """Which samples are a sign, by number; all times in ticks of the model's clock."""

    def __init__(self, spec: WindowSpec) -> None:
        self._spec = spec
        self._rose: float | None = None
        """When the hands rose; None at rest."""
        self._up = 0.0
        """When a hand was last up."""
        self._open = False
        """The hands have been up long enough: a segment has begun with the first sample."""

    def follow(self, ticks: float, up: bool, first: int, end: int) -> tuple[list[tuple[int, int]], int]:
        """Whether a hand is up at `ticks`, when there are the samples from `first` to before `end`.

        Returns the segments that are over, as (first, before), and the first sample that is still needed.
        """
        spec, spans = self._spec, list[tuple[int, int]]()
        if up:
            self._rose = ticks if self._rose is None else self._rose
            self._up = ticks
        if self._open:
            if ticks - self._up >= max(REST_SECONDS, spec.padding) * spec.fps - SLACK:
                spans = self.flush(first, end)
            while self._open and self._up >= first + spec.samples:
                spans.append((first, first + spec.samples))
                first += spec.samples
        elif not up:
            self._rose = None
        elif self._rose is not None and ticks - self._rose >= RISE_SECONDS * spec.fps - SLACK:
            self._open = True
        if not self._open:
            since = ticks if self._rose is None else self._rose
            first = max(first, math.ceil(since - spec.padding * spec.fps - SLACK))
        return spans, min(first, end)

    def flush(self, first: int, end: int) -> list[tuple[int, int]]:
        """The hands rest, or the media has ended: the segment with its padding, no longer than allowed."""
        was_open, self._open, self._rose = self._open, False, None
        last = math.floor(self._up + self._spec.padding * self._spec.fps + SLACK)
        return [(first, min(last + 1, end, first + self._spec.samples))] if was_open else []

    def checkpoint(self) -> dict[str, Any]:
        """All of the state, for msgpack."""
        return {"rose": self._rose, "up": self._up, "open": self._open}

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> Self:
        """As it was. KeyError, TypeError or ValueError where `state` is no checkpoint."""
        spans = cls(spec)
        spans._rose = None if state["rose"] is None else float(state["rose"])
        spans._up, spans._open = float(state["up"]), bool(state["open"])
        return spans


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
        self._spans = Spans(spec)

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
        spans, first = self._spans.follow(ticks, up, self._first, self._first + len(self._samples))
        found += self._cut(spans)
        del self._samples[: first - self._first]
        self._first = first
        return found

    def flush(self) -> list[Stretch]:
        """The media has ended, and with it a segment that is open."""
        found = self._cut(self._spans.flush(self._first, self._first + len(self._samples)))
        self._hands = HandsUp()
        self._time, self._frame, self._samples = None, np.empty((0, 3), np.float32), []
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
            **self._spans.checkpoint(),
        }

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> Self:
        """A segmenter that stands where the checkpoint was taken. ValueError where it is of another spec."""
        segmenter, rows = cls(spec), len(spec.rows)
        try:
            segmenter._seq, segmenter._first = int(state["seq"]), int(state["first"])
            segmenter._hands = HandsUp.restore(state["hands"])
            segmenter._time = None if state["time"] is None else float(state["time"])
            segmenter._spans = Spans.restore(spec, state)
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

    def _cut(self, spans: list[tuple[int, int]]) -> list[Stretch]:
        found = []
        for first, end in spans:
            if end - first >= self.spec.shortest:
                array = np.stack(self._samples[first - self._first : end - self._first])
                start, last = first / self.spec.fps, (end - 1) / self.spec.fps
                found.append(Stretch(self._seq, start, last, array, whole=True))
                self._seq += 1
        return found
