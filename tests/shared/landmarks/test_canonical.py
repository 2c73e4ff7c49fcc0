"""The canonical frame's order is a contract with every model."""

import numpy as np
import pytest

from shared import landmarks


def test_the_parts_tile_the_543_rows_in_gislr_order() -> None:
    parts = (landmarks.FACE, landmarks.LEFT_HAND, landmarks.POSE, landmarks.RIGHT_HAND)
    assert [row for part in parts for row in part] == list(range(543))
    assert [len(part) for part in parts] == [468, 21, 33, 21]


def test_named_rows_are_where_gislr_has_them() -> None:
    assert (landmarks.NOSE, landmarks.LEFT_SHOULDER, landmarks.RIGHT_SHOULDER) == (489, 500, 501)
    assert (landmarks.LEFT_WRIST, landmarks.RIGHT_WRIST) == (504, 505)


def test_an_empty_frame_has_everything_missing() -> None:
    frame = landmarks.empty_frame()
    assert frame.shape == (543, 3)
    assert np.isnan(frame).all()


def test_another_shape_is_refused_with_what_it_is_and_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"float32 \[33, 3\], expected float32 \[543, 3\]"):
        landmarks.require_frame(np.zeros((33, 3), np.float32))
