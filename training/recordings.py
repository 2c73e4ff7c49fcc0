"""The recordings `asl-words` learns from, in the signer's own frame.

`words_pose_hands_20x258.npz` of traduttore (MIT): MediaPipe Holistic of a 640 x 480 webcam, 20 frames a clip.
"""

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, POSE, RIGHT_HAND, RIGHT_SHOULDER
from training import recipe

FILE = Path("traduttore_asl") / "words_pose_hands_20x258.npz"

ASPECT = 640 / 480

Clip = NDArray[np.float32]
"""[samples, rows of the recipe, 3]: origin between the shoulders, unit their distance, NaN is missing."""

LEFT, RIGHT = recipe.ROWS.index(LEFT_SHOULDER), recipe.ROWS.index(RIGHT_SHOULDER)
"""Columns of the shoulders."""


@dataclasses.dataclass(frozen=True)
class Recordings:
    """Clips with their label (of the recipe) and recording block."""

    clips: list[Clip]
    labels: NDArray[np.int64]
    blocks: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_]) -> "Recordings":
        """Those for which `chosen` is true."""
        clips = [clip for clip, keep in zip(self.clips, chosen, strict=True) if keep]
        return Recordings(clips, self.labels[chosen], self.blocks[chosen])

    def of(self, label: str) -> list[int]:
        """Places of a label's clips."""
        return [int(i) for i in np.flatnonzero(self.labels == recipe.LABELS.index(label))]


def load_recordings(data: Path) -> Recordings:
    """All clips of the data folder. FileNotFoundError says where it looked."""
    file = data / FILE
    if not file.is_file():
        raise FileNotFoundError(f"no recordings at {file}: set SIGNSTREAM_DATA to the folder that holds them")
    with np.load(file) as stored:
        flat, names, seq = stored["x"].astype(np.float32), stored["y"], stored["seq"]
    picked = _picked(flat)
    points = _own_frame(picked)
    # The first frame is a leftover of the clip before: it lies a whole jump from the second.
    clips = list(points[:, 1:])
    labels = np.array([_label(str(name)) for name in names])
    usable = np.array([np.isfinite(clip[:, LEFT, 0]).all() for clip in clips])
    return Recordings(clips, labels, seq // recipe.BLOCK).part(usable)


def in_picture(clip: NDArray[np.float32]) -> NDArray[np.float32]:
    """A clip in shoulder widths as fractions of a picture: the shoulders a quarter of it apart, their middle
    in its middle."""
    return clip * np.float32(0.25) + np.float32(0.5)


def _label(name: str) -> int:
    if name == "-":
        return recipe.LABELS.index(recipe.IDLE)
    return recipe.LABELS.index(name if name in recipe.WORDS else recipe.UNKNOWN)


def _picked(flat: NDArray[np.float32]) -> NDArray[np.float32]:
    """[clips, 20, 258] -> [clips, 20, rows, 3] in picture fractions, NaN for missing."""
    shape = flat.shape[:2]
    parts = {
        POSE.start: flat[..., :132].reshape(*shape, 33, 4)[..., :3],
        LEFT_HAND.start: flat[..., 132:195].reshape(*shape, 21, 3),
        RIGHT_HAND.start: flat[..., 195:].reshape(*shape, 21, 3),
    }
    canonical = np.full((*shape, 543, 3), np.nan, np.float32)
    for first, points in parts.items():
        found = (points[..., :2] != 0).any(axis=-1, keepdims=True)
        canonical[:, :, first : first + points.shape[2]] = np.where(found, points, np.nan)
    return canonical[:, :, list(recipe.ROWS)]


def _own_frame(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square units, then origin and unit from the clip's mean shoulders."""
    square = points * np.array([ASPECT, 1, ASPECT], np.float32)
    shoulders = square[:, :, [LEFT, RIGHT]]
    centre = np.nanmean(shoulders, axis=(1, 2), keepdims=True)
    width = np.sqrt(np.sum((shoulders[:, :, 0] - shoulders[:, :, 1])[..., :2] ** 2, axis=-1))
    return np.asarray((square - centre) / np.nanmean(width, axis=1)[:, None, None, None], np.float32)
