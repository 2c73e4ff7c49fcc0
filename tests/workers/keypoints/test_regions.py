"""Regions around landmarks."""

import math

import numpy as np
import pytest

from workers.keypoints.regions import (
    HAND_SCALE,
    Region,
    crop_matrix,
    face_region,
    face_region_of_pose,
    hand_region,
    pose_region,
    recropped_region,
    to_picture,
    wrapped,
    wrist_region,
)

TURNS = [0.0, 0.7, math.pi / 2, -2.5, 3.0]


def upright_hand() -> np.ndarray:  # type: ignore[type-arg]
    """Wrist below, fingers up: the palm is 0.2 wide and 0.2 high around (0.5, 0.5)."""
    points = np.full((21, 3), 0.5)
    points[0, :2] = 0.5, 0.6
    points[[5, 9, 13], :2] = (0.4, 0.4), (0.5, 0.4), (0.6, 0.4)
    points[8, :2] = 0.4, 0.0  # A fingertip, which must not move the box.
    return points


def turned(points: np.ndarray, angle: float) -> np.ndarray:  # type: ignore[type-arg]
    """Clockwise on the screen, around the middle."""
    cos, sin = math.cos(angle), math.sin(angle)
    around = points.copy()
    x, y = points[:, 0] - 0.5, points[:, 1] - 0.5
    around[:, 0], around[:, 1] = cos * x - sin * y + 0.5, sin * x + cos * y + 0.5
    return around


@pytest.mark.parametrize("angle", TURNS)
def test_a_crops_pixel_lies_where_its_landmark_is_put(angle: float) -> None:
    region = Region(0.4, 0.3, 0.5, angle)
    pixel = np.array([[50.0, 20.0, 1.0]])
    in_picture = (crop_matrix(region, 224, 1280) @ pixel.T).T[0]
    landmark = to_picture(pixel[:, :2] / 224, region)[0] * 1280
    assert in_picture == pytest.approx(landmark)


def test_depth_is_scaled_and_not_turned() -> None:
    assert to_picture(np.array([[0.5, 0.5, 0.2]]), Region(0.1, 0.2, 0.5, 1.0))[0] == pytest.approx(
        (0.1, 0.2, 0.1)
    )


def test_a_hands_region_is_its_palm_twice_as_large_and_further_up() -> None:
    region = hand_region(upright_hand())
    assert region.angle == pytest.approx(0.0)
    assert region.size == pytest.approx(HAND_SCALE * 0.2)
    assert (region.x, region.y) == pytest.approx((0.5, 0.5 - 0.02))


@pytest.mark.parametrize("angle", TURNS)
def test_a_hands_region_turns_with_the_hand(angle: float) -> None:
    upright, region = hand_region(upright_hand()), hand_region(turned(upright_hand(), angle))
    assert wrapped(region.angle - angle) == pytest.approx(0.0, abs=1e-9)
    assert region.size == pytest.approx(upright.size)
    centre = turned(np.array([[upright.x, upright.y, 0.0]]), angle)[0]
    assert (region.x, region.y) == pytest.approx(centre[:2])


def test_a_wrists_region_points_to_the_fingers() -> None:
    region = wrist_region(np.array([0.5, 0.6]), np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    assert region is not None
    assert region.angle == pytest.approx(0.0)
    assert region.size == pytest.approx(2.7 * 0.2)
    assert (region.x, region.y) == pytest.approx((0.5, 0.5 - 0.02))


def test_a_wrist_too_small_to_see_has_no_region() -> None:
    assert wrist_region(np.array([0.5, 0.5]), np.array([0.5, 0.499]), np.array([0.5, 0.499])) is None


def test_the_recrop_networks_edge_may_turn_the_square() -> None:
    region = recropped_region(np.array([[0.5, 0.5], [0.5, 0.6]]))
    assert region.size == pytest.approx(0.2)
    assert wrapped(region.angle) == pytest.approx(0.0)


def test_a_bodys_region_reaches_its_edge_in_every_direction() -> None:
    region = pose_region(np.array([0.5, 0.5]), np.array([0.5, 0.2]))
    assert (region.x, region.y, region.angle) == pytest.approx((0.5, 0.5, 0.0))
    assert region.size == pytest.approx(0.75)


def test_faces_lie_level_whoever_saw_them() -> None:
    pose = np.full((33, 3), 0.5)
    pose[2, 0], pose[5, 0] = 0.55, 0.45
    assert face_region_of_pose(pose).angle == pytest.approx(0.0)
    mesh = np.random.default_rng(1).uniform(0.4, 0.6, (468, 3))
    mesh[33], mesh[133] = (0.45, 0.5, 0), (0.49, 0.5, 0)
    assert face_region(mesh).angle == pytest.approx(0.0)


@pytest.mark.parametrize("numbers", [None, [1.0, 2.0], [1.0, 2.0, 3.0, math.nan], ["a"] * 4, "abcd"])
def test_what_is_no_region_is_refused(numbers: object) -> None:
    with pytest.raises(ValueError, match="region is"):
        Region.unpack(numbers)
