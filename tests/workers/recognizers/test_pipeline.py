"""Host steps: what a graph is fed, to the number."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.bundles.manifest import Step
from workers.recognizers.pipeline import Pipeline, PipelineError
from workers.recognizers.steps import LANDMARK_STEPS

ROWS = (500, 501, *range(522, 543))
"""Shoulders and the right hand."""


def steps(*tables: dict[str, object]) -> list[Step]:
    return [Step.model_validate(table) for table in tables]


def landmarks(samples: int = 3) -> NDArray[np.float32]:
    points = np.random.default_rng(0).random((samples, len(ROWS), 3)).astype(np.float32)
    points[:, 0, :2], points[:, 1, :2] = (0.7, 0.5), (0.3, 0.5)
    return points


BODY = {"name": "body_frame", "left": 500, "right": 501, "smallest": 0.02}
HANDS = {"name": "hand_frames", "wrists": [522], "smallest": 0.002}
WHOLE = steps(
    {"name": "square_units"},
    BODY,
    HANDS,
    {"name": "presence", "rows": [522]},
    {"name": "drop_depth"},
    {"name": "clamp", "limit": 4.0},
    {"name": "zero_missing"},
    {"name": "flatten"},
)


def test_square_units_make_lengths_true() -> None:
    made = Pipeline(steps({"name": "square_units"}), ROWS)(landmarks(), 2.0)
    assert np.allclose(made, landmarks() * [2, 1, 2])


def test_in_the_body_frame_the_shoulders_are_half_a_unit_from_the_origin() -> None:
    made = Pipeline(steps(BODY), ROWS)(landmarks(), 1.0)
    assert np.allclose(made[:, 0, :2], [0.5, 0])
    assert np.allclose(made[:, 1, :2], [-0.5, 0])


def test_place_and_size_in_the_picture_do_not_matter() -> None:
    pipeline = Pipeline(WHOLE, ROWS)
    moved = landmarks() * np.float32(0.5) + np.float32(0.2)
    assert np.allclose(pipeline(landmarks(), 1.5), pipeline(moved, 1.5), atol=1e-4)


@pytest.mark.parametrize("width", [np.nan, 0.0, 0.01])
def test_without_two_shoulders_apart_the_sample_is_missing(width: float) -> None:
    points = landmarks()
    points[1, 0] = points[1, 1] + np.array([width, 0, 0], np.float32)
    made = Pipeline(steps(BODY), ROWS)(points, 1.0)
    assert np.isnan(made[1]).all()
    assert np.isfinite(made[[0, 2]]).all()


def test_a_hand_is_seen_again_from_its_wrist_in_palms() -> None:
    made = Pipeline(steps(HANDS), ROWS)(landmarks(), 1.0)
    hand = made[:, len(ROWS) :]
    assert hand.shape[1] == 21
    assert np.allclose(hand[:, 0], 0)
    assert np.allclose(np.linalg.norm(hand[:, 9, :2], axis=-1), 1, atol=1e-5)


def test_a_missing_hand_is_zero_and_said_to_be_missing() -> None:
    points = landmarks()
    points[1, 2:] = np.nan
    made = Pipeline(WHOLE, ROWS)(points, 1.0)
    assert made.shape == (3, (2 + 21 + 21) * 2 + 1)
    assert np.count_nonzero(made[1]) == 2, "the two shoulders' x"
    assert made[:, -1].tolist() == [1, 0, 1]


def test_clamp_bounds_what_is_far_and_leaves_missing_missing() -> None:
    points = landmarks()
    points[0, 0, 0], points[0, 1, 0] = 99, np.nan
    made = Pipeline(steps({"name": "clamp", "limit": 4.0}), ROWS)(points, 1.0)
    assert made[0, 0, 0] == 4
    assert np.isnan(made[0, 1, 0])


def test_a_window_gives_the_features_the_whole_recording_gives() -> None:
    pipeline, points = Pipeline(WHOLE, ROWS), landmarks(40)
    points[7:9, 5:] = np.nan
    assert np.array_equal(pipeline(points, 1.3)[5:26], pipeline(points[5:26], 1.3))
    assert np.array_equal(pipeline(points[None].repeat(2, 0), 1.3)[1], pipeline(points, 1.3))


def test_nothing_present_gives_zeros() -> None:
    made = Pipeline(WHOLE, ROWS)(np.full((3, len(ROWS), 3), np.nan, np.float32), 1.0)
    assert made.dtype == np.float32
    assert not made.any()


def test_the_input_is_left_as_it_was() -> None:
    points = landmarks()
    Pipeline(WHOLE, ROWS)(points, 1.5)
    assert np.array_equal(points, landmarks())


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"name": "guess"}, r"input\.pipeline\[0\] 'guess': no such step; known are square_units"),
        ({"name": "clamp"}, r"'clamp': has parameters \[\], expected \['limit'\]"),
        ({"name": "clamp", "limit": 1.0, "soft": True}, r"expected \['limit'\]"),
        ({**BODY, "left": 3}, r"does not fit input\.rows"),
        ({**HANDS, "wrists": [540]}, r"does not fit input\.rows"),
        ({"name": "clamp", "limit": "far"}, r"does not fit input\.rows"),
    ],
)
def test_a_step_that_cannot_be_is_refused_with_its_place(step: dict[str, object], says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        Pipeline(steps(step), ROWS)


def test_landmarks_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \[\.\.\., samples, 23, 3\]"):
        Pipeline(WHOLE, ROWS)(np.zeros((3, 22, 3), np.float32), 1.0)


def test_every_step_says_what_it_does() -> None:
    assert all(step.__doc__ for step in LANDMARK_STEPS.values())
