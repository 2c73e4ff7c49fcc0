"""The One Euro filter (Casiez, Roussel, Vogel: 1 EUR filter, CHI 2012), as MediaPipe smooths poses. Pure."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.regions import Points

DERIVATIVE_CUTOFF = 1.0
"""Hertz: pose_landmark_filtering."""

STEP_SECONDS = 1 / 30
"""From one value to the next. MediaPipe's video mode counts pictures, 30 a second, whatever the camera's,
and models learn from landmarks that lag as these do."""

STALE_SECONDS = 1.0
"""After a longer silence the person has moved on, and the filter begins anew."""


@dataclasses.dataclass(frozen=True)
class Cutoff:
    """How much is smoothed: for all values, or [values, 1]."""

    least: float | NDArray[np.float64] = 0.05
    """Hertz, of what does not move."""
    beta: float | NDArray[np.float64] = 80.0
    """Hertz more for each body size a second."""


BODY = Cutoff()


@dataclasses.dataclass(frozen=True)
class Smoothed:
    """The filter between two values."""

    value: Points
    speed: Points
    """Of the input, in body sizes a second, itself smoothed."""
    raw: Points
    """The newest input."""
    time: float
    """Media time, seconds."""


def one_euro(
    before: Smoothed | None, value: Points, time: float, size: float, cutoff: Cutoff = BODY
) -> Smoothed:
    """The filter after one more value; `size` is the body's, in the value's units."""
    if before is None or not 0 < time - before.time <= STALE_SECONDS:
        return Smoothed(value, np.zeros_like(value), value, time)
    keep = _share(DERIVATIVE_CUTOFF)
    speed = keep * ((value - before.raw) / (STEP_SECONDS * size)) + (1 - keep) * before.speed
    # _share, of an array.
    turns = 2 * math.pi * STEP_SECONDS * (cutoff.least + cutoff.beta * np.abs(speed))
    share = turns / (turns + 1)
    return Smoothed(share * value + (1 - share) * before.value, speed, value, time)


def _share(cutoff: float) -> float:
    """How much of a new value a low-pass of first order takes."""
    turns = 2 * math.pi * cutoff * STEP_SECONDS
    return turns / (turns + 1)
