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


@dataclasses.dataclass(frozen=True)
class Plane:
    """z = intercept + x_slope x + y_slope y."""

    intercept: float
    x_slope: float
    y_slope: float
    worst: float
    """The largest distance of a measurement from the plane, as a share of the plane there."""

    def at(self, x: float, y: float) -> float:
        """The plane's value."""
        return self.intercept + self.x_slope * x + self.y_slope * y


def fit_plane(x: Sequence[float], y: Sequence[float], z: Sequence[float]) -> Plane:
    """As `fit`, of two things that both cost; neither costs less than nothing, nor does the process itself.

    ValueError for fewer than three measurements, or for one at or below zero.
    """
    if len(z) < 3 or not len(x) == len(y) == len(z):
        raise ValueError(
            f"{len(x)}, {len(y)} places and {len(z)} measurements, expected as many and at least three"
        )
    if min(z) <= 0:
        raise ValueError(f"a measurement is {min(z)}, expected more than 0")
    xs, ys, zs = (np.asarray(values, np.float64) for values in (x, y, z))
    design = np.stack([1 / zs, xs / zs, ys / zs], 1)
    kept = [0, 1, 2]
    while True:
        found, *_ = np.linalg.lstsq(design[:, kept], np.ones(len(zs)), rcond=None)
        if (found >= 0).all() or len(kept) == 1:
            break
        kept.remove(kept[int(found.argmin())])
    slopes = np.zeros(3)
    slopes[kept] = found
    plane = Plane(float(slopes[0]), float(slopes[1]), float(slopes[2]), 0.0)
    off = max(abs(c / plane.at(a, b) - 1) for a, b, c in zip(x, y, z, strict=True))
    return dataclasses.replace(plane, worst=float(off))
