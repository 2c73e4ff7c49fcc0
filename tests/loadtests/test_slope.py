"""A leak is found, noise and saw-teeth are not."""

import math
import random
from collections.abc import Callable

import pytest

from loadtests.slope import is_flat, slope

MINUTES = 24
TIMES = [5.0 * n for n in range(MINUTES * 12)]
MOST = 4.0
"""MiB an hour."""


def series(shape: Callable[[float], float], noise: float, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [200.0 + shape(at) + chance.gauss(0.0, noise) for at in TIMES]


def saw(at: float) -> float:
    """Up by 20 MiB in three minutes, then given back."""
    return 20.0 * (at % 180.0) / 180.0


def flat(shape: Callable[[float], float], noise: float, seed: int) -> bool:
    return is_flat(slope(TIMES, series(shape, noise, seed)), MOST)


@pytest.mark.parametrize("seed", range(20))
def test_a_small_leak_is_found_in_noise(seed: int) -> None:
    assert not flat(lambda at: 8.0 * at / 3600, 0.5, seed), "3.2 MiB over the soak, 8 an hour"


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_is_found_under_a_saw(seed: int) -> None:
    assert not flat(lambda at: saw(at) + 60.0 * at / 3600, 1.0, seed)


def test_noise_is_flat_in_all_but_few_cases() -> None:
    assert sum(flat(lambda _: 0.0, 3.0, seed) for seed in range(200)) >= 194


@pytest.mark.parametrize("period", [37.0, 180.0, 400.0])
def test_a_saw_is_flat(period: float) -> None:
    assert all(flat(lambda at: saw(at * 180.0 / period), 1.0, seed) for seed in range(20))


def test_slow_waves_are_flat() -> None:
    assert all(flat(lambda at: 5.0 * math.sin(at / 60.0), 0.5, seed) for seed in range(20))


def test_a_few_outliers_move_nothing() -> None:
    values = series(lambda _: 0.0, 0.2, 1)
    values[-5:] = [400.0] * 5
    values[20] = 900.0
    assert is_flat(slope(TIMES, values), MOST)


def test_what_falls_is_flat_and_what_nobody_minds_is_too() -> None:
    assert flat(lambda at: -60.0 * at / 3600, 0.1, 1)
    assert flat(lambda at: 3.0 * at / 3600, 0.01, 1)


def test_counts_that_never_move_are_flat_and_ones_that_leak_are_not() -> None:
    assert is_flat(slope(TIMES, [9.0] * len(TIMES)), 2.0)
    assert not is_flat(slope(TIMES, [9.0 + at // 300 for at in TIMES]), 2.0), "one in five minutes"


def test_the_line_says_what_it_rises_by() -> None:
    found = slope(TIMES, [100.0 + at / 60 for at in TIMES])
    assert found.per_hour == pytest.approx(60.0)
    assert found.end - found.begin == pytest.approx(found.rise)
    assert found.error == pytest.approx(0.0, abs=1e-9)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 4 points"):
        slope([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
