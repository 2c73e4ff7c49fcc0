"""Comparing landmarks with landmarks."""

import numpy as np
import pytest

from deploy.bench.landmark_quality import Agreement, Reading, compare, compare_readings
from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, POSE, RIGHT_HAND, RIGHT_SHOULDER, ROWS

ASPECT = 2.0


def signer(pictures: int = 4) -> np.ndarray:  # type: ignore[type-arg]
    """Shoulders 0.2 of the width apart, a left and a right hand."""
    frames = np.full((pictures, ROWS, 3), np.nan, np.float32)
    frames[:, POSE.start : POSE.stop] = 0.5
    frames[:, LEFT_SHOULDER, 0], frames[:, RIGHT_SHOULDER, 0] = 0.6, 0.4
    frames[:, LEFT_HAND.start : LEFT_HAND.stop] = 0.7
    frames[:, RIGHT_HAND.start : RIGHT_HAND.stop] = 0.3
    return frames


def test_the_same_landmarks_agree_in_everything() -> None:
    figures = compare(signer(), signer(), ASPECT).figures()
    assert figures["hand_recall_percent"] == figures["hand_precision_percent"] == 100
    assert figures["hand_distance_percent_of_shoulders"] == 0
    assert figures["side_agreement_percent"] == 100
    assert figures["pose_distance_percent_of_shoulders"] == 0
    assert figures["window_agreement_percent"] is None


def test_distances_are_in_shoulder_widths_whatever_the_picture_is_shaped_like() -> None:
    moved = signer()
    moved[:, LEFT_HAND.start : LEFT_HAND.stop, 1] += (
        0.04  # of the height; the shoulders are 0.4 heights apart
    )
    figures = compare(signer(), moved, ASPECT).figures()
    assert figures["hand_distance_percent_of_shoulders"] == pytest.approx(10 / 2, abs=0.01)


def test_a_lost_hand_costs_recall_and_one_too_many_precision() -> None:
    lost = signer()
    lost[0, LEFT_HAND.start : LEFT_HAND.stop] = np.nan
    assert compare(signer(), lost, ASPECT).figures()["hand_recall_percent"] == 87.5
    assert compare(lost, signer(), ASPECT).figures()["hand_precision_percent"] == 87.5


def test_hands_that_changed_sides_are_counted() -> None:
    swapped = signer()
    swapped[0, LEFT_HAND.start : LEFT_HAND.stop], swapped[0, RIGHT_HAND.start : RIGHT_HAND.stop] = 0.3, 0.7
    assert compare(signer(), swapped, ASPECT).figures()["side_agreement_percent"] == 75


def test_pictures_of_nobody_have_nothing_to_compare() -> None:
    nobody = np.full((3, ROWS, 3), np.nan, np.float32)
    assert set(compare(nobody, nobody, ASPECT).figures().values()) == {None}


def test_clips_add_up() -> None:
    one = Reading(("hello", "idle", "-"), ("hello", "", ""), ("hello",))
    other = Reading(("hello", "-", "tea"), ("hello", "", "tea"), ())
    total = compare_readings(one, other) + compare_readings(one, one) + Agreement()
    assert total.figures()["window_agreement_percent"] == 66.67
    assert total.figures()["window_sign_agreement_percent"] == 83.33, "rest and unknown signing are no sign"
