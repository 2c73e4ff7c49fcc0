"""Landmarks as they would be of the picture in a mirror."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import MIRRORED


def mirror_columns(rows: Sequence[int]) -> tuple[int, ...]:
    """For each canonical row the place of the one that takes its place in a mirror.

    ValueError where that one is not among them.
    """
    lonely = [row for row in rows if MIRRORED[row] not in rows]
    if lonely:
        raise ValueError(f"is true, row {MIRRORED[lonely[0]]} is missing, the mirror image of {lonely[0]}")
    return tuple(list(rows).index(MIRRORED[row]) for row in rows)


def mirrored(landmarks: NDArray[np.float32], columns: tuple[int, ...]) -> NDArray[np.float32]:
    """[..., rows, 3]: left and right change places, x becomes 1 - x."""
    seen = landmarks[..., list(columns), :].copy()
    seen[..., 0] = np.float32(1) - seen[..., 0]
    return seen
