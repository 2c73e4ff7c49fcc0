"""A hand: followed from its own landmarks, and found again at the wrist of the pose."""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.gates import HandPatch, hand_patch, is_same_hand
from workers.keypoints.networks import Networks
from workers.keypoints.poses import INDEXES, PINKIES, WRISTS, Pose
from workers.keypoints.regions import (
    Points,
    Region,
    hand_region,
    recropped_region,
    to_picture,
    wrapped,
    wrist_region,
)

POINTS = 21

DEPTH_SCALE = 0.4
"""MediaPipe divides a hand's z by this (normalize_z), so that it is on the scale of x."""

MIN_PRESENCE = 0.5
MIN_WRIST_VISIBLE = 0.1
SURE_WRIST = 0.5

DRIFT_OF_REGION, DRIFT_OF_SHOULDERS = 0.6, 0.3
"""A hand further from its pose's wrist than the larger of these is not that arm's hand any more."""

SLIPPED_OF_REGION, SLIPPED_ANGLE, SLIPPED_SCALE = 0.2, math.radians(40), 0.4
"""What is seen in a region that lies further than this from the hand, or is turned or sized otherwise, is not
trusted, and its wrist is asked. MediaPipe's hand_tracking follows a hand only within these."""

SAME_HAND = 0.12
"""Shoulder widths between two hands' landmarks: closer, both sides sit on one hand."""

SEARCHED_PICTURES = 4
"""A hand lost at most this long ago is looked for in every picture."""

ACTIVE_SPEED = 0.6
"""Shoulder widths a second: so fast a visible wrist moves when its hand comes back."""

LONG_MISSED = 99
"""Pictures counted since a hand was lost, at most."""


@dataclasses.dataclass(frozen=True)
class Hand:
    """One side's hand in one picture."""

    points: Points | None = None
    """[21, 3] in the picture's units; None is not seen."""
    missed: int = 0
    """Pictures in a row without it."""
    patch: HandPatch | None = None
    """What it looked like, or a missing one's wrist when it was searched; None where it is not compared."""
    posed_at: tuple[float, float] | None = None
    """Where its wrist was in the picture of the pose; None where the two were not seen together."""

    def longer_missed(self) -> "Hand":
        """The same after a picture in which it was not searched."""
        return dataclasses.replace(self, missed=min(self.missed + 1, LONG_MISSED))

    @property
    def moved(self) -> tuple[float, float]:
        """How far its wrist has come since the pose."""
        if self.points is None or self.posed_at is None:
            return 0.0, 0.0
        return float(self.points[0, 0]) - self.posed_at[0], float(self.points[0, 1]) - self.posed_at[1]


def find_hand(networks: Networks, rgb: NDArray[np.uint8], region: Region) -> Points | None:
    """[21, 3] of the hand in a region."""
    landmarks, presence = networks.hand.run(rgb, region)
    if presence[0] < MIN_PRESENCE:
        return None
    points = landmarks.reshape(POINTS, 3).astype(np.float64) / networks.hand.side
    points[:, 2] /= DEPTH_SCALE
    return to_picture(points, region)


def acquire_hand(
    networks: Networks, rgb: NDArray[np.uint8], before: Hand, pose: Pose, side: int, *, gated: bool
) -> Hand:
    """The hand of a side (0 left, 1 right) at the pose's wrist, or one that is missed one picture longer.

    Where none was found and nothing has moved since, it is not searched again.
    """
    missing = Hand(missed=min(before.missed + 1, LONG_MISSED))
    around = _wrist_region(pose, side)
    if around is None:
        return missing
    searched = before.patch if before.points is None else None
    if gated and searched is not None and is_same_hand(rgb, searched):
        return dataclasses.replace(missing, patch=dataclasses.replace(searched, reused=searched.reused + 1))
    (found,) = networks.recrop.run(rgb, around)
    centre_edge = to_picture(found.reshape(2, 2).astype(np.float64) / networks.recrop.side, around)
    region = recropped_region(centre_edge)
    points = find_hand(networks, rgb, region) if region.size > 0 else None
    if points is not None:
        return Hand(points, 0, hand_patch(rgb, region) if gated else None)
    return dataclasses.replace(missing, patch=hand_patch(rgb, around) if gated else None)


def _wrist_region(pose: Pose, side: int) -> Region | None:
    """None where the wrist is not seen."""
    if pose.visible[WRISTS[side]] < MIN_WRIST_VISIBLE:
        return None
    points = pose.seen
    return wrist_region(points[WRISTS[side]], points[PINKIES[side]], points[INDEXES[side]])


def follow_hand(
    networks: Networks, rgb: NDArray[np.uint8], before: Hand, region: Region, *, gated: bool
) -> Hand | None:
    """The hand where it was; taken over unseen where the picture there is the same."""
    patch = before.patch
    if gated and patch is not None and is_same_hand(rgb, patch):
        return dataclasses.replace(before, patch=dataclasses.replace(patch, reused=patch.reused + 1))
    points = find_hand(networks, rgb, region)
    return None if points is None else Hand(points, 0, hand_patch(rgb, region) if gated else None)


def has_slipped(region: Region, seen: Points) -> bool:
    """Whether a hand moved on so fast that the region in which it was seen was the last picture's."""
    now = hand_region(seen)
    return (
        math.hypot(now.x - region.x, now.y - region.y) > SLIPPED_OF_REGION * region.size
        or abs(wrapped(now.angle - region.angle)) > SLIPPED_ANGLE
        or abs(now.size - region.size) > SLIPPED_SCALE * region.size
    )


def has_drifted(points: Points, region: Region, pose: Pose, side: int) -> bool:
    """Whether a followed hand has left its arm: it slipped onto the other hand, or onto the face."""
    if pose.visible[WRISTS[side]] <= SURE_WRIST:
        return False
    allowed = max(DRIFT_OF_REGION * region.size, DRIFT_OF_SHOULDERS * pose.shoulders)
    return wrist_distance(points, pose, side) > allowed


def doubled_side(left: Points, right: Points, pose: Pose) -> int | None:
    """The side to give up where both follow one hand: the one further from its pose's wrist."""
    if float(np.abs(left[:, :2] - right[:, :2]).mean()) >= SAME_HAND * pose.shoulders:
        return None
    return 1 if wrist_distance(left, pose, 0) < wrist_distance(right, pose, 1) else 0


def wrist_distance(points: Points, pose: Pose, side: int) -> float:
    """Between a hand's wrist and its pose's."""
    wrist = pose.seen[WRISTS[side]]
    return math.hypot(points[0, 0] - wrist[0], points[0, 1] - wrist[1])


def is_worth_searching(hand: Hand, pose: Pose, side: int, width: float, height: float) -> bool:
    """Whether a missing hand may be in this picture: just lost, or its wrist is seen to move."""
    if hand.missed <= SEARCHED_PICTURES:
        return True
    x, y = pose.points[WRISTS[side], :2].tolist()
    visible = pose.visible[WRISTS[side]] > MIN_WRIST_VISIBLE and 0 < x < width and 0 < y < height
    return bool(visible and pose.wrist_speeds[side] > ACTIVE_SPEED * pose.shoulders)
