"""Which hand is whose."""

import dataclasses

import numpy as np
import pytest

from workers.keypoints.filters import Smoothed
from workers.keypoints.hands import (
    LONG_MISSED,
    SEARCHED_PICTURES,
    Hand,
    doubled_side,
    has_drifted,
    has_slipped,
    is_worth_searching,
)
from workers.keypoints.poses import SHOULDERS, WRISTS, Pose
from workers.keypoints.regions import Region, hand_region

REGION = Region(0.5, 0.5, 0.1)


def pose(*, visible: float = 0.9, speeds: tuple[float, float] = (0.0, 0.0)) -> Pose:
    """Shoulders 0.2 apart, the left wrist at x 0.7, the right at 0.3."""
    points = np.full((33, 3), 0.5)
    points[list(SHOULDERS), 0] = 0.6, 0.4
    points[list(WRISTS), 0] = 0.7, 0.3
    seen = np.concatenate((points, [[0.5, 0.5, 0.0], [0.5, 0.0, 0.0]]))
    still = Smoothed(seen, np.zeros((35, 3)), seen, 0.0)
    return Pose(points, np.full(33, visible), REGION, still, seen, speeds, 0.0)


def hand_at(x: float) -> np.ndarray:  # type: ignore[type-arg]
    points = np.full((21, 3), 0.5)
    points[:, 0] = x
    return points


def test_a_hand_near_its_wrist_has_not_drifted() -> None:
    assert not has_drifted(hand_at(0.72), REGION, pose(), 0)
    assert has_drifted(hand_at(0.3), REGION, pose(), 0)


@pytest.mark.parametrize(
    ("dx", "angle", "size", "slipped"),
    [
        (0.0, 0.0, 1.0, False),
        (0.19, 0.6, 0.65, False),
        (0.21, 0.0, 1.0, True),
        (0.0, 0.8, 1.0, True),
        (0.0, 0.0, 0.55, True),
    ],
)
def test_a_hand_seen_at_the_edge_of_its_region_has_slipped(
    dx: float, angle: float, size: float, slipped: bool
) -> None:
    points = np.random.default_rng(3).random((21, 3)) / 5 + 0.4
    there = hand_region(points)
    looked = Region(there.x + dx * there.size / size, there.y, there.size / size, there.angle + angle)
    assert has_slipped(looked, points) is slipped


def test_a_hand_is_trusted_where_the_wrist_is_a_guess() -> None:
    assert not has_drifted(hand_at(0.3), REGION, pose(visible=0.3), 0)


@pytest.mark.parametrize(("x", "given_up"), [(0.69, 1), (0.31, 0)])
def test_of_two_sides_on_one_hand_the_nearer_arm_keeps_it(x: float, given_up: int) -> None:
    assert doubled_side(hand_at(x), hand_at(x + 0.001), pose()) == given_up


def test_two_hands_are_both_kept() -> None:
    assert doubled_side(hand_at(0.7), hand_at(0.3), pose()) is None


def test_a_hand_just_lost_is_searched_and_one_long_gone_is_not() -> None:
    assert is_worth_searching(Hand(missed=SEARCHED_PICTURES), pose(), 0, 1.0, 1.0)
    assert not is_worth_searching(Hand(missed=SEARCHED_PICTURES + 1), pose(), 0, 1.0, 1.0)


def test_a_wrist_that_moves_brings_its_hand_back() -> None:
    moving, gone = pose(speeds=(0.5, 0.0)), Hand(missed=50)
    assert is_worth_searching(gone, moving, 0, 1.0, 1.0)
    assert not is_worth_searching(gone, moving, 1, 1.0, 1.0)
    assert not is_worth_searching(gone, moving, 0, 0.6, 1.0), "the wrist is outside the picture"


def test_a_missing_hand_is_counted_but_not_for_ever() -> None:
    assert Hand().longer_missed().missed == 1
    assert Hand(missed=LONG_MISSED).longer_missed().missed == LONG_MISSED


def test_a_hand_knows_how_far_it_came_since_the_pose() -> None:
    hand = Hand(hand_at(0.7), posed_at=(0.6, 0.5))
    assert hand.moved == pytest.approx((0.1, 0.0))
    assert dataclasses.replace(hand, posed_at=None).moved == (0.0, 0.0)
    assert Hand(posed_at=(0.6, 0.5)).moved == (0.0, 0.0)
