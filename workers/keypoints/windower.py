"""Landmark frames in, a model's windows out: resampled to its clock, slid by its stride. Pure.

The model's clock has its sample k at k / fps seconds of media time, whatever the camera's rate and phase.
A window lies around a centre sample; the first one's centre is the stretch's first sample and the last one's
is not before the last sample, so that a sign at either end is seen whole. What such a window needs from
before the first or after the last sample is that sample held still. `start` and `end` count these held
samples too (the first window starts below 0): every window spans samples - 1 ticks, and looks at its middle.

A model that reads windows of any length says how far it looks `ahead` instead: its windows hold nothing
still, the first ends so far behind the stretch's first sample, and those at both ends have only the samples
there are.
"""

import dataclasses
import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.spec import WindowSpec

REACH = 1.5
"""A sample takes a landmark from a frame at most this many ticks away; between two frames at most twice this
far apart it interpolates. At 12.5 samples a second it bridges three lost camera frames of 15 a second."""

SLACK = 1e-6
"""Ticks by which a timestamp may miss a sample and still be on it: media times come from rounded clocks."""


@dataclasses.dataclass(frozen=True)
class Stretch:
    """One window. `seq` counts from 0 without holes; times are of its ends, seconds of media time."""

    seq: int
    start: float
    end: float
    array: NDArray[np.float32]
    """[samples, rows, 3], NaN is missing; no rows where there are pictures."""
    pictures: tuple[bytes, ...] = ()
    """JPEGs, one a sample."""
    whole: bool = False
    """It holds one whole sign, and as many samples as that took."""


class Windower:
    """One session's windows for one model. The same frames in give the same bytes out."""

    def __init__(self, spec: WindowSpec) -> None:
        self.spec = spec
        self._seq = 0
        self._time: float | None = None
        """Media time of the newest frame, in ticks of the model's clock."""
        self._frame = np.empty((0, 3), np.float32)
        self._samples: list[NDArray[np.float32]] = []
        """What windows still need, held samples included; the first is tick `_first`."""
        self._newest = np.empty((0, 3), np.float32)
        """The newest sample."""
        self._first = 0
        self._began = 0
        """Tick of the stretch's first sample that is not held."""
        self._next = 0
        """Tick of the next sample to make."""

    def add(self, time: float, frame: NDArray[np.float32]) -> list[Stretch]:
        """Takes the landmarks of media time `time`, seconds; returns the windows that are now whole.

        A frame that is not newer than the one before is ignored. After a gap longer than a window the stretch
        ends as at the end of the media, and a new one begins: an hour of silence makes no windows.
        """
        if not (math.isfinite(time) and time >= 0):
            raise ValueError(f"time is {time}, expected seconds from 0")
        picked = self.spec.pick(frame)
        ticks = time * self.spec.fps
        if self._time is not None and ticks <= self._time + SLACK:
            return []
        if self._time is not None and ticks - self._time > self.spec.samples:
            windows = self._finish()
            self._begin(ticks, picked)
            return windows
        if self._time is None:
            self._begin(ticks, picked)
            return []
        while self._next <= ticks + SLACK:
            self._append(sample_between(self._time, self._frame, ticks, picked, self._next))
        self._time, self._frame = ticks, picked
        return self._whole()

    def flush(self) -> list[Stretch]:
        """The media has ended: the windows around the last samples. Afterwards a new stretch may begin."""
        if self._time is None:
            return []
        return self._finish()

    def checkpoint(self) -> dict[str, Any]:
        """All of the state, for msgpack; `restore` goes on from it to the bit."""
        samples = np.array(self._samples, np.float32)
        return {
            "seq": self._seq,
            "time": self._time,
            "frame": self._frame.tobytes(),
            "samples": samples.tobytes(),
            "newest": self._newest.tobytes(),
            "first": self._first,
            "began": self._began,
            "next": self._next,
        }

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> Self:
        """A windower that stands where the checkpoint was taken. ValueError where it is of another spec."""
        windower = cls(spec)
        rows = len(spec.rows)
        try:
            windower._seq, windower._first = int(state["seq"]), int(state["first"])
            windower._next = int(state["next"])
            windower._began = int(state.get("began", windower._first))
            windower._time = None if state["time"] is None else float(state["time"])
            shape = (0 if windower._time is None else rows, 3)
            windower._frame = np.frombuffer(state["frame"], np.float32).reshape(shape).copy()
            windower._newest = np.frombuffer(state["newest"], np.float32).reshape(shape).copy()
            windower._samples = list(np.frombuffer(state["samples"], np.float32).reshape(-1, rows, 3).copy())
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a checkpoint of a windower of {rows} rows: {error!r}") from error
        return windower

    def _begin(self, ticks: float, picked: NDArray[np.float32]) -> None:
        self._time, self._frame = ticks, picked
        first = math.ceil(ticks - SLACK)
        before = self.spec.anchor
        # The first tick is less than one after the first frame, and nothing nearer has come yet.
        self._samples, self._newest = [picked] * (before + 1), picked
        self._first, self._began, self._next = first - before, first, first + 1

    def _finish(self) -> list[Stretch]:
        """Holds the last sample until a window's anchor is on or behind it."""
        last = self._next - 1
        windows = self._whole()
        while self._first + self.spec.anchor - self.spec.stride < last:
            self._append(self._newest)
            windows += self._whole(last)
        self._time, self._samples = None, []
        self._frame = self._newest = np.empty((0, 3), np.float32)
        return windows

    def _append(self, sample: NDArray[np.float32]) -> None:
        self._samples.append(sample)
        self._newest = sample
        self._next += 1

    def _whole(self, last: int | None = None) -> list[Stretch]:
        """The windows that have all their samples; `last` is the tick of the newest that is not held."""
        windows = []
        while len(self._samples) >= self.spec.samples:
            first, behind = 0, self.spec.samples
            if self.spec.ahead is not None:
                first = max(self._began - self._first, 0)
                behind = min(behind, (self._next - 1 if last is None else last) + 1 - self._first)
            array = np.stack(self._samples[first:behind])
            start = (self._first + first) / self.spec.fps
            end = (self._first + behind - 1) / self.spec.fps
            windows.append(Stretch(self._seq, start, end, array))
            self._seq += 1
            self._first += self.spec.stride
            del self._samples[: self.spec.stride]
        return windows


def sample_between(
    earlier: float, before: NDArray[np.float32], later: float, after: NDArray[np.float32], tick: int
) -> NDArray[np.float32]:
    """The sample at `tick`, between two neighbouring frames: per landmark what is present and near."""
    to_before, to_after = tick - earlier, later - tick
    near_before, near_after = to_before <= REACH + SLACK, to_after <= REACH + SLACK
    missing = np.full_like(before, np.nan)
    first = before if near_before else missing
    second = after if near_after else missing
    if near_before and near_after:
        share = np.float32(min(max(to_before / (later - earlier), 0.0), 1.0))
        between = before + (after - before) * share
    else:
        between = missing
    nearer, other = (first, second) if to_before <= to_after else (second, first)
    one = np.where(np.isnan(nearer), other, nearer)
    return np.where(np.isnan(between), one, between).astype(np.float32)
