"""What a tracker knows between two pictures, and its plain form for a checkpoint. Pure.

About 20 KB packed, 35 with a face. Restored to the bit: floats travel as their eight bytes.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from workers.keypoints import faces, hands, poses
from workers.keypoints.faces import Face
from workers.keypoints.filters import Smoothed
from workers.keypoints.gates import THUMBNAIL, Grey, HandPatch
from workers.keypoints.hands import Hand
from workers.keypoints.poses import Pose
from workers.keypoints.regions import Region

VERSION = 2

MAX_PATCH = 8192
"""Pixels of a hand's patch along a side: more than any picture has."""

Plain = dict[str, Any]

T = TypeVar("T")


@dataclasses.dataclass
class Memory:
    """Empty when a session begins."""

    aspect: float = 0.0
    """Width / height of the pictures; a camera that turns begins anew."""
    thumbnail: Grey | None = None
    """Of the last picture that was looked at."""
    reused: int = 0
    """Pictures since then that showed the same."""
    pose: Pose | None = None
    pose_age: int = 0
    """Pictures since the pose was looked for."""
    posed: Grey | None = None
    """Thumbnail of that picture."""
    hands: list[Hand] = dataclasses.field(default_factory=lambda: [Hand(), Hand()])
    """Left, right."""
    face: Face | None = None
    face_age: int = 0

    def pack(self) -> Plain:
        """For msgpack."""
        return {
            "version": VERSION,
            "aspect": self.aspect,
            "thumbnail": None if self.thumbnail is None else self.thumbnail.tobytes(),
            "reused": self.reused,
            "pose": None if self.pose is None else _pack_pose(self.pose),
            "pose_age": self.pose_age,
            "posed": None if self.posed is None else self.posed.tobytes(),
            "hands": [_pack_hand(hand) for hand in self.hands],
            "face": None if self.face is None else _pack_face(self.face),
            "face_age": self.face_age,
        }

    @classmethod
    def unpack(cls, plain: Plain) -> "Memory | None":
        """None for another version's. Raises ValueError for what no tracker packed."""
        if plain.get("version") != VERSION:
            return None
        try:
            left, right = plain["hands"]
            return cls(
                aspect=_number(plain["aspect"]),
                thumbnail=_maybe(plain["thumbnail"], lambda data: _grey(data, *THUMBNAIL)),
                reused=_count(plain["reused"]),
                pose=_maybe(plain["pose"], _unpack_pose),
                pose_age=_count(plain["pose_age"]),
                posed=_maybe(plain["posed"], lambda data: _grey(data, *THUMBNAIL)),
                hands=[_unpack_hand(left), _unpack_hand(right)],
                face=_maybe(plain["face"], _unpack_face),
                face_age=_count(plain["face_age"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not a tracker's memory: {error!r}") from error


def _pack_pose(pose: Pose) -> Plain:
    return {
        "points": pose.points.tobytes(),
        "visible": pose.visible.tobytes(),
        "region": pose.region.pack(),
        "value": pose.filtered.value.tobytes(),
        "speed": pose.filtered.speed.tobytes(),
        "raw": pose.filtered.raw.tobytes(),
        "filtered": pose.filtered.time,
        "seen": pose.seen.tobytes(),
        "wrist_speeds": list(pose.wrist_speeds),
        "time": pose.time,
    }


def _unpack_pose(plain: Plain) -> Pose:
    value, speed, raw = (_floats(plain[name], poses.EDGE + 1, 3) for name in ("value", "speed", "raw"))
    left, right = plain["wrist_speeds"]
    return Pose(
        points=_floats(plain["points"], poses.POINTS, 3),
        visible=_floats(plain["visible"], poses.POINTS),
        region=Region.unpack(plain["region"]),
        filtered=Smoothed(value, speed, raw, _number(plain["filtered"])),
        seen=_floats(plain["seen"], poses.EDGE + 1, 3),
        wrist_speeds=(_number(left), _number(right)),
        time=_number(plain["time"]),
    )


def _pack_hand(hand: Hand) -> Plain:
    patch = hand.patch
    return {
        "points": None if hand.points is None else hand.points.tobytes(),
        "missed": hand.missed,
        "patch": None
        if patch is None
        else {"box": list(patch.box), "pixels": patch.pixels.tobytes(), "shape": list(patch.pixels.shape)}
        | {"reused": patch.reused},
        "posed_at": None if hand.posed_at is None else list(hand.posed_at),
    }


def _unpack_hand(plain: Plain) -> Hand:
    return Hand(
        points=_maybe(plain["points"], lambda data: _floats(data, hands.POINTS, 3)),
        missed=_count(plain["missed"]),
        patch=_maybe(plain["patch"], _unpack_patch),
        posed_at=_maybe(plain["posed_at"], _point),
    )


def _unpack_patch(plain: Plain) -> HandPatch:
    left, top, right, bottom = (_count(edge) for edge in plain["box"])
    height, width = (_count(length) for length in plain["shape"])
    if max(height, width) > MAX_PATCH:
        raise ValueError(f"patch of {width} x {height} pixels")
    return HandPatch(
        (left, top, right, bottom), _grey(plain["pixels"], width, height), _count(plain["reused"])
    )


def _pack_face(face: Face) -> Plain:
    return {"points": face.points.tobytes(), "region": face.region.pack()}


def _unpack_face(plain: Plain) -> Face:
    return Face(_floats(plain["points"], faces.POINTS, 3), Region.unpack(plain["region"]))


def _maybe(plain: Any, unpack: Callable[[Any], T]) -> T | None:
    return None if plain is None else unpack(plain)


def _point(plain: Any) -> tuple[float, float]:
    x, y = plain
    return _number(x), _number(y)


def _number(plain: object) -> float:
    if not isinstance(plain, float) or not math.isfinite(plain):
        raise ValueError(f"{str(plain)[:40]} is no finite number")
    return plain


def _count(plain: object) -> int:
    if not isinstance(plain, int) or plain < 0:
        raise ValueError(f"{str(plain)[:40]} is no count")
    return plain


def _floats(data: bytes, *shape: int) -> NDArray[np.float64]:
    """Writable. Raises ValueError for another size or what is not finite."""
    values = np.frombuffer(data, np.float64).reshape(shape).copy()
    if not np.isfinite(values).all():
        raise ValueError("a landmark is not finite")
    return values


def _grey(data: bytes, width: int, height: int) -> Grey:
    return np.frombuffer(data, np.uint8).reshape(height, width).copy()
