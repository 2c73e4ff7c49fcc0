"""Arms between two looks at the pose."""

import numpy as np
import pytest

from tests.workers.keypoints.test_hands import hand_at, pose
from workers.keypoints.arms import arm_box, has_moved, held_pose
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
    body = pose()
    right = Hand(hand_at(0.35), posed_at=(0.3, 0.5))
    held = held_pose(body, Hand(hand_at(0.7)), right)
    assert held[WRISTS[1], 0] == pytest.approx(body.points[WRISTS[1], 0] + 0.05)
    assert held[ELBOWS[1], 0] == pytest.approx(body.points[ELBOWS[1], 0] + 0.025)
    assert (held[WRISTS[0]] == body.points[WRISTS[0]]).all(), "never seen together with its hand"
    assert (held[list(SHOULDERS)] == body.points[list(SHOULDERS)]).all()
