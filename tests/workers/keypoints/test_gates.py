"""What counts as unchanged."""

import dataclasses

import numpy as np
import pytest

from workers.keypoints import gates
from workers.keypoints.gates import hand_patch, is_same_hand, is_still, thumbnail
from workers.keypoints.regions import Region

random = np.random.default_rng(5)


def scene(height: int = 720, width: int = 1280) -> np.ndarray:  # type: ignore[type-arg]
    y, x = np.mgrid[:height, :width]
    return np.asarray(np.stack(((x // 5) % 256, (y // 3 + x // 7) % 256, (x + y) % 256), -1), np.uint8)


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:  # type: ignore[type-arg]
    noise = random.normal(0, sigma, picture.shape)
    return np.asarray((picture + noise).clip(0, 255), np.uint8)


@pytest.mark.parametrize("size", [(720, 1280), (1280, 720), (360, 640), (48, 64), (17, 301)])
def test_a_thumbnail_has_one_size_whatever_the_pictures(size: tuple[int, int]) -> None:
    assert thumbnail(scene(*size)).shape == (60, 80)


def test_a_cameras_noise_is_still() -> None:
    still = np.full((360, 640, 3), 128, np.uint8)
    assert is_still(thumbnail(noisy(still, 8)), thumbnail(noisy(still, 8)))


def test_a_hand_that_moves_is_not_still() -> None:
    before = np.full((360, 640, 3), 60, np.uint8)
    after = before.copy()
    after[100:150, 300:340] = 180
    assert not is_still(thumbnail(after), thumbnail(before))


def test_the_same_hand_is_the_same_for_a_few_pictures_only() -> None:
    picture, region = noisy(scene(), 2), Region(0.5, 0.3, 0.2, 0.4)
    patch = hand_patch(picture, region)
    assert is_same_hand(noisy(picture, 2), patch)
    assert not is_same_hand(picture, dataclasses.replace(patch, reused=gates.HAND_REUSES))


def test_a_finger_that_moves_makes_another_hand() -> None:
    picture = np.full((720, 1280, 3), 60, np.uint8)
    patch = hand_patch(picture, Region(0.5, 0.3, 0.2))
    picture[350:400, 630:660] = 200
    assert not is_same_hand(picture, patch)


@pytest.mark.parametrize("region", [Region(-1.0, 0.3, 0.2), Region(0.5, 3.0, 0.2), Region(0.5, 0.3, 0.0)])
def test_a_region_without_pixels_is_never_the_same(region: Region) -> None:
    assert not is_same_hand(scene(), hand_patch(scene(), region))


def test_a_patch_of_a_larger_picture_is_not_the_same() -> None:
    patch = hand_patch(scene(), Region(0.9, 0.5, 0.2))
    assert not is_same_hand(scene(360, 640), patch)
