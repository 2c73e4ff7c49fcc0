"""Squares of a picture that a network looks at, and how MediaPipe lays them around landmarks. Pure.

Lengths are in units of the picture's longer side, from its top-left corner, y down: a camera that changes its
resolution changes none of them. The geometry follows MediaPipe's own graphs, named at each function.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""[n, 2 or 3]: x, y and, where there are three, z on x's scale."""

PALM = np.array([0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18])
"""Hand points whose box follows a hand: those that do not fly about with the fingertips."""

POSE_SCALE = 1.25
HAND_SCALE = 2.0
WRIST_SCALE = 2.7
TOWARDS_FINGERS = 0.1
"""Of the box's height: hands reach further up from the palm than down."""

FACE_SCALE = 1.5
FACE_OF_POSE_SCALE = 1.7
"""Larger than the mesh's own: the pose's eleven face points reach from ear to ear, not to the chin."""

LEAST_SIZE = 0.012
"""A wrist's region below this (8 pixels of 640) has no hand in it that could be landmarked."""


@dataclasses.dataclass(frozen=True, slots=True)
class Region:
    """A square: centre, side, and the angle by which it is turned clockwise, radians."""

    x: float
    y: float
    size: float
    angle: float = 0.0

    def pack(self) -> list[float]:
        return [self.x, self.y, self.size, self.angle]

    @classmethod
    def unpack(cls, numbers: object) -> "Region":
        """Raises ValueError."""
        if not isinstance(numbers, list) or len(numbers) != 4:
            raise ValueError(f"region is {str(numbers)[:60]}, expected four numbers")
        if not all(isinstance(number, float) and math.isfinite(number) for number in numbers):
            raise ValueError(f"region is {numbers}, expected four finite numbers")
        return cls(*numbers)


def wrapped(angle: float) -> float:
    """The same direction in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def crop_matrix(region: Region, side: int, longer: int) -> NDArray[np.float64]:
    """[2, 3]: from pixels of a `side` x `side` crop to pixels of a picture whose longer side is `longer`.

    Pixel 0 of the crop lies on the region's corner, as MediaPipe has it (ImageToTensorCalculator), not half a
    crop's pixel inside: of a whole body's crop that half is 1.5 % of the shoulders' width.
    """
    step, half = region.size * longer / side, side / 2
    cos, sin = math.cos(region.angle) * step, math.sin(region.angle) * step
    x, y = region.x * longer, region.y * longer
    return np.array([[cos, -sin, x - cos * half + sin * half], [sin, cos, y - sin * half - cos * half]])


def to_picture(points: Points, region: Region) -> Points:
    """Points of a crop, as fractions of its side, in the picture's units; z is only scaled."""
    scaled = points * region.size
    x, y = scaled[:, 0] - region.size / 2, scaled[:, 1] - region.size / 2
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    scaled[:, 0] = cos * x - sin * y + region.x
    scaled[:, 1] = sin * x + cos * y + region.y
    return scaled


def hand_region(points: Points) -> Region:
    """Around a hand seen in the last picture (hand_landmark_landmarks_to_roi)."""
    wrist_x, wrist_y = float(points[0, 0]), float(points[0, 1])
    up_x = ((points[5, 0] + points[13, 0]) / 2 + points[9, 0]) / 2
    up_y = ((points[5, 1] + points[13, 1]) / 2 + points[9, 1]) / 2
    angle = wrapped(math.pi / 2 - math.atan2(wrist_y - up_y, up_x - wrist_x))
    cos, sin = math.cos(angle), math.sin(angle)
    palm_x, palm_y = points[PALM, 0], points[PALM, 1]
    along, across = cos * palm_x + sin * palm_y, cos * palm_y - sin * palm_x
    left, right = float(along.min()), float(along.max())
    top, bottom = float(across.min()), float(across.max())
    height = bottom - top
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2 - TOWARDS_FINGERS * height
    return Region(
        cos * middle_x - sin * middle_y,
        sin * middle_x + cos * middle_y,
        HAND_SCALE * max(right - left, height),
        angle,
    )


def wrist_region(wrist: Points, pinky: Points, index: Points) -> Region | None:
    """Where the pose says a hand is (hand_landmarks_from_pose_to_recrop_roi); None where it is too small."""
    palm_x = (2 * float(index[0]) + float(pinky[0])) / 3
    palm_y = (2 * float(index[1]) + float(pinky[1])) / 3
    region = _pointed(float(wrist[0]), float(wrist[1]), palm_x, palm_y)
    if region.size < LEAST_SIZE:
        return None
    x, y = _towards_top(palm_x, palm_y, region)
    return Region(x, y, WRIST_SCALE * region.size, region.angle)


def recropped_region(centre_edge: Points) -> Region:
    """What the network hand_recrop makes of a wrist's region: a hand's centre and the edge of its square."""
    (x, y), (edge_x, edge_y) = centre_edge[:, :2].tolist()
    size = 2 * math.hypot(edge_x - x, edge_y - y)
    region = Region(x, y, size, wrapped(-math.pi / 2 - math.atan2(y - edge_y, edge_x - x)))
    x, y = _towards_top(x, y, region)
    return Region(x, y, size, region.angle)


def pose_region(centre: Points, edge: Points) -> Region:
    """Around a body: its middle between the hips, and a point on its circle above (alignment points)."""
    region = _pointed(float(centre[0]), float(centre[1]), float(edge[0]), float(edge[1]))
    return Region(float(centre[0]), float(centre[1]), POSE_SCALE * region.size, region.angle)


def face_region_of_pose(pose: Points) -> Region:
    """Around the face that the pose's points 0 to 10 show."""
    face = pose[:11, :2]
    x, y = face.mean(0).tolist()
    size = FACE_OF_POSE_SCALE * float(np.ptp(face, axis=0).max())
    return Region(x, y, size, _level(pose[5], pose[2]))


def face_region(mesh: Points) -> Region:
    """Around a face seen in the last picture (face_landmark_landmarks_to_roi)."""
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    x, y = ((low + high) / 2).tolist()
    return Region(x, y, FACE_SCALE * float((high - low).max()), _level(mesh[33], mesh[133]))


def _pointed(x: float, y: float, to_x: float, to_y: float) -> Region:
    """A square around the first point, its top towards the second and reaching it."""
    angle = wrapped(math.pi / 2 - math.atan2(y - to_y, to_x - x))
    return Region(x, y, 2 * math.hypot(to_x - x, to_y - y), angle)


def _towards_top(x: float, y: float, region: Region) -> tuple[float, float]:
    shift = TOWARDS_FINGERS * region.size
    return x + math.sin(region.angle) * shift, y - math.cos(region.angle) * shift


def _level(from_eye: Points, to_eye: Points) -> float:
    return wrapped(math.atan2(float(to_eye[1] - from_eye[1]), float(to_eye[0] - from_eye[0])))
