"""MediaPipe's networks with less work around them: the extractor that costs a fifth of Holistic.

Hands are followed in every picture from their own landmarks. The pose is looked at every few pictures, and
at once when a hand is lost or an arm without one moves; it says which hand is which and where to look for a
lost one, so neither a palm detector nor handedness is needed. What was not looked at is held: nothing waits
for a later picture. A hand or a picture that shows the same as before keeps its landmarks. See
docs/keypoints.md.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from shared import metrics
from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, empty_frame
from workers.keypoints import gates
from workers.keypoints.arms import arm_box, has_left, has_moved, held_pose
from workers.keypoints.extractor import ExtractorState
from workers.keypoints.faces import find_face
from workers.keypoints.hands import (
    Hand,
    acquire_hand,
    doubled_side,
    follow_hand,
    has_drifted,
    has_slipped,
    is_worth_searching,
)
from workers.keypoints.memory import Memory
from workers.keypoints.networks import Networks
from workers.keypoints.poses import find_pose
from workers.keypoints.profiles import HOLISTIC, Profile
from workers.keypoints.regions import Points, hand_region

SAME_ASPECT = 0.02
"""Relative; cameras round a changed resolution to even pixels."""

Rgb = NDArray[np.uint8]


@dataclasses.dataclass
class Counts:
    """What a tracker did since it was made."""

    pictures: int = 0
    still_pictures: int = 0
    still_hands: int = 0
    poses: int = 0
    retries: int = 0
    """Poses looked at because a hand was lost, or moved far, in that very picture."""


class Tracker:
    """One session's. The same pictures give the same bytes, also across `state` and `restore`."""

    def __init__(self, networks: Networks, profile: Profile = HOLISTIC, *, gated: bool = True) -> None:
        """Without `gated` every picture and every hand in it is looked at, however still."""
        self.counts = Counts()
        self._networks = networks
        self._profile = profile
        self._gated = gated
        self._memory = Memory()

    def landmarks(self, rgb: Rgb, time: float) -> NDArray[np.float32]:
        """See `Extractor`."""
        self.counts.pictures += 1
        height, width = rgb.shape[:2]
        memory = self._memory
        if abs(width / height - memory.aspect) > SAME_ASPECT * memory.aspect:
            memory = self._memory = Memory(aspect=width / height)
        now = gates.thumbnail(rgb)
        if self._gated and self._is_still(now):
            self.counts.still_pictures += 1
        else:
            memory.thumbnail, memory.reused = now, 0
            self._look(rgb, time)
        return canonical(memory, width, height)

    def state(self) -> ExtractorState:
        """See `Extractor`."""
        return self._memory.pack()

    def restore(self, state: ExtractorState) -> bool:
        """See `Extractor`."""
        memory = Memory.unpack(state)
        self._memory = memory or self._memory
        return memory is not None

    def close(self) -> None:
        """Nothing: the networks are the process's."""

    def _is_still(self, now: gates.Grey) -> bool:
        memory = self._memory
        before = memory.thumbnail
        if before is None or memory.reused >= gates.PICTURE_REUSES or not gates.is_still(now, before):
            return False
        memory.reused += 1
        return True

    def _look(self, rgb: Rgb, time: float) -> None:
        memory = self._memory
        memory.pose_age += 1
        memory.face_age += 1
        looked = self._is_pose_due(rgb)
        if looked:
            self._look_at_pose(rgb, time)
        for side in (0, 1):
            if memory.pose is None:
                break
            looked = self._look_at_hand(rgb, time, side, posed=looked)
        self._part_hands()
        if looked:
            self._place_hands()
        elif memory.pose is not None:
            left, right = memory.hands
            memory.pose = held_pose(memory.pose, left, right, time)
        self._look_at_face(rgb, posed=looked)

    def _is_pose_due(self, rgb: Rgb) -> bool:
        memory = self._memory
        if memory.pose is None or memory.pose_age >= self._profile.pose:
            return True
        height, width = rgb.shape[:2]
        longer = max(width, height)
        size = width / longer, height / longer
        return any(
            has_left(hand, memory.pose)
            if hand.points is not None
            else is_worth_searching(hand, memory.pose, side, *size) or self._has_arm_moved(side, *size)
            for side, hand in enumerate(memory.hands)
        )

    def _has_arm_moved(self, side: int, width: float, height: float) -> bool:
        memory = self._memory
        assert memory.pose is not None
        if memory.thumbnail is None or memory.posed is None:
            return True
        return has_moved(memory.thumbnail, memory.posed, arm_box(memory.pose, side, width, height))

    def _look_at_pose(self, rgb: Rgb, time: float) -> None:
        memory = self._memory
        self.counts.poses += 1
        with metrics.LANDMARK.timed("pose"):
            memory.pose = find_pose(self._networks, rgb, memory.pose, time)
        memory.pose_age, memory.posed = 0, memory.thumbnail
        if memory.pose is None:
            memory.hands, memory.face = [Hand(), Hand()], None

    def _look_at_hand(self, rgb: Rgb, time: float, side: int, *, posed: bool) -> bool:
        """Returns whether the pose is of this picture by now."""
        memory, before = self._memory, self._memory.hands[side]
        hand, sure = self._follow(rgb, side, posed=posed) if before.points is not None else (None, False)
        if before.points is not None and not sure and not posed:
            # Lost between two poses, or nearly: its wrist of this picture finds it before anybody misses it.
            self.counts.retries += 1
            self._look_at_pose(rgb, time)
            posed = True
        if memory.pose is not None:
            if posed and not sure:
                with metrics.LANDMARK.timed("hands"):
                    found = acquire_hand(self._networks, rgb, before, memory.pose, side, gated=self._gated)
                hand = hand if hand is not None and found.points is None else found
            memory.hands[side] = hand or before.longer_missed()
        return posed

    def _follow(self, rgb: Rgb, side: int, *, posed: bool) -> tuple[Hand | None, bool]:
        """The hand where it was, and whether that is where it is."""
        before, pose = self._memory.hands[side], self._memory.pose
        assert before.points is not None
        assert pose is not None
        region = hand_region(before.points)
        if posed and has_drifted(before.points, region, pose, side):
            return None, False
        with metrics.LANDMARK.timed("hands"):
            hand = follow_hand(self._networks, rgb, before, region, gated=self._gated)
        if hand is None or hand.points is None:
            return None, False
        still = hand.points is before.points
        self.counts.still_hands += still
        sure = still or not has_slipped(region, hand.points)
        return dataclasses.replace(hand, posed_at=before.posed_at), sure

    def _part_hands(self) -> None:
        memory = self._memory
        left, right = memory.hands[0].points, memory.hands[1].points
        if memory.pose is None or left is None or right is None:
            return
        doubled = doubled_side(left, right, memory.pose)
        if doubled is not None:
            memory.hands[doubled] = Hand(missed=1)

    def _place_hands(self) -> None:
        """Notes where the hands are on the pose, so that a held pose's arms go with them."""
        for side, hand in enumerate(self._memory.hands):
            if hand.points is not None:
                at = float(hand.points[0, 0]), float(hand.points[0, 1])
                self._memory.hands[side] = dataclasses.replace(hand, posed_at=at)

    def _look_at_face(self, rgb: Rgb, *, posed: bool) -> None:
        memory, every = self._memory, self._profile.face
        if every is None or memory.pose is None:
            return
        if memory.face_age >= every if memory.face is not None else posed:
            with metrics.LANDMARK.timed("face"):
                memory.face = find_face(self._networks, rgb, memory.face, memory.pose)
            memory.face_age = 0


def canonical(memory: Memory, width: int, height: int) -> NDArray[np.float32]:
    """What a memory says is in its picture, float32 [543, 3]."""
    frame, longer = empty_frame(), max(width, height)
    scale = np.array([longer / width, longer / height, longer / width])
    for rows, points in _parts(memory):
        if points is not None:
            frame[rows.start : rows.stop] = points * scale
    return frame


def _parts(memory: Memory) -> Iterable[tuple[range, Points | None]]:
    left, right = memory.hands
    yield POSE, None if memory.pose is None else memory.pose.points
    yield LEFT_HAND, left.points
    yield RIGHT_HAND, right.points
    yield FACE, None if memory.face is None else memory.face.points
