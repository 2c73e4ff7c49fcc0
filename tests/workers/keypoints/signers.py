"""A signer of few points, who does as told."""

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, RIGHT_HAND, RIGHT_SHOULDER, empty_frame

SHOULDERS, WIDTH = 0.4, 0.2
"""Height of her shoulders' line, and the distance between them, on a square picture."""

LAP = 1.9
"""Shoulder widths below that line."""

CHEST = 0.8


def signer(
    *, right: float | None = None, left: float | None = None, x: float = 0.4, shoulders: bool = True
) -> NDArray[np.float32]:
    """A frame with her hands so many shoulder widths below her shoulders; None: not seen."""
    frame = empty_frame()
    if shoulders:
        frame[LEFT_SHOULDER] = (0.5 + WIDTH / 2, SHOULDERS, 0)
        frame[RIGHT_SHOULDER] = (0.5 - WIDTH / 2, SHOULDERS, 0)
    for rows, below in ((RIGHT_HAND, right), (LEFT_HAND, left)):
        if below is not None:
            frame[rows.start : rows.stop] = (x, SHOULDERS + below * WIDTH, 0)
    return frame


def signing(time: float) -> NDArray[np.float32]:
    """Her right hand before the chest, to and fro a third of her shoulders' width."""
    return signer(right=CHEST, x=0.4 + 0.06 * float(np.sin(2 * np.pi * 1.5 * time)))
