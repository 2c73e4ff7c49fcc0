"""Arms between two looks at the pose."""

import numpy as np
import pytest

from tests.workers.keypoints.test_hands import hand_at, pose
from workers.keypoints.arms import ELBOW_SHARE, arm_box, has_left, has_moved, held_pose
from workers.keypoints.gates import THUMBNAIL
from workers.keypoints.hands import Hand
from workers.keypoints.poses import ELBOWS, SHOULDERS, WRISTS


@pytest.mark.parametrize("side", [0, 1])
def test_an_arm_is_watched_from_shoulder_to_fingers(side: int) -> None:
    body = pose()
    left, top, right, bottom = arm_box(body, side, 1.0, 0.5625)
    for row in (SHOULDERS[side], ELBOWS[side], WRISTS[side]):
        x, y = body.points[row, 0] * THUMBNAIL[0], body.points[row, 1] / 0.5625 * THUMBNAIL[1]
        assert left <= x <= right
        assert top <= y <= bottom


def test_an_arm_outside_of_the_picture_is_not_watched() -> None:
    body = pose()
    body.points[:, 1] += 3
    still, moved = np.zeros((60, 80), np.uint8), np.full((60, 80), 255, np.uint8)
    assert not has_moved(moved, still, arm_box(body, 0, 1.0, 0.5625))


def test_only_what_changes_at_the_arm_moves_it() -> None:
    before = np.full((60, 80), 90, np.uint8)
    after = before.copy()
    after[30:33, 50:53] = 160
    assert has_moved(after, before, (45, 20, 60, 40))
    assert not has_moved(after, before, (0, 20, 40, 40))
    assert not has_moved(np.full((60, 80), 98, np.uint8), before, (0, 0, 80, 60)), "a lamp flickers"
    assert not has_moved(after, before, (60, 20, 45, 40))


def test_a_held_arm_goes_with_its_hand() -> None:
    held = pose()
    right = Hand(hand_at(0.35), posed_at=(0.3, 0.5))
    for number in range(1, 30):
        held = held_pose(held, Hand(hand_at(0.7)), right, number / 15)
    moved = held.points - pose().points
    assert moved[WRISTS[1], 0] == pytest.approx(0.05, abs=0.002)
    assert moved[ELBOWS[1], 0] == pytest.approx(0.05 * ELBOW_SHARE, abs=0.002)
    assert moved[WRISTS[0], 0] == pytest.approx(0), "never seen together with its hand"
    assert moved[list(SHOULDERS)] == pytest.approx(0)
    assert (held.seen == pose().seen).all()


def test_a_hand_that_came_far_has_left_its_arm() -> None:
    body = pose()
    assert not has_left(Hand(hand_at(0.31), posed_at=(0.3, 0.5)), body)
    assert has_left(Hand(hand_at(0.35), posed_at=(0.3, 0.5)), body)
    assert not has_left(Hand(hand_at(0.35)), body), "its arm was never seen with it"
