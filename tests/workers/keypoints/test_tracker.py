"""The tracker against Holistic, against itself, and on pictures nobody asked for."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, require_frame
from tests.workers.keypoints.test_holistic import found, pictures
from workers.keypoints.holistic import Holistic
from workers.keypoints.networks import Networks, best_precision, load_networks
from workers.keypoints.profiles import HANDS_AND_POSE, HOLISTIC
from workers.keypoints.tracker import Tracker

Rgb = NDArray[np.uint8]


@pytest.fixture(scope="module")
def networks() -> Networks:
    return load_networks(best_precision())


@pytest.fixture(scope="module")
def signer(data_path: Path) -> list[Rgb]:
    """She raises her right hand from below the picture."""
    return pictures(data_path / "videos" / "asl_hello_x2.mp4", 1)[:40]


def track(tracker: Tracker, shown: Sequence[Rgb], first: int = 0) -> NDArray[np.float32]:
    return np.stack([tracker.landmarks(rgb, (first + n) / 15) for n, rgb in enumerate(shown)])


def test_pictures_of_nobody_have_no_landmarks(networks: Networks) -> None:
    tracker = Tracker(networks)
    for size in ((240, 320), (320, 240), (1, 1), (2, 900)):
        assert np.isnan(require_frame(tracker.landmarks(np.zeros((*size, 3), np.uint8), 0.0))).all()


@pytest.mark.data
def test_it_finds_what_holistic_finds(networks: Networks, signer: list[Rgb]) -> None:
    reference, tracker = Holistic(), Tracker(networks)
    expected = np.stack([reference.landmarks(rgb, 0.0) for rgb in signer])
    seen = track(tracker, signer)
    reference.close()
    there = ~np.isnan(expected[:, RIGHT_HAND[0], 0])
    assert there.sum() >= 10
    assert np.mean(~np.isnan(seen[there, RIGHT_HAND[0], 0])) >= 0.9
    assert np.isnan(seen[:, LEFT_HAND[0], 0]).mean() >= 0.95, "her left hand stays out of the picture"
    for rows, near in ((RIGHT_HAND, 0.01), (POSE[:15], 0.02), (FACE, 0.01)):
        apart = (seen - expected)[:, rows.start : rows.stop, :2]
        assert np.nanmedian(np.linalg.norm(apart, axis=2)) < near
    depth = np.stack((seen, expected))[:, there][:, :, RIGHT_HAND[1:], 2].reshape(2, -1)
    depth = depth[:, ~np.isnan(depth).any(0)]
    assert np.corrcoef(depth)[0, 1] > 0.8


@pytest.mark.data
@pytest.mark.parametrize("stop", [1, 14, 15, 23])
def test_a_successor_goes_on_to_the_bit(networks: Networks, signer: list[Rgb], stop: int) -> None:
    undisturbed = track(Tracker(networks), signer)
    first, second = Tracker(networks), Tracker(networks)
    before = track(first, signer[:stop])
    assert second.restore(msgpack.unpackb(msgpack.packb(first.state())))
    after = track(second, signer[stop:], stop)
    assert np.concatenate((before, after)).tobytes() == undisturbed.tobytes()


@pytest.mark.data
def test_sessions_in_turns_do_not_see_each_other(networks: Networks, signer: list[Rgb]) -> None:
    alone = track(Tracker(networks), signer)
    one, other = Tracker(networks), Tracker(networks, HANDS_AND_POSE)
    together = []
    for number, rgb in enumerate(signer):
        together.append(one.landmarks(rgb, number / 15))
        other.landmarks(np.ascontiguousarray(signer[-1 - number][:, ::-1]), number / 15)
    assert np.stack(together).tobytes() == alone.tobytes()


@pytest.mark.data
def test_a_still_picture_is_looked_at_once_in_a_while(networks: Networks, signer: list[Rgb]) -> None:
    tracker = Tracker(networks)
    track(tracker, [signer[20]] * 32)
    assert tracker.counts.still_pictures == 30
    looking = Tracker(networks, gated=False)
    track(looking, [signer[20]] * 8)
    assert (looking.counts.still_pictures, looking.counts.still_hands) == (0, 0)


@pytest.mark.data
def test_an_arm_that_rises_without_a_hand_is_looked_at_at_once(networks: Networks, signer: list[Rgb]) -> None:
    tracker = Tracker(networks)
    track(tracker, [signer[0]] * 9)
    resting = tracker.counts.poses
    rising = signer[0].copy()
    rising[500:, 200:500] = 255 - rising[500:, 200:500]
    tracker.landmarks(signer[0], 0.6)
    assert tracker.counts.poses == resting
    tracker.landmarks(rising, 0.66)
    assert tracker.counts.poses == resting + 1


@pytest.mark.data
def test_after_black_pictures_she_is_found_at_once(networks: Networks, signer: list[Rgb]) -> None:
    tracker, black = Tracker(networks), np.zeros_like(signer[0])
    seen = track(tracker, [signer[20], *[black] * 3, signer[20]])
    assert not np.isnan(seen[4, POSE[0]]).any()
    assert not np.isnan(seen[4, RIGHT_HAND[0]]).any()
    assert np.isnan(seen[1:4]).all()


@pytest.mark.data
def test_a_camera_that_changes_its_resolution_loses_nothing(networks: Networks, signer: list[Rgb]) -> None:
    tracker, smaller = Tracker(networks), [cv2.resize(rgb, (640, 360)) for rgb in signer[21:24]]
    seen = track(tracker, [*signer[18:21], *smaller])
    steady = track(Tracker(networks), signer[18:24])
    assert all(found(frame, RIGHT_HAND) for frame in seen[1:])
    assert np.nanmedian(np.abs(seen - steady)) < 0.002
    turned = np.ascontiguousarray(np.rot90(signer[24]))
    assert tracker.landmarks(turned, 0.5).shape == (543, 3)


@pytest.mark.data
def test_a_face_is_only_looked_at_where_a_model_asks(networks: Networks, signer: list[Rgb]) -> None:
    assert np.isnan(track(Tracker(networks, HANDS_AND_POSE), signer[:3])[:, FACE[0]]).all()
    assert found(track(Tracker(networks, HOLISTIC), signer[:3])[2], FACE)


@pytest.mark.data
def test_another_kinds_state_is_not_taken(networks: Networks, signer: list[Rgb]) -> None:
    tracker = Tracker(networks)
    track(tracker, signer[:3])
    before = tracker.state()
    assert not tracker.restore({"version": 0})
    assert tracker.state() == before
    assert not Holistic().restore(tracker.state())
    assert Holistic().state() is None  # type: ignore[func-returns-value]
