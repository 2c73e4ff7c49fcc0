"""The pitfalls of the published models, each as a number that comes out."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.bundles.manifest import Length, Step
from shared.landmarks import LAYOUTS
from workers.recognizers.pipeline import Pipeline, PipelineError
from workers.recognizers.steps import Signal
from workers.recognizers.steps.mirror import mirror_columns
from workers.recognizers.steps.sides import flip_x, keep_frames_with_hand

NAN = np.nan
LEFT, RIGHT = [10, 11], [20, 21]
ROWS = (5, *LEFT, *RIGHT)
"""A lip, two points of the left hand, two of the right."""


def pipeline(*tables: dict[str, Any], length: dict[str, Any] | None = None, **more: Any) -> Pipeline:
    made = Length.model_validate(length) if length else None
    return Pipeline([Step.model_validate(table) for table in tables], ROWS, length=made, **more)


def points(samples: int, left: list[int], right: list[int]) -> NDArray[np.float32]:
    """x is 0.1 * the place, y is the sample's number; a hand is there in the samples named."""
    made = np.zeros((samples, len(ROWS), 3), np.float32)
    made[..., 0] = 0.1 * np.arange(1, len(ROWS) + 1)
    made[..., 1] = np.arange(samples)[:, None]
    for columns, there in ((slice(1, 3), left), (slice(3, 5), right)):
        away = [i for i in range(samples) if i not in there]
        made[away, columns] = NAN
    return made


ZERO = {"name": "zero_missing"}
DOMINANT = {"name": "dominant_side", "left": LEFT, "right": RIGHT}
KEEP = {"name": "keep_frames_with_hand", "left": LEFT, "right": RIGHT, "from_zero": True}


def test_each_layout_has_its_hands_and_its_pose_where_its_authors_have_them() -> None:
    row = {name: list(layout).index for name, layout in LAYOUTS.items()}
    left_wrist, right_tip, nose = 468, 542, 489
    assert [row["gislr543"](one) for one in (left_wrist, right_tip, nose)] == [468, 542, 489]
    assert [row["lzv543"](one) for one in (left_wrist, right_tip, nose)] == [501, 542, 0]
    assert [row["ally75"](one) for one in (left_wrist, right_tip, nose)] == [33, 74, 0]


def test_frames_without_the_hand_go_only_while_missing_is_still_missing() -> None:
    window = points(5, [], [1, 3])
    assert pipeline(DOMINANT, KEEP, ZERO).prepare(window, 1.0).features[:, 0, 1].tolist() == [1, 3]
    assert len(pipeline(ZERO, DOMINANT, KEEP).prepare(window, 1.0).features) == 5


def test_frames_that_are_kept_are_counted_from_the_first_of_them() -> None:
    window = points(6, [], [2, 3, 5])
    assert pipeline(DOMINANT, KEEP).prepare(window, 1.0).index.tolist() == [0, 1, 3]
    raw = {**KEEP, "from_zero": False}
    assert pipeline(DOMINANT, raw).prepare(window, 1.0).index.tolist() == [2, 3, 5]


def test_no_frame_with_a_hand_is_a_window_of_nothing() -> None:
    made = pipeline(
        DOMINANT, KEEP, {"name": "to_length"}, ZERO, length={"policy": "repeat_pool", "samples": 4}
    )
    prepared = made.prepare(points(9, [], []), 1.0)
    assert prepared.index.tolist() == [-1] * 4
    assert not prepared.features.any()


@pytest.mark.parametrize(
    ("left", "right", "dominant"), [([0, 1], [2, 3], "left"), ([0], [2, 3], "right"), ([], [], "left")]
)
def test_of_equal_hands_the_left_signs(left: list[int], right: list[int], dominant: str) -> None:
    chosen = pipeline(DOMINANT, {"name": "select_side", "left": [5, *LEFT], "right": [5, *RIGHT]})
    x = np.nan_to_num(chosen(points(4, left, right), 1.0)[..., 0]).max(axis=0)
    wanted = {"left": [0.1, 0.2, 0.3], "right": [0.1, 0.4, 0.5]}[dominant] if left or right else [0.1, 0, 0]
    np.testing.assert_allclose(x, wanted, atol=1e-6)


def test_a_missing_hand_stands_at_one_where_missing_becomes_zero_before_the_flip() -> None:
    flip = {"name": "flip_x", "rows": [*LEFT, *RIGHT], "about": 0.5, "when": "always"}
    made = pipeline(ZERO, flip)(points(2, [0, 1], []), 1.0)
    np.testing.assert_allclose(made[0, :, 0], [0.1, 0.8, 0.7, 1, 1], atol=1e-6)
    assert made[1, 3].tolist() == [1, 0, 0], "y and z of a missing hand stay 0"
    assert np.isnan(pipeline(flip)(points(2, [0, 1], []), 1.0)[0, 3]).all(), "not before it is 0"


def test_where_the_right_hand_signs_ml_ops_turns_it_about_minus_a_half() -> None:
    turn = (
        {"name": "flip_x", "rows": [5, *LEFT], "about": 0.5, "when": "right"},
        {"name": "flip_x", "rows": RIGHT, "about": -0.5, "when": "right"},
    )
    right = pipeline(DOMINANT, *turn)(points(2, [0], [0, 1]), 1.0)[0, :, 0]
    np.testing.assert_allclose(right, [0.9, 0.8, 0.7, -1.4, -1.5], atol=1e-6)
    left = pipeline(DOMINANT, *turn)(points(2, [0, 1], [0]), 1.0)[0, :, 0]
    np.testing.assert_allclose(left, [0.1, 0.2, 0.3, 0.4, 0.5], atol=1e-6)


def test_a_short_window_is_filled_up_at_its_end_with_zeros_that_count_for_nothing() -> None:
    made = pipeline(ZERO, {"name": "to_length"}, length={"policy": "repeat_pool", "samples": 4})
    prepared = made.prepare(points(3, [0, 1, 2], []), 1.0)
    assert prepared.index.tolist() == [0, 1, 2, -1]
    assert prepared.features[:, 0, 1].tolist() == [0, 1, 2, 0]
    assert not prepared.features[3].any()


def test_a_window_just_long_enough_is_pooled_not_taken_as_it_is() -> None:
    made = pipeline({"name": "to_length"}, length={"policy": "repeat_pool", "samples": 4})
    # Each of 4 frames 4 times, both ends 2 times more: 5 bins' worth in 4 bins of 5.
    assert made.prepare(points(4, [], []), 1.0).index.tolist() == pytest.approx([0, 0.8, 2.2, 3.0])


def test_repeats_are_by_the_frames_there_were_before_any_was_left_out() -> None:
    made = pipeline(DOMINANT, KEEP, {"name": "to_length"}, length={"policy": "repeat_pool", "samples": 4})
    # 9 frames, 5 of them kept: 16 // 9 is 1 repeat, where 16 // 5 would be 3. So 5 frames, 3 more in front
    # and 4 behind: 000 012 344 444.
    prepared = made.prepare(points(9, [], [0, 1, 2, 3, 4]), 1.0)
    assert prepared.index.tolist() == pytest.approx([0, 1, 11 / 3, 4])


def test_the_mean_of_a_bin_is_of_what_was_found_in_it() -> None:
    made = pipeline({"name": "to_length"}, length={"policy": "repeat_pool", "samples": 2})
    window = points(4, [0, 1, 2], [])
    pooled = made(window, 1.0)
    assert pooled.shape == (2, 5, 3)
    assert pooled[0, 1, 1] == pytest.approx(1 / 3), "0, 0, 1: an end repeated once, the second frame"
    assert pooled[1, 1, 1] == pytest.approx(2), "2 and, twice, nothing"
    assert np.isnan(pooled[:, 3]).all()


@pytest.mark.parametrize(
    ("given", "taken"), [(3, [0, 1, 2, 2]), (4, [0, 1, 2, 3]), (7, [0, 1, 3, 5]), (9, [0, 2, 4, 6])]
)
def test_uniform_takes_frames_rounded_down_and_repeats_the_last(given: int, taken: list[int]) -> None:
    made = pipeline({"name": "to_length"}, length={"policy": "uniform", "samples": 4})
    assert made.prepare(points(given, [], []), 1.0).index.tolist() == taken


def test_a_model_may_be_filled_up_in_front_and_cut() -> None:
    front = {"policy": "pad", "samples": 4, "pad_value": -100.0, "pad_side": "start"}
    made = pipeline(ZERO, {"name": "to_length"}, length=front)
    prepared = made.prepare(points(3, [], []), 1.0)
    assert prepared.index.tolist() == [-1, 0, 1, 2]
    assert (prepared.features[0] == -100).all()
    assert made.prepare(points(6, [], []), 1.0).index.tolist() == [0, 1, 2, 3]


def test_in_a_mirror_the_hands_change_places() -> None:
    mirrored = Pipeline([], (468, 522, 500, 501), mirror=(1, 0, 3, 2))
    window = np.zeros((1, 4, 3), np.float32)
    window[0, :, 0] = [0.1, 0.2, 0.3, 0.4]
    np.testing.assert_allclose(mirrored(window, 1.0)[0, :, 0], [0.8, 0.9, 0.6, 0.7], atol=1e-6)


def test_in_a_mirror_the_halves_of_the_face_change_places() -> None:
    assert mirror_columns((61, 291, 0)) == (1, 0, 2)
    with pytest.raises(ValueError, match="row 291 is missing, the mirror image of 61"):
        mirror_columns((61, 0))


def test_which_hand_signs_has_to_be_found_out_first() -> None:
    signal = Signal(points(2, [0], []), ROWS, 1.0)
    with pytest.raises(ValueError, match="dominant_side comes first"):
        keep_frames_with_hand(signal, LEFT, RIGHT, True)
    with pytest.raises(ValueError, match="expected always, left or right"):
        flip_x(signal, LEFT, 0.5, "sometimes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"name": "to_length"}, r"'to_length': needs input\.length"),
        ({"name": "standardise", "mean": "m", "std": "s", "epsilon": 0.0}, r"needs input\.stats"),
        ({**DOMINANT, "left": [99]}, r"does not fit input\.rows"),
        ({"name": "select", "rows": [5, 6]}, r"does not fit input\.rows"),
        ({"name": "scale", "factor": 2.0}, r"'scale': no such step"),
    ],
)
def test_a_step_that_lacks_something_is_refused(step: dict[str, Any], says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        pipeline(step)


def test_steps_along_the_samples_take_one_window_at_a_time() -> None:
    with pytest.raises(ValueError, match="one window at a time"):
        pipeline(DOMINANT)(points(4, [], [])[None], 1.0)


def test_sides_of_unlike_sizes_are_refused() -> None:
    with pytest.raises(PipelineError, match="left has 2 rows, right 1: expected as many"):
        pipeline(DOMINANT, {"name": "select_side", "left": LEFT, "right": RIGHT[:1]})
