"""Augmentation of frames with Albumentations: one draw a clip, the same for all its frames.

What the third seed's README lists, with its numbers, but drawn once a clip: drawn anew for every frame, as
there, a video flickers between two mirrors. A mirror also changes which hand signs; where that makes another
sign, leave it out.
"""

import os
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

os.environ.setdefault(
    "NO_ALBUMENTATIONS_UPDATE", "1"
)  # else it asks the network for news of itself on import

import albumentations

Pixels = NDArray[np.uint8]


def steps(*, mirror: bool) -> list[Any]:
    """Flip, lens distortion, light and colour, noise, blur."""
    changes = [
        albumentations.OneOf(
            [
                albumentations.OpticalDistortion(distort_limit=0.05),
                albumentations.GridDistortion(num_steps=5, distort_limit=0.3),
            ],
            p=0.5,
        ),
        albumentations.OneOf(
            [
                albumentations.RandomBrightnessContrast(0.2, 0.2),
                albumentations.ColorJitter((0.8, 1.2), (0.8, 1.2), (0.8, 1.2), (-0.1, 0.1)),
            ],
            p=0.8,
        ),
        albumentations.OneOf(
            [
                # Standard deviations in shares of 255 for the variances 10 to 50.
                albumentations.GaussNoise(std_range=(10**0.5 / 255, 50**0.5 / 255)),
                albumentations.ISONoise(color_shift=(0.01, 0.05), intensity=(0.1, 0.5)),
            ],
            p=0.6,
        ),
        albumentations.OneOf(
            [
                albumentations.MotionBlur(blur_limit=(3, 7)),
                albumentations.GaussianBlur(blur_limit=(3, 7)),
            ],
            p=0.6,
        ),
    ]
    return [albumentations.HorizontalFlip(p=0.5), *changes] if mirror else changes


def augmented_clip(pictures: Pixels, rng: Generator, *, mirror: bool = True) -> Pixels:
    """uint8 RGB [frames, height, width, 3], each frame changed alike; the same draw gives the same."""
    for step in steps(mirror=mirror):
        made = albumentations.Compose([step])
        # A seed of its own: in one Compose all draw the same numbers, and happen together or not at all.
        made.set_random_seed(int(rng.integers(2**31)))
        pictures = made(images=pictures)["images"]
    return np.asarray(pictures, np.uint8)
