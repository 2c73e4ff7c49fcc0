"""Changed copies of landmark clips for `train network`: other speeds, sides, cameras, and worse landmarks.

Each change is a function of what it is given alone; `augmented` draws which ones a clip gets. Frames are
canonical, [frames, 543, 3] in picture fractions, NaN where nothing was found, and are never changed in place.
(The shipped models have changes of their own for streams in shoulder widths: `augment.py`.)
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, RIGHT_HAND, mirrored
from training.clips import Track

Frames = NDArray[np.float32]

HANDS = (LEFT_HAND, RIGHT_HAND)

CHANCES = {
    "temporal_resample": 0.8,
    "horizontal_flip": 0.5,
    "spatial_affine": 0.75,
    "temporal_mask": 0.5,
    "spatial_mask": 0.3,
    "hand_drop": 0.05,
    "extractor_misses": 0.3,
}
"""How often a clip is changed so, after the recipes of the GISLR and LZV projects."""

SPEEDS = (0.7, 1.5)

_TURN, _SCALE, _SHEAR, _SHIFT = math.radians(20), (0.8, 1.2), 0.15, 0.1
"""Of the affine change, to both sides; the shift in picture heights."""


def resampled_in_time(track: Track, speed: float) -> Track:
    """As if signed `speed` times as fast: the host's own steps then take other samples of it."""
    return dataclasses.replace(track, times=track.times / speed)


def flipped(frames: Frames) -> Frames:
    """Of the other hand: mirrored, left and right rows exchanged."""
    return mirrored(frames)


def affine(
    frames: Frames, aspect: float, *, turn: float, scale: float, shear: float, shift: tuple[float, float]
) -> Frames:
    """Turned (radians), scaled and sheared about the picture's middle, then shifted, in picture heights.

    A picture `aspect` times as wide as high is turned as it is seen: squares stay squares.
    """
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = scale * np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]])
    sides = np.array([aspect, 1.0])
    out = frames.copy()
    out[..., :2] = (((frames[..., :2] - 0.5) * sides) @ matrix.T + shift) / sides + 0.5
    return out


def masked_in_time(frames: Frames, first: int, length: int) -> Frames:
    """Nothing found in some frames."""
    out = frames.copy()
    out[first : first + length] = np.nan
    return out


def masked_in_space(frames: Frames, left: float, top: float, size: float) -> Frames:
    """Nothing found in a square of the picture, as behind something; `size` in picture fractions."""
    x, y = frames[..., 0], frames[..., 1]
    inside = (x >= left) & (x < left + size) & (y >= top) & (y < top + size)
    return np.where(inside[..., None], np.float32(np.nan), frames)


def without(frames: Frames, rows: Sequence[int]) -> Frames:
    """A part of the body never found: a hand out of the picture."""
    out = frames.copy()
    out[:, list(rows)] = np.nan
    return out


def missed(frames: Frames, rows: Sequence[int], lost: NDArray[np.bool_]) -> Frames:
    """A part not found in the frames that `lost` [frames] names, as extractors lose it in fast movement."""
    out = frames.copy()
    out[np.ix_(lost, np.asarray(rows))] = np.nan
    return out


def misses(frames: int, starts: float, ends: float, rng: Generator) -> NDArray[np.bool_]:
    """Which frames an extractor loses a part in: in bursts, that start and end with these chances a frame."""
    drawn, lost, out = rng.random(frames), False, np.zeros(frames, bool)
    for i in range(frames):
        lost = drawn[i] >= ends if lost else drawn[i] < starts
        out[i] = lost
    return out


def augmented(track: Track, rng: Generator) -> Track:
    """A changed copy, as `CHANCES` has it."""
    does = {name: bool(rng.random() < chance) for name, chance in CHANCES.items()}
    if does["temporal_resample"]:
        track = resampled_in_time(track, float(rng.uniform(*SPEEDS)))
    frames, count = track.frames, len(track.frames)
    if does["horizontal_flip"]:
        frames = flipped(frames)
    if does["spatial_affine"]:
        turn, shear = float(rng.uniform(-_TURN, _TURN)), float(rng.uniform(-_SHEAR, _SHEAR))
        shift = (float(rng.uniform(-_SHIFT, _SHIFT)), float(rng.uniform(-_SHIFT, _SHIFT)))
        scale = float(rng.uniform(*_SCALE))
        frames = affine(frames, track.aspect, turn=turn, scale=scale, shear=shear, shift=shift)
    if does["temporal_mask"] and count > 4:
        length = int(rng.integers(1, max(2, count // 5)))
        frames = masked_in_time(frames, int(rng.integers(1, count - length)), length)
    if does["spatial_mask"]:
        left, top, size = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.05, 0.2)
        frames = masked_in_space(frames, float(left), float(top), float(size))
    if does["hand_drop"]:
        frames = without(frames, HANDS[int(rng.integers(2))])
    if does["extractor_misses"]:
        for part in (*HANDS, FACE):
            frames = missed(frames, part, misses(count, 0.05, 0.4, rng))
    return dataclasses.replace(track, frames=frames)
