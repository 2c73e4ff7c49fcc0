"""The canonical landmark frame every stage speaks.

A frame is float32 [543, 3] in the row order of Kaggle's "Google - Isolated Sign Language Recognition"
(GISLR): face 468, left hand 21, pose 33, right hand 21. x and y are fractions of the picture's width and
height from its top-left corner, z is relative depth on x's scale. A missing landmark is NaN in all three.

Left is the signer's own left on a picture that is not mirrored. `mirror.py` says the rest.
"""

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.float32]
"""One canonical frame, float32 [543, 3]."""

ROWS = 543
FACE = range(0, 468)
LEFT_HAND = range(468, 489)
POSE = range(489, 522)
RIGHT_HAND = range(522, 543)

HAND_POINTS = 21
"""MediaPipe Hands: 0 is the wrist, 9 the middle finger's knuckle."""

NOSE = POSE[0]
LEFT_SHOULDER, RIGHT_SHOULDER = POSE[11], POSE[12]
LEFT_WRIST, RIGHT_WRIST = POSE[15], POSE[16]

SEGMENT_ROWS = (*LEFT_HAND, *RIGHT_HAND, LEFT_SHOULDER, RIGHT_SHOULDER)
"""By these it is told whether the hands are up, and so where a sign begins and ends."""


def empty_frame() -> Frame:
    """A frame in which nothing was found."""
    return np.full((ROWS, 3), np.nan, np.float32)


def require_frame(frame: NDArray[np.float32]) -> Frame:
    """The frame itself; ValueError where it is not float32 [543, 3]."""
    if frame.shape != (ROWS, 3) or frame.dtype != np.float32:
        raise ValueError(f"frame is {frame.dtype} {list(frame.shape)}, expected float32 [{ROWS}, 3]")
    return frame
