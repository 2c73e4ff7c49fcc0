"""What a viewer draws."""

import numpy as np

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, ROWS, empty_frame
from workers.keypoints.overlay import LIPS, overlay


def test_only_found_hands_pose_and_lips_are_sent_as_triples() -> None:
    frame = empty_frame()
    frame[FACE.start : FACE.stop] = (0.5, 0.25, 0.1)
    frame[RIGHT_HAND.start] = (0.75, 1.5, 0.2)
    values = np.frombuffer(overlay(2.5, frame), "<f4")
    assert values[0] == 2.5
    triples = values[1:].reshape(-1, 3)
    assert triples[:, 0].tolist() == [*LIPS, RIGHT_HAND.start]
    assert triples[-1].tolist() == [RIGHT_HAND.start, 0.75, 1.5]


def test_nothing_found_is_the_time_alone() -> None:
    assert overlay(1.0, empty_frame()) == np.float32(1.0).tobytes()


def test_a_full_frame_stays_small() -> None:
    full = np.zeros((ROWS, 3), np.float32)
    assert len(overlay(0.0, full)) == 4 + 12 * (len(LIPS) + len(LEFT_HAND) + len(POSE) + len(RIGHT_HAND))


def test_the_lips_are_mediapipes_own() -> None:
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_LIPS

    assert set(LIPS) == {point for edge in FACEMESH_LIPS for point in edge}
