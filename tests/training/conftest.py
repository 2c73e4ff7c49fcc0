"""Made-up recordings: ten clips of two words, told apart by where the hand goes."""

import numpy as np
import pytest

from shared.landmarks import POSE
from training import recipe
from training.pieces import HANDS, WRISTS
from training.recordings import Clip, Recordings

SAMPLES = 19


def body() -> Clip:
    """A person from the chest up with both arms down, one frame [1, rows, 3]; no hand in sight."""
    places = {0: (0, -0.8), 2: (0.1, -0.9), 5: (-0.1, -0.9), 7: (0.2, -0.85), 8: (-0.2, -0.85)}
    places |= {
        9: (0.05, -0.6),
        10: (-0.05, -0.6),
        11: (0.5, 0),
        12: (-0.5, 0),
        13: (0.7, 1.0),
        14: (-0.7, 1.0),
    }
    places |= {15: (0.7, 2.2), 16: (-0.7, 2.2)}
    frame = np.full((1, len(recipe.ROWS), 3), np.nan, np.float32)
    for point, place in places.items():
        frame[0, recipe.ROWS.index(POSE[point])] = (*place, 0)
    return frame


def clip_of(rise: float, aside: float, seed: int) -> Clip:
    """The right hand at a height, going aside in the middle of the clip."""
    rng = np.random.default_rng(seed)
    clip = np.repeat(body(), SAMPLES, axis=0)
    path = np.clip((np.arange(SAMPLES) - 6) / 6, 0, 1) * aside - 0.3
    shape = rng.normal(0, 0.01, (21, 3)) + np.stack([np.zeros(21), -np.arange(21) / 40, np.zeros(21)], -1)
    wrist = np.stack([path, np.full(SAMPLES, -rise), np.zeros(SAMPLES)], -1)[:, None]
    clip[:, HANDS[1]] = wrist + shape
    clip[:, WRISTS[1]] = wrist[:, 0]
    return clip.astype(np.float32)


@pytest.fixture
def recordings() -> Recordings:
    """Five clips of `hello`, five of `please`, no letters and no recorded idle."""
    clips = [clip_of(0.8, -0.8, seed) for seed in range(5)] + [clip_of(-0.6, 0.5, seed) for seed in range(5)]
    labels = np.repeat([recipe.LABELS.index("hello"), recipe.LABELS.index("please")], 5)
    return Recordings(clips, labels, np.arange(10) % 5)
