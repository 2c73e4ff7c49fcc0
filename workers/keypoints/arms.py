"""An arm between two looks at the pose: whether it has moved since, and where it is meanwhile. Pure.

An arm whose hand is seen is held by it. One without a hand is only known from the pose, and just when it
rises to sign the pose is old: signs would begin late, and at another moment every time.
"""

import dataclasses
import math

import cv2
import numpy as np

from workers.keypoints.gates import THUMBNAIL, Grey
from workers.keypoints.hands import Hand
from workers.keypoints.poses import (
    CENTRE,
    EDGE,
    ELBOWS,
    HAND_POINTS,
    INDEXES,
    PINKIES,
    POINTS,
    SHOULDERS,
    WRISTS,
    Pose,
    smoothed,
)
from workers.keypoints.regions import pose_region

ELBOW_SHARE = 0.25
"""How far an elbow goes with its wrist, while its shoulder stays: a forearm turns more than an arm."""

AROUND = 0.25
"""Shoulder widths around an arm's landmarks that are watched: its sleeve, and where it goes next."""

FAR = 0.12
"""Shoulder widths that a hand may come before its arm is looked at again: it only roughly goes with it."""

MOVED_LEVEL = 10
MOVED_PIXELS = 3
"""Of a thumbnail, grey levels by which a pixel must differ to count, and how many make a movement."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom, pixels of a thumbnail."""


def arm_box(pose: Pose, side: int, width: float, height: float) -> Box:
    """Around the arm of a side (0 left, 1 right) in a picture of this size, in the longer side's units."""
    rows = [points[side] for points in (SHOULDERS, ELBOWS, WRISTS, PINKIES, INDEXES)]
    arm, margin = pose.points[rows, :2], AROUND * pose.shoulders
    (left, top), (right, bottom) = (arm.min(0) - margin).tolist(), (arm.max(0) + margin).tolist()
    across, down = THUMBNAIL[0] / width, THUMBNAIL[1] / height
    return (
        _within(math.floor(left * across), THUMBNAIL[0]),
        _within(math.floor(top * down), THUMBNAIL[1]),
        _within(math.ceil(right * across), THUMBNAIL[0]),
        _within(math.ceil(bottom * down), THUMBNAIL[1]),
    )


def has_moved(now: Grey, before: Grey, box: Box) -> bool:
    """Whether two thumbnails differ in a box."""
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        return False
    differ = cv2.absdiff(now[top:bottom, left:right], before[top:bottom, left:right]) > MOVED_LEVEL
    return int(np.count_nonzero(differ)) >= MOVED_PIXELS


def has_left(hand: Hand, pose: Pose) -> bool:
    """Whether a hand has come far since its arm was looked at."""
    return math.hypot(*hand.moved) > FAR * pose.shoulders


def held_pose(pose: Pose, left: Hand, right: Hand, time: float) -> Pose:
    """The pose of a picture in which it was not looked at: its arms go with the hands, through its filter."""
    landmarks = pose.seen.copy()
    for side, hand in enumerate((left, right)):
        moved = np.array(hand.moved)
        landmarks[list(HAND_POINTS[side]), :2] += moved
        landmarks[ELBOWS[side], :2] += ELBOW_SHARE * moved
    filtered = smoothed(pose.filtered, landmarks, time)
    region = pose_region(filtered.value[CENTRE], filtered.value[EDGE])
    return dataclasses.replace(pose, points=filtered.value[:POINTS], region=region, filtered=filtered)


def _within(pixel: int, length: int) -> int:
    return min(max(pixel, 0), length)
