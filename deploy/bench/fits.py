"""Straight lines through measurements. Pure."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Line:
    """y = intercept + slope x."""

    intercept: float
    slope: float
    worst: float
    """The largest distance of a measurement from the line, as a share of the line there."""

    def at(self, x: float) -> float:
        """The line's value."""
        return self.intercept + self.slope * x


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """The line whose distances, each as a share of the measurement, are smallest in squares.

    Of one measurement it goes through zero. ValueError for none, or for one at or below zero: what is
    measured costs something.
    """
    if not x or len(x) != len(y):
        raise ValueError(f"{len(x)} places and {len(y)} measurements, expected as many and at least one")
    if min(y) <= 0:
        raise ValueError(f"a measurement is {min(y)}, expected more than 0")
    xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(set(x)) == 1:
        slope = float(ys.mean() / xs[0])
        return Line(0.0, slope, float(np.abs(ys / (slope * xs) - 1).max()))
    # Each row divided by its measurement: ten sessions weigh as much as a thousand.
    design = np.stack([1 / ys, xs / ys], 1)
    (intercept, slope), *_ = np.linalg.lstsq(design, np.ones(len(ys)), rcond=None)
    line = Line(float(intercept), float(slope), 0.0)
    off = max(abs(value / line.at(place) - 1) for place, value in zip(x, y, strict=True))
    return dataclasses.replace(line, worst=float(off))
