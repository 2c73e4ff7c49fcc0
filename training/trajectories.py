"""Averages of clips that run at their own speeds: DTW barycentre averaging.

Petitjean, Ketterlin, Gançarski, "A global averaging method for dynamic time warping, with applications to
clustering", Pattern Recognition 44 (2011).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""[samples, points, coordinates], NaN is missing."""

ROUNDS = 5
"""From then on the words' averages move by less than a hundredth of the shoulders' distance a round."""

KEPT = 2 / 3
"""Of the clips, those nearest to the average: signers sign some words in two ways, and between is none."""

ABSENT = 0.5
"""What a point costs that is missing on one side alone, in squared units: a hand's way from rest to sign."""


def average(clips: Sequence[Points], samples: int) -> tuple[Points, list[int]]:
    """The average of clips of one length, resampled to `samples`, and the places of those it is made of.

    A point is missing in it where it is in more than half of them. ValueError for less than two clips.
    """
    if len(clips) < 2:
        raise ValueError(f"an average of {len(clips)} clips would be a copy, expected two or more")
    stack = np.stack(clips).astype(np.float32)
    middle = stack[_medoid(stack)]
    kept = np.arange(len(stack))
    for _ in range(ROUNDS):
        costs, paths = _warped(middle, stack)
        kept = np.sort(np.argsort(costs, kind="stable")[: max(2, round(KEPT * len(stack)))])
        middle = _mean([stack[i] for i in kept], [paths[i] for i in kept], len(middle))
    at = np.linspace(0, len(middle) - 1, samples)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(middle) - 1)
    part = (at - low).astype(np.float32)[:, None, None]
    between = middle[low] * (1 - part) + middle[high] * part
    resampled = np.where(np.isnan(between), np.where(part < 0.5, middle[low], middle[high]), between)
    return resampled.astype(np.float32), [int(place) for place in kept]


def _distances(middle: Points, stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """[clips, samples of the average, samples]: mean squared distance; ABSENT where one alone has a point."""
    there, found = ~np.isnan(middle[..., 0]), ~np.isnan(stack[..., 0])
    apart = np.nan_to_num(stack)[:, None] - np.nan_to_num(middle)[None, :, None]
    both = there[None, :, None] & found[:, None]
    one = there[None, :, None] ^ found[:, None]
    squares = np.where(both, (apart**2).sum(-1), 0) + ABSENT * one
    return np.asarray(squares.sum(-1) / np.maximum((both | one).sum(-1), 1), np.float32)


def _medoid(stack: NDArray[np.float32]) -> int:
    """The clip nearest to all others, sample by sample."""
    sums = []
    for clip in stack:
        both = ~(np.isnan(clip[..., 0]) | np.isnan(stack[..., 0]))
        one = np.isnan(clip[..., 0]) ^ np.isnan(stack[..., 0])
        squares = np.where(both, ((np.nan_to_num(stack) - np.nan_to_num(clip)) ** 2).sum(-1), ABSENT * one)
        sums.append(squares.sum() / max(int((both | one).sum()), 1))
    return int(np.argmin(sums))


def _warped(
    middle: Points, stack: NDArray[np.float32]
) -> tuple[NDArray[np.float32], list[list[tuple[int, int]]]]:
    """For each clip the cheapest warp: its cost and its pairs (sample of the average, sample of the clip)."""
    distances = _distances(middle, stack)
    clips, rows, columns = distances.shape
    total = np.full((clips, rows + 1, columns + 1), np.inf, np.float32)
    total[:, 0, 0] = 0
    for i in range(rows):
        for j in range(columns):
            before = np.minimum(np.minimum(total[:, i, j], total[:, i, j + 1]), total[:, i + 1, j])
            total[:, i + 1, j + 1] = distances[:, i, j] + before
    return total[:, -1, -1], [_path(table) for table in total]


def _path(total: NDArray[np.float32]) -> list[tuple[int, int]]:
    i, j = total.shape[0] - 1, total.shape[1] - 1
    path = []
    while i and j:
        path.append((i - 1, j - 1))
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda step: float(total[step]))
    return path[::-1]


def _mean(clips: list[Points], paths: list[list[tuple[int, int]]], samples: int) -> Points:
    """Each clip counts the same at each sample of the average, however many of its own lie there."""
    sums = np.zeros((samples, *clips[0].shape[1:]), np.float64)
    counts = np.zeros((samples, clips[0].shape[1], 1))
    for clip, path in zip(clips, paths, strict=True):
        places: list[list[int]] = [[] for _ in range(samples)]
        for of_average, of_clip in path:
            places[of_average].append(of_clip)
        for n, taken in enumerate(places):
            lying = clip[taken]
            found = ~np.isnan(lying[..., :1])
            some = found.sum(0)
            sums[n] += np.where(some, np.where(found, lying, 0).sum(0) / np.maximum(some, 1), 0)
            counts[n] += some > 0
    mean = sums / np.maximum(counts, 1)
    return np.where(counts * 2 > len(clips), mean, np.nan).astype(np.float32)
