"""What streams are joined from."""

import numpy as np
import pytest

from tests.training.conftest import SAMPLES, body, clip_of
from training import pieces
from training.pieces import HANDS, WRISTS
from training.recordings import Clip


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def hand_seen(clip: Clip) -> list[bool]:
    return [bool(found) for found in np.isfinite(clip[:, HANDS[1].start, 0])]


def test_sampled_between_two_frames_is_between_them() -> None:
    clip = clip_of(0.8, -0.8, 0)
    half = pieces.sampled(clip, np.array([8.5]))
    assert np.allclose(half, (clip[8:9] + clip[9:10]) / 2, equal_nan=True, atol=1e-6)


def test_sampled_beyond_the_ends_is_the_end() -> None:
    clip = clip_of(0.8, -0.8, 0)
    assert np.array_equal(pieces.sampled(clip, np.array([-3.0, 99.0])), clip[[0, -1]], equal_nan=True)


def test_a_hand_missing_in_one_neighbour_comes_from_the_other() -> None:
    clip = clip_of(0.8, -0.8, 0)
    clip[9, HANDS[1]] = np.nan
    assert np.array_equal(pieces.sampled(clip, np.array([8.5]))[0, HANDS[1]], clip[8, HANDS[1]])


def test_at_speed_keeps_the_path_and_changes_the_length(rng: np.random.Generator) -> None:
    clip = clip_of(0.8, -0.8, 0)
    lengths = set()
    for _ in range(50):
        fast = pieces.at_speed(clip, rng)
        lengths.add(len(fast))
        assert np.diff(fast[:, WRISTS[1], 0]).max() < 1e-5, "the hand only ever goes aside"
    assert min(lengths) >= 11
    assert max(lengths) <= 25
    assert len(lengths) > 10


def test_at_rest_no_hand_is_in_sight_and_both_wrists_are_low(rng: np.random.Generator) -> None:
    resting = pieces.rest_frame(clip_of(0.8, -0.8, 0), rng)
    assert np.isnan(resting[:, HANDS[0]]).all()
    assert np.isnan(resting[:, HANDS[1]]).all()
    assert (resting[0, list(WRISTS), 1] > 1.4).all()


def test_a_hand_comes_in_once_on_the_way_from_rest(rng: np.random.Generator) -> None:
    sign = clip_of(0.8, -0.8, 0)
    for _ in range(30):
        way = pieces.transition(body(), sign[:1], 8, rng)
        assert way.shape[0] == 8
        heights = way[:, WRISTS[1], 1]
        assert (np.diff(heights) < 0).all(), "it only rises"
        seen = np.isfinite(way[:, HANDS[1].start, 0])
        assert np.allclose(way[seen][:, HANDS[1].start], way[seen][:, WRISTS[1]], atol=0.05), "on its arm"


def test_halves_are_the_beginning_of_one_and_the_end_of_the_other(rng: np.random.Generator) -> None:
    first, second = clip_of(0.8, -0.8, 0), clip_of(-0.6, 0.5, 1)
    made = pieces.joined_halves(first, second, rng)
    assert np.array_equal(made[:7], first[:7], equal_nan=True)
    assert np.array_equal(made[-8:], second[-8:], equal_nan=True)


def test_another_handshape_follows_the_same_path(rng: np.random.Generator) -> None:
    carrier, donor = clip_of(0.8, -0.8, 0), clip_of(-0.6, 0.5, 1)
    donor[:, HANDS[1]] = donor[:, HANDS[1], :][:, :, [1, 0, 2]]
    made = pieces.other_shape(carrier, donor, rng)
    assert made is not None
    assert np.allclose(made[:, HANDS[1].start], carrier[:, HANDS[1].start], atol=1e-6)
    assert not np.allclose(made[:, HANDS[1]], carrier[:, HANDS[1]], atol=0.1)


def test_the_same_handshape_is_no_other(rng: np.random.Generator) -> None:
    assert pieces.other_shape(clip_of(0.8, -0.8, 0), clip_of(-0.6, 0.5, 0), rng) is None


def test_a_sign_of_other_reach_keeps_its_middle_its_handshape_and_the_body(rng: np.random.Generator) -> None:
    clip = clip_of(0.8, -0.8, 0)
    spans = []
    for _ in range(20):
        made = pieces.other_reach(clip, rng)
        wrist = made[:, WRISTS[1], 0]
        assert np.isclose(wrist.mean(), clip[:, WRISTS[1], 0].mean(), atol=1e-5)
        shape = made[:, HANDS[1]] - made[:, HANDS[1].start : HANDS[1].start + 1]
        own = clip[:, HANDS[1]] - clip[:, HANDS[1].start : HANDS[1].start + 1]
        assert np.allclose(shape, own, atol=1e-5, equal_nan=True)
        assert np.array_equal(made[:, 0], clip[:, 0], equal_nan=True), "the nose stays"
        spans.append(np.ptp(wrist) / np.ptp(clip[:, WRISTS[1], 0]))
    assert min(spans) < 0.9
    assert max(spans) > 1.1


def test_a_hand_that_opens_again_goes_faster_some_of_its_way_back(rng: np.random.Generator) -> None:
    clip = clip_of(0.8, -0.8, 0)
    for _ in range(20):
        made = pieces.opened_again(clip, rng)
        assert np.array_equal(made[: len(clip)], clip, equal_nan=True)
        back = made[len(clip) :]
        assert 2 <= len(back) <= 10
        ways = [clip[::-step][: len(back)] for step in (2, 3)]
        assert any(np.array_equal(back, way, equal_nan=True) for way in ways)


def test_wandering_passes_through_the_poses(rng: np.random.Generator) -> None:
    frames = [clip_of(0.8, -0.8, 0)[:1], clip_of(-0.6, 0.5, 1)[:1], body()]
    made = pieces.wandering(frames, rng)
    assert len(made) > 3
    assert hand_seen(made)[0]
    assert not hand_seen(made)[-1]


def test_there_and_back_ends_where_it_began_after_a_way_beyond_the_middle(rng: np.random.Generator) -> None:
    clip = clip_of(0.8, -0.8, 0)
    for _ in range(20):
        made = pieces.there_and_back(clip, rng)
        aside = made[:, HANDS[1].start, 0]
        assert SAMPLES <= len(made) <= SAMPLES + 5
        assert aside[-1] == pytest.approx(aside[0], abs=1e-5)
        assert np.ptp(aside) > 0.5 * np.ptp(clip[:, HANDS[1].start, 0])


def test_a_late_handshape_keeps_the_wrists_path(rng: np.random.Generator) -> None:
    clip = clip_of(0.8, -0.8, 0)
    clip[10:, HANDS[1].start + 8, 1] -= 0.3
    made = pieces.shape_late(clip, rng)
    assert np.allclose(made[:, HANDS[1].start], clip[:, HANDS[1].start])
    assert np.array_equal(made[:, : HANDS[0].start], clip[:, : HANDS[0].start])
    assert not np.allclose(made[:, HANDS[1]], clip[:, HANDS[1]], atol=0.02)


def test_a_clip_is_left_as_it_was(rng: np.random.Generator) -> None:
    clip, again = clip_of(0.8, -0.8, 0), clip_of(0.8, -0.8, 0)
    for make in (pieces.at_speed, pieces.rest_frame, pieces.there_and_back, pieces.shape_late):
        make(clip, rng)
    pieces.held(clip[:1], 9, rng)
    pieces.transition(clip[:1], body(), 5, rng)
    pieces.one_arm_down(clip[:1], 1, rng)
    assert clip.shape[0] == SAMPLES
    assert np.array_equal(clip, again, equal_nan=True)
