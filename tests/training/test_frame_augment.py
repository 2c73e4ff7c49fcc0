"""Frames of a clip are changed alike, other clips otherwise, and the same draw gives the same."""

import numpy as np
import pytest

pytest.importorskip(
    "albumentations", reason="needs the training group of packages: make .venv/training.stamp"
)

from training.frame_augment import augmented_clip


def still(frames: int = 4) -> np.ndarray:  # type: ignore[type-arg]
    """One picture, shown some times."""
    picture = np.random.default_rng(1).integers(0, 256, (8, 12, 3), np.uint8)
    return np.repeat(np.kron(picture, np.ones((6, 6, 1), np.uint8))[None], frames, axis=0)


def test_all_frames_of_a_clip_are_changed_alike() -> None:
    changed = 0
    for seed in range(12):
        clip = augmented_clip(still(), np.random.default_rng(seed))
        assert clip.shape == (4, 48, 72, 3)
        assert clip.dtype == np.uint8
        assert all(np.array_equal(frame, clip[0]) for frame in clip[1:]), seed
        changed += not np.array_equal(clip, still())
    assert changed >= 10


def test_the_same_draw_gives_the_same_clip_and_another_another() -> None:
    first, again, other = (augmented_clip(still(), np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_sign_that_must_not_be_mirrored_is_not() -> None:
    """A bright left half stays on the left, whatever else is drawn."""
    clip = np.zeros((2, 48, 72, 3), np.uint8)
    clip[:, :, :36] = 200
    for seed in range(12):
        kept = augmented_clip(clip, np.random.default_rng(seed), mirror=False)
        assert kept[:, :, :30].mean() > kept[:, :, 42:].mean() + 50
