"""The landmarks a viewer draws over the picture: `landmarks:{id}`, about 2 KB a picture. Pure."""

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND

# fmt: off
LIPS = (
    0, 13, 14, 17, 37, 39, 40, 61, 78, 80, 81, 82, 84, 87, 88, 91, 95, 146, 178, 181, 185, 191, 267, 269,
    270, 291, 308, 310, 311, 312, 314, 317, 318, 321, 324, 375, 402, 405, 409, 415,
)
"""Face mesh points of the lips: MediaPipe's FACEMESH_LIPS."""
# fmt: on

ROWS = np.array(sorted((*(FACE.start + i for i in LIPS), *LEFT_HAND, *POSE, *RIGHT_HAND)), np.intp)
"""Canonical rows that are sent: lips, hands and pose."""


def overlay(time: float, frame: NDArray[np.float32]) -> bytes:
    """float32, little-endian: media time in seconds, then (row, x, y) of what was found of ROWS.

    `frame` is canonical, [543, 3]; x and y are fractions of the picture.
    """
    points = frame[ROWS, :2]
    found = ~np.isnan(points).any(axis=1)
    triples = np.column_stack((ROWS[found], points[found]))
    return np.concatenate(([time], triples.ravel())).astype("<f4").tobytes()
