"""The One Euro filter (Casiez, Roussel, Vogel: 1 EUR filter, CHI 2012), as MediaPipe smooths poses. Pure."""

import dataclasses
import math

import numpy as np

from workers.keypoints.regions import Points

MIN_CUTOFF = 0.05
BETA = 80.0
DERIVATIVE_CUTOFF = 1.0
"""Hertz, and per body size and second: pose_landmark_filtering."""

STALE_SECONDS = 1.0
"""After a longer silence the person has moved on, and the filter begins anew."""


@dataclasses.dataclass(frozen=True)
class Smoothed:
    """The filter between two values."""

    value: Points
    speed: Points
    """Of the input, in body sizes a second."""
    time: float
    """Media time, seconds."""


def one_euro(before: Smoothed | None, value: Points, time: float, size: float) -> Smoothed:
    """The filter after one more value; `size` is the body's, in the value's units."""
    if before is None or not 0 < time - before.time <= STALE_SECONDS:
        return Smoothed(value, np.zeros_like(value), time)
    seconds = time - before.time
    keep = _share(DERIVATIVE_CUTOFF, seconds)
    speed = keep * ((value - before.value) / (seconds * size)) + (1 - keep) * before.speed
    # _share, of an array.
    turns = 2 * math.pi * seconds * (MIN_CUTOFF + BETA * np.abs(speed))
    share = turns / (turns + 1)
    return Smoothed(share * value + (1 - share) * before.value, speed, time)


def _share(cutoff: float, seconds: float) -> float:
    """How much of a new value a low-pass of first order takes."""
    turns = 2 * math.pi * cutoff * seconds
    return turns / (turns + 1)
