"""Mean and spread of each landmark over a whole data set, as bundles' `input.stats` files have them.

Counted in one pass (Welford's update for chunks; Chan, Golub and LeVeque, 1983), so that a data set of any
size is read once and nothing of it is kept.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.datasets.landmark_clip import LandmarkClip


@dataclasses.dataclass(frozen=True)
class Statistics:
    """float64 [rows, 3] each; a landmark that was never found has mean 0 and std 0."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    count: NDArray[np.int64]
    """Frames in which it was found."""
    clips: int

    def write(self, file: Path) -> None:
        """A `.npz` with `mean` and `std`, float32 [rows, 3], which the step `standardise` names."""
        np.savez(file, mean=self.mean.astype(np.float32), std=self.std.astype(np.float32), count=self.count)


def statistics_of(clips: Iterable[LandmarkClip], *, zero_is_missing: bool) -> Statistics:
    """Over all frames of all clips; a landmark that is NaN, or 0 where that means missing, is left out.

    ValueError where there is no clip, or clips of different layouts.
    """
    total: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]] | None = None
    number = 0
    for clip in clips:
        points = clip.landmarks.astype(np.float64)
        found = np.isfinite(points).all(axis=-1)
        if zero_is_missing:
            found &= (points != 0).any(axis=-1)
        chunk = _moments(points, found)
        if total is not None and total[0].shape != chunk[0].shape:
            rows = len(total[0])
            raise ValueError(f"{clip.file}: {points.shape[1]} rows a frame, those before have {rows}")
        total = chunk if total is None else _joined(total, chunk)
        number += 1
    if total is None:
        raise ValueError("no clip to take statistics of")
    mean, squares, count = total
    return Statistics(mean, np.sqrt(squares / np.maximum(count, 1)[:, None]), count, number)


def _moments(
    points: NDArray[np.float64], found: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean, sum of squares about it and count of each row: [rows, 3], [rows, 3], [rows]."""
    known = np.where(found[..., None], points, 0.0)
    count = found.sum(axis=0)
    mean = known.sum(axis=0) / np.maximum(count, 1)[:, None]
    apart = np.where(found[..., None], points - mean, 0.0)
    return mean, np.square(apart).sum(axis=0), count.astype(np.int64)


def _joined(
    a: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    b: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    count = a[2] + b[2]
    share = (b[2] / np.maximum(count, 1))[:, None]
    apart = b[0] - a[0]
    mean = a[0] + apart * share
    squares = a[1] + b[1] + np.square(apart) * a[2][:, None] * share
    return mean, squares, count
