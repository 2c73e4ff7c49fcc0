"""What a mirror does to a signer, and what it must not."""

from pathlib import Path

import numpy as np
import pytest

from shared import landmarks
from shared.landmarks import FACE, LEFT_HAND, MIRRORED, POSE, POSE_MIRRORED, RIGHT_HAND, ROWS, mirrored


def numbered() -> landmarks.Frame:
    """x is the row's number / 1000."""
    return np.repeat(np.arange(ROWS, dtype=np.float32)[:, None] / 1000, 3, axis=1)


def test_a_mirror_of_a_mirror_is_the_frame_itself() -> None:
    assert [MIRRORED[MIRRORED[row]] for row in range(ROWS)] == list(range(ROWS))
    frame = numbered()
    assert mirrored(mirrored(frame)) == pytest.approx(frame, abs=1e-6)


def test_hands_change_sides_and_nothing_else_becomes_a_hand() -> None:
    assert MIRRORED[LEFT_HAND.start : LEFT_HAND.stop] == tuple(RIGHT_HAND)
    assert MIRRORED[RIGHT_HAND.start : RIGHT_HAND.stop] == tuple(LEFT_HAND)
    assert sorted(MIRRORED[FACE.start : FACE.stop]) == list(FACE)
    assert sorted(MIRRORED[POSE.start : POSE.stop]) == list(POSE)


def test_named_pose_points_change_sides() -> None:
    from mediapipe.python.solutions.pose import PoseLandmark

    for point in PoseLandmark:
        other = {"LEFT": "RIGHT", "RIGHT": "LEFT"}
        name = "_".join(other.get(word, word) for word in point.name.split("_"))
        assert POSE_MIRRORED[point] == PoseLandmark[name], point.name


def test_the_two_halves_of_the_face_change_places() -> None:
    from mediapipe.python.solutions import face_mesh_connections as mesh

    def mirror_of(edges: frozenset[tuple[int, int]]) -> set[int]:
        return {MIRRORED[point] for edge in edges for point in edge}

    def points(edges: frozenset[tuple[int, int]]) -> set[int]:
        return {point for edge in edges for point in edge}

    assert mirror_of(mesh.FACEMESH_LEFT_EYE) == points(mesh.FACEMESH_RIGHT_EYE)
    assert mirror_of(mesh.FACEMESH_LEFT_EYEBROW) == points(mesh.FACEMESH_RIGHT_EYEBROW)
    assert mirror_of(mesh.FACEMESH_LIPS) == points(mesh.FACEMESH_LIPS)
    net = {frozenset(edge) for edge in mesh.FACEMESH_TESSELATION}
    kept = [edge for edge in net if frozenset(MIRRORED[point] for point in edge) in net]
    assert len(net) - len(kept) == 6, "MediaPipe's own net has six diagonals that differ between the halves"


def test_golden_mirror() -> None:
    """x is the picture's other side, y and z stay, the row is the other side's."""
    frame = numbered()
    other = mirrored(frame)
    assert other[468].tolist() == pytest.approx([1 - 0.522, 0.522, 0.522])
    assert other[522].tolist() == pytest.approx([1 - 0.468, 0.468, 0.468])
    assert other[500].tolist() == pytest.approx([1 - 0.501, 0.501, 0.501])
    assert other[489].tolist() == pytest.approx([1 - 0.489, 0.489, 0.489])
    assert other[33].tolist() == pytest.approx([1 - 0.263, 0.263, 0.263])
    assert other[61].tolist() == pytest.approx([1 - 0.291, 0.291, 0.291])


def test_missing_stays_missing_on_its_new_side() -> None:
    frame = numbered()
    frame[LEFT_HAND.start : LEFT_HAND.stop] = np.nan
    other = mirrored(np.stack([frame, frame]))
    assert np.isnan(other[:, RIGHT_HAND.start : RIGHT_HAND.stop]).all()
    assert not np.isnan(other[:, LEFT_HAND.start : LEFT_HAND.stop]).any()
    assert not np.isnan(frame[RIGHT_HAND.start]).any(), "the frame itself is untouched"


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[75, 3\], expected"):
        mirrored(np.zeros((75, 3), np.float32))


@pytest.mark.data
def test_what_is_found_on_a_flipped_picture_is_the_mirror_of_what_was_found(data_path: Path) -> None:
    """With the real networks: sides swap as a whole, and swap back."""
    from tests.workers.keypoints.test_holistic import pictures
    from workers.keypoints.holistic import Holistic

    shown = pictures(data_path / "videos" / "asl_hello_x2.mp4", 8)[3:9]
    plain, flipped = Holistic(), Holistic()
    straight = np.stack([plain.landmarks(rgb, 0.0) for rgb in shown])
    turned = np.stack([flipped.landmarks(np.fliplr(rgb).copy(), 0.0) for rgb in shown])
    plain.close()
    flipped.close()

    back = mirrored(turned)
    width = np.nanmean(straight[:, landmarks.LEFT_SHOULDER, 0] - straight[:, landmarks.RIGHT_SHOULDER, 0])
    assert width > 0
    arms = [landmarks.LEFT_SHOULDER, landmarks.RIGHT_SHOULDER, landmarks.NOSE]
    assert np.nanmedian(np.abs(back - straight)[:, arms, :2]) < 0.1 * width
    assert np.nanmedian(np.abs(back - straight)[:, FACE.start : FACE.stop, :2]) < 0.1 * width
    hands = np.concatenate(
        [
            np.abs(back - straight)[:, hand.start : hand.stop, :2].mean((1, 2))
            for hand in (LEFT_HAND, RIGHT_HAND)
        ]
    )
    seen = hands[np.isfinite(hands)]
    assert len(seen) >= 3, "she signs with a hand in sight"
    assert np.median(seen) < 0.1 * width, "sides exchanged it would be more than a shoulder's width"
