"""A ridge regression over whole windows: the plainest look at a clip, and the least bound to single sittings.

Where a sitting signs a word on another path, convolutions answer with what they saw move so. The regression
weighs all places of the window at once and still finds the word (docs/training.md).
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from training import recipe
from training.recordings import Clip, Recordings, in_picture
from workers.recognizers.pipeline import Pipeline

_ROOM = 0.05
"""Added to every feature's spread, so that one that hardly ever moves does not count by its noise."""

_AT_ONCE = 256
"""Windows made features side by side."""


@dataclasses.dataclass(frozen=True)
class Regression:
    """scores = bias + the sum over features and every RIDGE_STEP-th sample of weight x feature."""

    weight: NDArray[np.float32]
    """[labels, features, samples]"""
    bias: NDArray[np.float32]
    """[labels]"""


def centred(clip: Clip) -> Clip:
    """A window [WINDOW, rows, 3] with the clip's middle in its own, its ends held."""
    before = (recipe.WINDOW - len(clip)) // 2
    places = np.clip(np.arange(recipe.WINDOW) - before, 0, len(clip) - 1)
    return np.asarray(clip[places], np.float32)


def fit(recordings: Recordings, pipeline: Pipeline) -> Regression:
    """The regression of every label on the recorded clips, as they are, each label weighing by its root."""
    features = _features(recordings.clips, pipeline)
    clips, samples, width = features.shape
    flat = features.reshape(clips, -1)
    mean, spread = flat.mean(0), flat.std(0) + _ROOM
    flat = (flat - mean) / spread
    wanted = np.eye(len(recipe.LABELS), dtype=np.float32)[recordings.labels]
    weights = (1 / np.sqrt(np.maximum(wanted.sum(0), 1)))[recordings.labels][:, None]
    weights /= weights.mean()
    share = (wanted * weights).sum(0) / weights.sum()
    weighted = (flat * weights).T
    gram = weighted @ flat + recipe.RIDGE * clips * np.eye(flat.shape[1], dtype=np.float32)
    solved = np.linalg.solve(gram, weighted @ (wanted - share)) / spread[:, None]
    bias = share - mean @ solved
    weight = solved.T.reshape(len(recipe.LABELS), samples, width).swapaxes(1, 2)
    return Regression(np.ascontiguousarray(weight, np.float32), np.asarray(bias, np.float32))


def _features(clips: list[Clip], pipeline: Pipeline) -> NDArray[np.float32]:
    """[clips, samples, features]"""
    parts = []
    for first in range(0, len(clips), _AT_ONCE):
        windows = np.stack([centred(clip) for clip in clips[first : first + _AT_ONCE]])
        made = pipeline(in_picture(windows), 1.0)
        parts.append(made[:, :: recipe.RIDGE_STEP])
    return np.concatenate(parts)
