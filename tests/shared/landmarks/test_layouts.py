"""Every order a model was ever given its landmarks in: a mix-up is the largest source of silent errors."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.landmarks import (
    FACE,
    LAYOUTS,
    LEFT_HAND,
    LIPS_40,
    MIRRORED,
    NOWHERE,
    POSE,
    RIGHT_HAND,
    ROWS,
    from_layout,
    layout_rows,
    mirrored,
    missing_from_zeros,
    to_layout,
)

GOLDEN = {
    "gislr543": ((0, 0), (467, 467), (468, 468), (489, 489), (521, 521), (522, 522), (542, 542)),
    "lzv543": ((0, 489), (32, 521), (33, 0), (500, 467), (501, 468), (521, 488), (522, 522), (542, 542)),
    "ally75": ((0, 489), (11, 500), (32, 521), (33, 468), (53, 488), (54, 522), (74, 542)),
    "cwb133": (
        *((0, 489), (1, 491), (2, 494), (3, 496), (4, 497), (5, 500), (6, 501), (9, 504), (10, 505)),
        *((16, 517), (17, 520), (18, NOWHERE), (19, 518), (21, NOWHERE), (31, 152), (40, 70), (49, 300)),
        *((71, 61), (77, 291), (90, 87), (91, 468), (111, 488), (112, 522), (132, 542)),
    ),
    "slr78": (
        *((0, 70), (9, 300), (10, 61), (29, 87), (30, 468), (50, 488), (51, 522), (71, 542)),
        *((72, 500), (73, 501), (74, 502), (75, 503), (76, 504), (77, 505)),
    ),
}
"""(row of the layout, canonical row), at every border and where names are easily confused."""

DIGEST = {
    "gislr543": "95a8ecdf21b8e1c2",
    "lzv543": "d3185be1fa92453c",
    "ally75": "cc783b85d49ab4c5",
    "cwb133": "9ae381fab308105f",
    "slr78": "ea3065aa1b2b0273",
}
"""Of the whole list."""


def numbered() -> NDArray[np.float32]:
    """A frame whose values are its rows' numbers."""
    return np.repeat(np.arange(ROWS, dtype=np.float32)[:, None], 3, axis=1)


@pytest.mark.parametrize("name", LAYOUTS)
def test_golden_vector(name: str) -> None:
    ordered = to_layout(numbered(), name)
    assert len(ordered) == {"gislr543": 543, "lzv543": 543, "ally75": 75, "cwb133": 133, "slr78": 78}[name]
    for row, canonical in GOLDEN[name]:
        expected = [np.nan if canonical == NOWHERE else canonical] * 3
        np.testing.assert_array_equal(ordered[row], np.array(expected, np.float32))
    listed = ",".join(map(str, layout_rows(name)))
    assert hashlib.sha256(listed.encode()).hexdigest()[:16] == DIGEST[name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_frame_comes_back_from_a_layout_as_far_as_it_holds_it(name: str) -> None:
    frames = np.random.default_rng(0).random((2, 3, ROWS, 3)).astype(np.float32)
    back = from_layout(to_layout(frames, name), name)
    held = sorted(set(layout_rows(name)) - {NOWHERE})
    np.testing.assert_array_equal(back[..., held, :], frames[..., held, :])
    rest = sorted(set(range(ROWS)) - set(held))
    assert np.isnan(back[..., rest, :]).all()


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_row_stands_twice(name: str) -> None:
    rows = [row for row in layout_rows(name) if row != NOWHERE]
    assert len(set(rows)) == len(rows)
    assert all(0 <= row < ROWS for row in rows)


def test_the_applications_mistaken_order_is_refused_with_what_to_do() -> None:
    for use in (layout_rows, lambda name: to_layout(numbered(), name)):
        with pytest.raises(ValueError, match="do not reproduce it: feed gislr543"):
            use("slr_app_543")


def test_a_recording_in_the_mistaken_order_is_read() -> None:
    mistaken = np.concatenate([numbered()[:489], numbered()[522:], numbered()[489:522]])
    np.testing.assert_array_equal(from_layout(mistaken, "slr_app_543"), numbered())
    # What its application took for the right hand were pose landmarks 12 to 32.
    assert mistaken[522:543, 0].tolist() == list(range(POSE[12], POSE[32] + 1))


def test_an_unknown_layout_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="layout is 'openpose', expected gislr543, lzv543"):
        layout_rows("openpose")


def test_frames_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[75, 3\], expected"):
        to_layout(np.zeros((75, 3), np.float32), "ally75")
    with pytest.raises(ValueError, match=r"\[543, 3\], ally75 expects"):
        from_layout(np.zeros((543, 3), np.float32), "ally75")


def test_the_wrong_layout_would_show() -> None:
    assert len({tuple(rows) for rows in LAYOUTS.values()}) == len(LAYOUTS)
    assert (to_layout(numbered(), "lzv543")[468:489, 0] != numbered()[468:489, 0]).all()


def test_zeros_mean_missing_only_for_a_whole_part() -> None:
    frames = np.stack([numbered() + 1, numbered() + 1])
    frames[0, LEFT_HAND.start : LEFT_HAND.stop] = 0
    frames[1, LEFT_HAND.start] = 0
    marked = missing_from_zeros(frames)
    assert np.isnan(marked[0, LEFT_HAND.start : LEFT_HAND.stop]).all()
    assert np.isnan(marked).sum() == len(LEFT_HAND) * 3
    assert frames[0, LEFT_HAND.start, 0] == 0, "the recording itself is untouched"


def test_the_lips_are_mediapipes_and_in_gislrs_order() -> None:
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_LIPS

    assert set(LIPS_40) == {point for edge in FACEMESH_LIPS for point in edge}
    assert len(LIPS_40) == 40
    assert all(row in FACE for row in LIPS_40)
    assert (LIPS_40[0], LIPS_40[10], LIPS_40[11], LIPS_40[20], LIPS_40[39]) == (61, 291, 146, 78, 308)
    lines = [LIPS_40[:11], LIPS_40[11:20], LIPS_40[20:30], LIPS_40[30:]]
    assert [len(line) for line in lines] == [11, 9, 10, 10]
    for line in (lines[0], lines[1]):
        assert [MIRRORED[row] for row in line] == list(reversed(line)), "each line runs from side to side"


def test_mediapipes_own_names_are_cocos() -> None:
    from mediapipe.python.solutions.pose import PoseLandmark

    coco = ["nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
    names = [coco[0], *(f"{side}_{part}" for part in coco[1:] for side in ("left", "right"))]
    assert [PoseLandmark(row - POSE.start).name.lower() for row in layout_rows("cwb133")[:17]] == names
    feet = [row - POSE.start for row in layout_rows("cwb133")[17:23] if row != NOWHERE]
    assert [PoseLandmark(point).name for point in feet] == [
        "LEFT_FOOT_INDEX",
        "LEFT_HEEL",
        "RIGHT_FOOT_INDEX",
        "RIGHT_HEEL",
    ]


def test_the_68_points_of_the_face_are_as_symmetric_as_ibugs() -> None:
    face = layout_rows("cwb133")[23:91]
    pairs = [
        *((i, 16 - i) for i in range(17)),
        *((17 + i, 26 - i) for i in range(10)),
        *((27 + i, 27 + i) for i in range(4)),
        *((31 + i, 35 - i) for i in range(5)),
        *zip((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46), strict=True),
        *((48 + i, 54 - i) for i in range(7)),
        *((55 + i, 59 - i) for i in range(5)),
        *((60 + i, 64 - i) for i in range(5)),
        *((65 + i, 67 - i) for i in range(3)),
    ]
    for one, other in pairs:
        assert MIRRORED[face[one]] == face[other], (one, other)


def test_mirroring_commutes_with_the_layout() -> None:
    """A model in another layout that was trained in front of a mirror sees exchanged hands, not faces."""
    frame = mirrored(numbered() / 1000)
    ordered = to_layout(frame, "ally75")
    assert ordered[33, 1] == pytest.approx(RIGHT_HAND.start / 1000)
    assert ordered[54, 1] == pytest.approx(LEFT_HAND.start / 1000)
