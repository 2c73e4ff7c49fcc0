"""Takes as the practice page's comparison has them, real and distorted on purpose.

A take is `{"aspect", "times", "frames"}`; a frame is a list of [row, x, y] in fractions of the picture.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, POSE, RIGHT_HAND, RIGHT_SHOULDER

Points = NDArray[np.float64]
"""[samples, 75, 2]: left hand, pose, right hand, in picture heights; NaN is missing."""

ROWS = range(LEFT_HAND.start, RIGHT_HAND.stop)
HANDS = [np.arange(hand.start, hand.stop) - ROWS.start for hand in (LEFT_HAND, RIGHT_HAND)]
WRISTS = [POSE[15] - ROWS.start, POSE[16] - ROWS.start]
MOVED = np.concatenate([*HANDS, WRISTS])
"""What goes along when the hands are somewhere else."""

FILE = Path("traduttore_asl") / "words_pose_hands_20x258.npz"
ASPECT = 640 / 480
FPS = 12.5


def recordings(data: Path) -> tuple[NDArray[np.str_], NDArray[np.int64], Points]:
    """Label, block (30 recordings of one signer in a row) and points of every word's clip."""
    with np.load(data / FILE) as stored:
        names, blocks, flat = stored["y"].astype(str), stored["seq"] // 30, stored["x"].astype(float)
    points = np.full((len(flat), 19, len(ROWS), 2), np.nan)
    parts = (
        (POSE.start, flat[..., :132].reshape(*flat.shape[:2], 33, 4)),
        (LEFT_HAND.start, flat[..., 132:195].reshape(*flat.shape[:2], 21, 3)),
        (RIGHT_HAND.start, flat[..., 195:].reshape(*flat.shape[:2], 21, 3)),
    )
    for first, part in parts:
        seen = part[:, 1:, :, :2]  # the first frame is the clip before's
        at = first - ROWS.start
        points[:, :, at : at + part.shape[2]] = np.where((seen != 0).any(-1, keepdims=True), seen, np.nan)
    return names, blocks, points * [ASPECT, 1]


def take(points: Points, fps: float = FPS) -> dict[str, Any]:
    """For JavaScript; y and x in picture heights are fractions of a square picture."""
    frames = [
        [[row, *point] for row, point in zip(ROWS, frame, strict=True) if not np.isnan(point[0])]
        for frame in np.round(points, 4).tolist()
    ]
    return {"aspect": 1, "times": [n / fps for n in range(len(points))], "frames": frames}


def shoulders(points: Points) -> float:
    """Their width."""
    ends = points[:, [LEFT_SHOULDER - ROWS.start, RIGHT_SHOULDER - ROWS.start]]
    return float(np.nanmedian(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=-1)))


def in_own_frame(points: Points) -> Points:
    """Origin between the shoulders, unit their distance."""
    ends = points[:, [LEFT_SHOULDER - ROWS.start, RIGHT_SHOULDER - ROWS.start]]
    own: Points = (points - np.nanmean(ends, axis=(0, 1))) / shoulders(points)
    return own


def average(clips: Points) -> Points:
    """The mean of [clips, samples, 75, 2] in their own frames; hands by wrist and shape, so that they keep
    their size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of points that no clip has
        return _average(clips)


def _average(clips: Points) -> Points:
    middle: Points = np.nanmean(clips, axis=0)
    for hand in HANDS:
        seen = ~np.isnan(clips[:, :, hand[0], 0])
        if seen.mean() < 0.5:
            middle[:, hand] = np.nan
            continue
        shapes = clips[:, :, hand] - clips[:, :, hand[:1]]
        sizes = np.linalg.norm(shapes, axis=(-2, -1), keepdims=True)
        mean = np.nanmean(shapes / sizes, axis=0)
        mean /= np.linalg.norm(mean, axis=(-2, -1), keepdims=True)
        middle[:, hand] = middle[:, hand[:1]] + mean * np.nanmedian(sizes)
    return middle


def elsewhere(points: Points, down: float) -> Points:
    """The hands held lower, by so many shoulder widths."""
    moved = points.copy()
    moved[:, MOVED] += [0, down * shoulders(points)]
    return moved


def backwards(points: Points) -> Points:
    """The movement the other way."""
    return points[::-1]


def other_hand(points: Points, other: Points) -> Points:
    """The hand's shape of another sign, at this one's place, as large as this one's."""
    shaped = points.copy()
    for hand in HANDS:
        seen = np.flatnonzero(~np.isnan(other[:, hand[0], 0]))
        for n in np.flatnonzero(~np.isnan(points[:, hand[0], 0])):
            if not len(seen):
                continue
            wanted = n / (len(points) - 1) * (len(other) - 1)
            shape = other[seen[np.argmin(np.abs(seen - wanted))]][hand]
            own, shape = points[n][hand] - points[n][hand[0]], shape - shape[0]
            shaped[n, hand] = points[n][hand[0]] + shape * np.linalg.norm(own) / np.linalg.norm(shape)
    return shaped
