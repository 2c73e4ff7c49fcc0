"""The One Euro filter."""

import numpy as np
import pytest

from workers.keypoints.filters import STALE_SECONDS, Cutoff, Smoothed, one_euro


def follow(values: list[float], seconds: float = 1 / 30) -> Smoothed:
    state = None
    for number, value in enumerate(values):
        state = one_euro(state, np.array([value]), number * seconds, 1.0)
    assert state is not None
    return state


def test_the_first_value_is_taken_as_it_is() -> None:
    assert follow([0.3]).value == pytest.approx(0.3)


def test_noise_around_a_still_point_is_smoothed() -> None:
    noise = np.random.default_rng(3).normal(0, 1e-4, 200)
    state, smoothed = None, []
    for number, value in enumerate(noise):
        state = one_euro(state, np.array([value]), number / 30, 1.0)
        smoothed.append(state.value[0])
    assert np.std(smoothed[50:]) < 0.5 * np.std(noise[50:])


def test_a_fast_movement_is_followed() -> None:
    assert follow([0.0, 0.1, 0.2, 0.3, 0.4]).value[0] == pytest.approx(0.4, abs=0.02)


def test_the_same_movement_of_a_smaller_body_is_faster_and_followed_closer() -> None:
    first = one_euro(None, np.array([0.0]), 0.0, 1.0)
    near, far = (one_euro(first, np.array([0.001]), 1 / 30, size).value[0] for size in (1.0, 0.1))
    assert near < far < 0.001


@pytest.mark.parametrize("time", [-1.0, 0.0, STALE_SECONDS + 0.1])
def test_a_jump_in_time_begins_anew(time: float) -> None:
    moved = one_euro(follow([0.5]), np.array([0.9]), time, 1.0)
    assert moved.value[0] == 0.9
    assert moved.speed[0] == 0.0


def test_landmarks_lag_by_pictures_whatever_the_cameras_rate() -> None:
    values = [0.0, 0.001, 0.002, 0.003]
    assert follow(values, 1 / 30).value == follow(values, 1 / 15).value


def test_each_value_may_be_smoothed_by_itself() -> None:
    cutoff, first = Cutoff(np.array([0.05, 0.01]), np.array([80.0, 10.0])), np.zeros(2)
    body, place = one_euro(one_euro(None, first, 0.0, 1.0), first + 0.01, 0.03, 1.0, cutoff).value
    assert 0 < place < body < 0.01
