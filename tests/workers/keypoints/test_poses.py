"""Finding the body in a network's numbers."""

import numpy as np
import pytest

from workers.keypoints.poses import anchors, detected_region, refined
from workers.keypoints.regions import Region


def heat(cells: dict[int, tuple[int, int]], height: float = 5.0) -> np.ndarray:  # type: ignore[type-arg]
    """Cold, but for one cell (x, y) of some landmarks."""
    maps = np.full((64, 64, 39), -20.0, np.float32)
    for landmark, (x, y) in cells.items():
        maps[y, x, landmark] = height
    return maps


def test_anchors_are_the_middles_of_the_detectors_cells() -> None:
    middles = anchors(224)
    assert middles.shape == (2254, 2)
    assert middles[0] == pytest.approx((0.5 / 28, 0.5 / 28))
    assert middles[2] == pytest.approx((1.5 / 28, 0.5 / 28))
    assert middles[-1] == pytest.approx((6.5 / 7, 6.5 / 7))


def test_a_landmark_goes_where_it_is_warm() -> None:
    points = np.full((35, 2), 0.5)
    moved = refined(points, heat({11: (34, 30)}))
    assert moved[11] == pytest.approx((34 / 64, 30 / 64))
    assert np.array_equal(np.delete(moved, 11, 0), np.delete(points, 11, 0))


@pytest.mark.parametrize(
    "maps", [heat({11: (40, 30)}), heat({11: (34, 30)}, height=-1.0), heat({30: (34, 30)})]
)
def test_far_or_faint_heat_moves_nothing(maps: np.ndarray) -> None:  # type: ignore[type-arg]
    points = np.full((35, 2), 0.5)
    assert np.array_equal(refined(points, maps), points)


def test_landmarks_outside_their_crop_stay() -> None:
    points = np.full((35, 2), 1.5)
    points[:10] = -0.5
    assert np.array_equal(refined(points, np.full((64, 64, 39), 9.0, np.float32)), points)


def test_heat_at_the_crops_edge_is_not_read_beyond_it() -> None:
    moved = refined(np.zeros((35, 2)), heat({0: (1, 0), 1: (0, 1)}))
    assert moved[0] == pytest.approx((1 / 64, 0.0), abs=1e-8)
    assert moved[1] == pytest.approx((0.0, 1 / 64), abs=1e-8)


def test_the_likeliest_person_is_taken_and_nobody_is_nobody() -> None:
    boxes, scores = np.zeros((2254, 12), np.float32), np.full(2254, -3.0, np.float32)
    whole = Region(0.5, 0.25, 1.0)
    assert detected_region(boxes.reshape(-1), scores, 224, whole) is None
    scores[[5, 2200]] = 1.0, 2.0
    boxes[2200, 4:8] = 0, 0, 0, -56
    region = detected_region(boxes.reshape(-1), scores, 224, whole)
    assert region is not None
    middle = anchors(224)[2200] - 0.5
    assert (region.x, region.y) == pytest.approx((0.5 + middle[0], 0.25 + middle[1]))
    assert region.size == pytest.approx(1.25 * 2 * 0.25)
