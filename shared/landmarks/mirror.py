"""Left and right, decided here and nowhere else.

In a canonical frame *left* is the signer's own left, and the picture is as the camera saw it: looking at the
camera, her left hand has the larger x. Who signs in front of a mirror, or of a selfie view that was recorded
as shown, has her right hand where the left was; whatever looks for landmarks then names it left, since to it
she is somebody else, turned round. So

- a picture that comes mirrored is flipped back before it is landmarked (a session's `mirrored`);
- a model that was trained on mirrored pictures (a manifest's `input.mirror`) gets rows that were exchanged as
  `MIRRORED` says, and with 1 - x: what would have been found on the flipped picture. Its pipeline does that;
- nothing else exchanges sides, and no stage uses a network's own guess of handedness.
"""

import numpy as np
from numpy.typing import NDArray

from shared.landmarks.canonical import FACE, LEFT_HAND, POSE, RIGHT_HAND, ROWS

POSE_MIRRORED = (0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i + 1 if i % 2 else i - 1 for i in range(11, 33)))
"""For each pose landmark, the one that takes its place in a mirror."""

_MIDDLE = (
    *(0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
    *(94, 151, 152, 164, 168, 175, 195, 197, 199, 200),
)
"""Face mesh points on the middle of the face."""

_LEFT_HALF = 248
"""Face mesh points from here on are the left half, in the order of the right half's."""


def _face_mirrored() -> tuple[int, ...]:
    right = [point for point in range(_LEFT_HALF) if point not in _MIDDLE]
    pairs = dict(zip(right, range(_LEFT_HALF, len(FACE)), strict=True))
    pairs |= {left: point for point, left in pairs.items()} | {point: point for point in _MIDDLE}
    return tuple(pairs[point] for point in FACE)


MIRRORED: tuple[int, ...] = (
    *_face_mirrored(),
    *RIGHT_HAND,
    *(POSE[point] for point in POSE_MIRRORED),
    *LEFT_HAND,
)
"""For each canonical row, the one that takes its place in a mirror."""

_INDEX = np.array(MIRRORED, np.intp)


def mirrored(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Canonical frames [..., 543, 3] as they would have been found on the flipped picture; a copy."""
    if frames.shape[-2:] != (ROWS, 3):
        raise ValueError(f"frames are {list(frames.shape)}, expected [..., {ROWS}, 3]")
    flipped: NDArray[np.float32] = frames[..., _INDEX, :]
    flipped[..., 0] = 1 - flipped[..., 0]
    return flipped
