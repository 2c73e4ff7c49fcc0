"""A tracker's memory in a checkpoint."""

import copy
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest

from workers.keypoints.faces import Face
from workers.keypoints.filters import Smoothed
from workers.keypoints.gates import HandPatch
from workers.keypoints.hands import Hand
from workers.keypoints.memory import Memory, Plain
from workers.keypoints.poses import Pose
from workers.keypoints.regions import Region

random = np.random.default_rng(7)


def full() -> Memory:
    """Everything seen."""
    region = Region(0.1, 1 / 3, 0.5, -0.2)
    value, speed, raw = random.normal(size=(3, 35, 3))
    filtered = Smoothed(value, speed, raw, 1.5)
    pose = Pose(
        random.normal(size=(33, 3)),
        random.random(33),
        region,
        filtered,
        random.normal(size=(35, 3)),
        (0.1, 0.0),
        1.5,
    )
    patch = HandPatch((3, 4, 50, 60), random.integers(0, 255, (14, 12), np.uint8), 2)
    hand = Hand(random.normal(size=(21, 3)), 0, patch, (0.25, 1 / 7))
    thumbnail = random.integers(0, 255, (60, 80), np.uint8)
    return Memory(
        16 / 9,
        thumbnail,
        3,
        pose,
        2,
        thumbnail[::-1],
        [hand, Hand(missed=7)],
        Face(random.random((468, 3)), region),
        1,
    )


def through_msgpack(memory: Memory) -> Plain:
    plain: Plain = msgpack.unpackb(msgpack.packb(memory.pack()))
    return plain


@pytest.mark.parametrize("make", [full, Memory])
def test_a_memory_survives_a_checkpoint_to_the_bit(make: Callable[[], Memory]) -> None:
    memory = make()
    again = Memory.unpack(through_msgpack(memory))
    assert again is not None
    assert msgpack.packb(again.pack()) == msgpack.packb(memory.pack())


def test_a_memory_is_small() -> None:
    assert len(msgpack.packb(full().pack())) < 36_000


def test_restored_landmarks_can_be_written_to() -> None:
    again = Memory.unpack(through_msgpack(full()))
    assert again is not None
    assert again.pose is not None
    again.pose.points[0] = 1.0


def test_a_memory_of_another_version_is_none_of_ours() -> None:
    assert Memory.unpack({"version": 99}) is None
    assert Memory.unpack({}) is None


def _set(plain: Plain, path: str, value: Any) -> Plain:
    changed: Any = copy.deepcopy(plain)
    *way, last = path.split(".")
    place = changed
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    return dict(changed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("aspect", "wide"),
        ("aspect", float("nan")),
        ("thumbnail", b"short"),
        ("posed", b"short"),
        ("reused", -1),
        ("pose", b"pose"),
        ("pose", {}),
        ("pose.points", b"12345678"),
        ("pose.points", np.full((33, 3), np.nan).tobytes()),
        ("pose.region", [1.0, 2.0]),
        ("pose.wrist_speeds", [1.0]),
        ("hands", []),
        ("hands", None),
        ("hands.0.patch", {"box": [1, 2, 3, 4], "pixels": b"", "shape": [10**9, 10**9], "reused": 0}),
        ("hands.0.patch", {"box": [1, 2, 3], "pixels": b"", "shape": [0, 0], "reused": 0}),
        ("hands.0.posed_at", ["x", "y"]),
        ("face.points", "text"),
        ("face_age", None),
    ],
)
def test_a_broken_memory_is_refused(path: str, value: object) -> None:
    with pytest.raises(ValueError, match="not a tracker's memory"):
        Memory.unpack(_set(through_msgpack(full()), path, value))
