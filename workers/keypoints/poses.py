"""The body: found by a detector once, then followed from its own landmarks as MediaPipe Pose does."""

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.filters import Cutoff, Smoothed, one_euro
from workers.keypoints.networks import Networks, Output
from workers.keypoints.regions import Points, Region, pose_region, to_picture

POINTS = 33
ELBOWS = (13, 14)
WRISTS = (15, 16)
PINKIES = (17, 18)
INDEXES = (19, 20)
HAND_POINTS = ((15, 17, 19, 21), (16, 18, 20, 22))
"""Wrist, pinky, index, thumb: left, right."""
SHOULDERS = (11, 12)
CENTRE, EDGE = 33, 34
"""Landmarks behind the 33 that only say where the body is."""

MIN_PRESENCE = 0.5
MIN_DETECTION = 0.0
"""Before the sigmoid: one half."""

HEATMAP_SIDE = 64
HEATMAP_REACH = 3
HEATMAP_LEAST = 0.5
"""A landmark goes to the middle of the heat within 7 x 7 around it where that is sure enough: 2.4 instead of
4.8 % of the shoulders' width from Holistic's."""

_REFINED = np.array([*range(25), CENTRE, EDGE])
"""From the knees down a signer is rarely in the picture."""

_CUTOFF = Cutoff(
    np.repeat((0.05, 0.01), (POINTS, EDGE + 1 - POINTS))[:, None],
    np.repeat((80.0, 10.0), (POINTS, EDGE + 1 - POINTS))[:, None],
)
"""Where the body is, is smoothed more than the body (pose_landmark_filtering)."""

_AROUND = np.arange(-HEATMAP_REACH, HEATMAP_REACH + 1)

_STRIDES = ((8, 2), (16, 2), (32, 6))
"""The detector's grids: pixels a cell, anchors a cell (SsdAnchorsCalculator: 8, 16, 32, 32, 32)."""


@dataclasses.dataclass(frozen=True)
class Pose:
    """A body in one picture."""

    points: Points
    """[33, 3], smoothed, in the picture's units."""
    visible: NDArray[np.float64]
    """[33], probability."""
    region: Region
    """Where to look for it next."""
    filtered: Smoothed
    """Of the 35 landmarks, [35, 3]."""
    seen: Points
    """[35, 3], as the network saw them, not smoothed."""
    wrist_speeds: tuple[float, float]
    """Units a second."""
    time: float
    """Media time at which the network saw them, seconds."""

    @property
    def shoulders(self) -> float:
        """Their distance."""
        left, right = self.points[SHOULDERS[0]], self.points[SHOULDERS[1]]
        return math.hypot(left[0] - right[0], left[1] - right[1])


def find_pose(networks: Networks, rgb: NDArray[np.uint8], before: Pose | None, time: float) -> Pose | None:
    """The body of a picture, where it was or anywhere."""
    region = before.region if before is not None else _detect(networks, rgb)
    if region is None:
        return None
    landmarks, presence, heat = networks.pose.run(rgb, region)
    if presence[0] < MIN_PRESENCE:
        return None
    rows = landmarks.reshape(39, 5)[: EDGE + 1].astype(np.float64)
    side = networks.pose.side
    rows[:, :2] = refined(rows[:, :2] / side, heat.reshape(HEATMAP_SIDE, HEATMAP_SIDE, 39))
    rows[:, 2] /= side
    seen = to_picture(rows[:, :3], region)
    filtered = smoothed(before.filtered if before else None, seen, time)
    return Pose(
        points=filtered.value[:POINTS],
        visible=1 / (1 + np.exp(-rows[:POINTS, 3])),
        region=pose_region(filtered.value[CENTRE], filtered.value[EDGE]),
        filtered=filtered,
        seen=seen,
        wrist_speeds=_speeds(before, seen, time),
        time=time,
    )


def smoothed(before: Smoothed | None, landmarks: Points, time: float) -> Smoothed:
    """The filter after these landmarks, [35, 3]."""
    size = float(np.ptp(landmarks[:POINTS, :2], axis=0).sum()) / 2
    return one_euro(before, landmarks, time, max(size, 1e-6), _CUTOFF)


def refined(points: Points, heat: NDArray[np.float32]) -> Points:
    """Fractions of the crop, [35, 2], moved to where the heatmaps [64, 64, 39] are warm (RefineLandmarks)."""
    cells = (points[_REFINED] * HEATMAP_SIDE).astype(np.intp)
    inside = ((cells >= 0) & (cells < HEATMAP_SIDE)).all(1)
    rows, cells = _REFINED[inside], cells[inside]
    x, y = cells[:, :1] + _AROUND, cells[:, 1:] + _AROUND
    known = ((y >= 0) & (y < HEATMAP_SIDE))[:, :, None] & ((x >= 0) & (x < HEATMAP_SIDE))[:, None, :]
    near_y, near_x = y.clip(0, HEATMAP_SIDE - 1), x.clip(0, HEATMAP_SIDE - 1)
    values = heat[near_y[:, :, None], near_x[:, None, :], rows[:, None, None]]
    warmth = np.where(known, 1 / (1 + np.exp(-values.astype(np.float64))), 0.0)
    sure = warmth.max((1, 2)) >= HEATMAP_LEAST
    total = warmth.sum((1, 2))
    moved = points.copy()
    moved[rows[sure], 0] = ((warmth.sum(1) * x).sum(1) / total)[sure] / HEATMAP_SIDE
    moved[rows[sure], 1] = ((warmth.sum(2) * y).sum(1) / total)[sure] / HEATMAP_SIDE
    return moved


def _detect(networks: Networks, rgb: NDArray[np.uint8]) -> Region | None:
    """The region of the likeliest person, from the detector's hip middle and the circle around the body."""
    height, width = rgb.shape[:2]
    longer = max(height, width)
    whole = Region(width / longer / 2, height / longer / 2, 1.0)
    boxes, scores = networks.pose_detection.run(rgb, whole, pad=True)
    return detected_region(boxes, scores, networks.pose_detection.side, whole)


def detected_region(boxes: Output, scores: Output, side: int, whole: Region) -> Region | None:
    """From the detector's outputs; None where no score is good enough."""
    best = int(scores.argmax())
    if scores[best] < MIN_DETECTION:
        return None
    keypoints = boxes.reshape(-1, 12)[best, 4:].reshape(4, 2).astype(np.float64) / side + anchors(side)[best]
    centre, edge = to_picture(keypoints[:2], whole)
    return pose_region(centre, edge)


@functools.cache
def anchors(side: int) -> Points:
    """[2254, 2] for a side of 224: the middles of the detector's cells, as fractions of the side."""
    grids = []
    for stride, count in _STRIDES:
        middles = (np.arange(math.ceil(side / stride)) + 0.5) / math.ceil(side / stride)
        y, x = np.meshgrid(middles, middles, indexing="ij")
        grids.append(np.repeat(np.stack((x.ravel(), y.ravel()), 1), count, axis=0))
    return np.concatenate(grids)


def _speeds(before: Pose | None, seen: Points, time: float) -> tuple[float, float]:
    if before is None or time <= before.time:
        return 0.0, 0.0
    rows = list(WRISTS)
    (left_x, left_y), (right_x, right_y) = (
        (seen[rows, :2] - before.seen[rows, :2]) / (time - before.time)
    ).tolist()
    return math.hypot(left_x, left_y), math.hypot(right_x, right_y)
