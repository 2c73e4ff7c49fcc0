"""The face mesh: found at the pose's face, then followed from its own points."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.networks import Networks
from workers.keypoints.poses import Pose
from workers.keypoints.regions import Points, Region, face_region, face_region_of_pose, to_picture

POINTS = 468

MIN_PRESENCE = 0.0
"""Before the sigmoid: one half."""


@dataclasses.dataclass(frozen=True)
class Face:
    """A face in one picture."""

    points: Points
    """[468, 3] in the picture's units."""
    region: Region
    """Where to look for it next."""


def find_face(networks: Networks, rgb: NDArray[np.uint8], before: Face | None, pose: Pose) -> Face | None:
    """The face of a picture, where it was or where the pose has one."""
    region = before.region if before is not None else face_region_of_pose(pose.points)
    landmarks, presence = networks.face.run(rgb, region)
    if presence[0] < MIN_PRESENCE:
        return None
    points = to_picture(landmarks.reshape(POINTS, 3).astype(np.float64) / networks.face.side, region)
    return Face(points, face_region(points))
