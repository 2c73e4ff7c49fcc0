"""Whether a picture, or a hand in it, is the same as the one before: then its landmarks are too. Pure.

They look at the green channel alone: it is most of the brightness, and one byte a pixel.
"""

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.keypoints.regions import Region

Grey = NDArray[np.uint8]

THUMBNAIL = (80, 60)
"""Width and height in which a whole picture is compared."""

READ_FROM = 240
"""Pixels of the shorter side from which a thumbnail is averaged; all of 720p costs more than it tells."""

PICTURE_LEVEL = 10
"""Grey levels by which a thumbnail's pixel must differ to count: a camera's noise averages out below it."""

PICTURE_PIXELS = 2
"""Pixels of the thumbnail that may differ: a blinking eye."""

PICTURE_REUSES = 15
"""Pictures in a row that may be taken as the same: a slow drift must not go unseen."""

HAND_STEP = 4
HAND_LEVEL = 30
HAND_SHARE = 0.01
"""Of a hand's pixels, every fourth each way, that may differ by more than the level."""

HAND_REUSES = 4


def thumbnail(rgb: NDArray[np.uint8]) -> Grey:
    """uint8 [60, 80] of a picture [height, width, 3]."""
    step = max(1, min(rgb.shape[:2]) // READ_FROM)
    small = cv2.resize(np.ascontiguousarray(rgb[::step, ::step, 1]), THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(small, (3, 3)), np.uint8)


def is_still(now: Grey, before: Grey) -> bool:
    """Whether nothing moved between two thumbnails."""
    return int(np.count_nonzero(cv2.absdiff(now, before) > PICTURE_LEVEL)) <= PICTURE_PIXELS


@dataclasses.dataclass(frozen=True)
class HandPatch:
    """A hand's pixels when it was last landmarked."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom, pixels."""
    pixels: Grey
    reused: int = 0
    """Pictures since then that showed the same."""


def hand_patch(rgb: NDArray[np.uint8], region: Region, reused: int = 0) -> HandPatch:
    """Of the upright box in a hand's region."""
    height, width = rgb.shape[:2]
    longer, half = max(height, width), region.size / 2
    left, top = max(0, int((region.x - half) * longer)), max(0, int((region.y - half) * longer))
    right, bottom = int((region.x + half) * longer), int((region.y + half) * longer)
    box = (min(left, width), min(top, height), min(max(right, 0), width), min(max(bottom, 0), height))
    return HandPatch(box, _pixels(rgb, box), reused)


def is_same_hand(rgb: NDArray[np.uint8], before: HandPatch) -> bool:
    """Whether the picture shows there what it showed, and has not been trusted for too long."""
    if before.reused >= HAND_REUSES or before.pixels.size == 0:
        return False
    now = _pixels(rgb, before.box)
    if now.shape != before.pixels.shape:
        return False
    differ = int(np.count_nonzero(cv2.absdiff(now, before.pixels) > HAND_LEVEL))
    return differ <= HAND_SHARE * now.size


def _pixels(rgb: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Grey:
    left, top, right, bottom = box
    return np.ascontiguousarray(rgb[top:bottom:HAND_STEP, left:right:HAND_STEP, 1])
