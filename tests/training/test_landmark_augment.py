"""Each change of a clip against what a hand computes."""

import math

import numpy as np
import pytest

from shared.landmarks import LEFT_HAND, POSE, RIGHT_HAND, ROWS
from training import landmark_augment as change
from training.clips import Track


def clip(frames: int = 10) -> change.Frames:
    points = np.random.default_rng(1).uniform(0.3, 0.7, (frames, ROWS, 3)).astype(np.float32)
    points[2, LEFT_HAND.start : LEFT_HAND.stop] = np.nan
    return points


def test_a_faster_clip_takes_less_time_with_the_same_frames() -> None:
    track = Track(np.arange(10) / 30, clip(), 1.5)
    faster = change.resampled_in_time(track, 1.5)
    assert faster.times[-1] == pytest.approx(0.2)
    assert np.array_equal(faster.frames, track.frames, equal_nan=True)


def test_a_flip_exchanges_the_hands_and_twice_is_none() -> None:
    frames = clip()
    once = change.flipped(frames)
    assert np.allclose(once[3, RIGHT_HAND[4], 0], 1 - frames[3, LEFT_HAND[4], 0])
    assert np.allclose(once[3, RIGHT_HAND[4], 1:], frames[3, LEFT_HAND[4], 1:])
    assert np.isnan(once[2, RIGHT_HAND.start]).all()
    assert np.allclose(change.flipped(once), frames, equal_nan=True)


def test_an_affine_change_turns_a_wide_picture_as_it_is_seen() -> None:
    frames = np.full((1, ROWS, 3), 0.5, np.float32)
    frames[0, 0] = (0.75, 0.5, 0.1)  # half a picture height to the right, in a picture twice as wide as high
    turned = change.affine(frames, 2.0, turn=math.pi / 2, scale=0.5, shear=0.3, shift=(0.2, 0.1))
    assert turned[0, 0].tolist() == pytest.approx([0.5 + 0.1, 0.5 + 0.25 + 0.1, 0.1])
    same = change.affine(clip(), 1.7, turn=0, scale=1, shear=0, shift=(0, 0))
    assert np.allclose(same, clip(), equal_nan=True)
    lower = frames + np.array([0, 0.1, 0], np.float32)
    sheared = change.affine(lower, 2.0, turn=0, scale=1, shear=0.5, shift=(0, 0))
    assert sheared[0, 1].tolist() == pytest.approx([0.5 + 0.05 / 2, 0.6, 0.5])


def test_masks_take_frames_or_a_square_of_the_picture_and_nothing_else() -> None:
    frames = clip()
    kept = change.masked_in_time(frames, 4, 3)
    assert np.isnan(kept[4:7]).all()
    assert np.array_equal(kept[[0, 1, 3, 7, 8, 9]], frames[[0, 1, 3, 7, 8, 9]])
    hidden = change.masked_in_space(frames, 0.3, 0.3, 0.2)
    x, y = frames[..., 0], frames[..., 1]
    inside = (x >= 0.3) & (x < 0.5) & (y >= 0.3) & (y < 0.5)
    assert inside.any()
    assert np.isnan(hidden[inside]).all()
    assert np.array_equal(hidden[~inside], frames[~inside], equal_nan=True)


def test_a_dropped_hand_is_gone_and_the_rest_is_there() -> None:
    gone = change.without(clip(), RIGHT_HAND)
    assert np.isnan(gone[:, RIGHT_HAND.start : RIGHT_HAND.stop]).all()
    assert np.array_equal(gone[:, : RIGHT_HAND.start], clip()[:, : RIGHT_HAND.start], equal_nan=True)


def test_an_extractor_misses_a_part_in_bursts() -> None:
    lost = change.misses(20_000, 0.05, 0.4, np.random.default_rng(3))
    assert lost.mean() == pytest.approx(0.05 / 0.45, abs=0.01)  # of a chain that starts and ends so
    bursts = np.diff(lost.astype(int)) == 1
    assert lost.sum() / bursts.sum() == pytest.approx(1 / 0.4, rel=0.05)
    frames = clip()
    some = np.arange(10) % 3 == 0
    found = change.missed(frames, RIGHT_HAND, some)
    assert np.isnan(found[some][:, list(RIGHT_HAND)]).all()
    assert np.array_equal(found[~some], frames[~some], equal_nan=True)
    assert np.array_equal(found[:, list(POSE)], frames[:, list(POSE)])


def test_a_drawn_change_is_the_same_for_the_same_seed_and_leaves_the_clip_alone() -> None:
    track = Track(np.arange(10) / 30, clip(), 1.5)
    seen = set()
    for seed in range(30):
        one, other = (change.augmented(track, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(one.frames, other.frames, equal_nan=True)
        assert np.array_equal(one.times, other.times)
        assert one.frames.shape == track.frames.shape
        assert one.frames.dtype == np.float32
        seen.add(one.frames.tobytes())
    assert len(seen) > 25
    assert np.array_equal(track.frames, clip(), equal_nan=True)
    one_frame = Track(np.zeros(1), clip()[:1], 1.0)
    assert len(change.augmented(one_frame, np.random.default_rng(2)).frames) == 1
