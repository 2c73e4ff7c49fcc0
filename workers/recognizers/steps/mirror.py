"""Landmarks as they would be of the picture in a mirror."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, POSE, POSE_MIRRORED, RIGHT_HAND

_PARTNERS = {
    **dict(zip(LEFT_HAND, RIGHT_HAND, strict=True)),
    **dict(zip(RIGHT_HAND, LEFT_HAND, strict=True)),
    **{POSE[i]: POSE[partner] for i, partner in enumerate(POSE_MIRRORED)},
}


def mirror_columns(rows: Sequence[int]) -> tuple[int, ...]:
    """For each canonical row the place of the one that takes its place in a mirror.

    ValueError where that one is not among them, and for the face: who is whose partner there is not known.
    """
    face = [row for row in rows if row in FACE]
    if face:
        raise ValueError(f"is true, rows {face[:3]} are of the face, which cannot be mirrored here")
    lonely = [row for row in rows if _PARTNERS[row] not in rows]
    if lonely:
        raise ValueError(f"is true, row {_PARTNERS[lonely[0]]} is missing, the mirror image of {lonely[0]}")
    return tuple(list(rows).index(_PARTNERS[row]) for row in rows)


def mirrored(landmarks: NDArray[np.float32], columns: tuple[int, ...]) -> NDArray[np.float32]:
    """[..., rows, 3]: left and right change places, x becomes 1 - x."""
    seen = landmarks[..., list(columns), :].copy()
    seen[..., 0] = np.float32(1) - seen[..., 0]
    return seen
