"""Sessions that come when they are due."""

import itertools
import random
import statistics

import pytest

from loadtests.arrivals import arrivals


def test_even_arrivals_begin_by_lot_and_keep_their_distance() -> None:
    due = list(itertools.islice(arrivals(10.0, "even", random.Random(1)), 50))
    assert 0 <= due[0] < 10
    assert all(later - earlier == pytest.approx(10.0) for earlier, later in itertools.pairwise(due))


def test_poisson_arrivals_have_the_rate_and_no_memory() -> None:
    due = list(itertools.islice(arrivals(2.0, "poisson", random.Random(1)), 20_000))
    gaps = [later - earlier for earlier, later in itertools.pairwise(due)]
    assert statistics.mean(gaps) == pytest.approx(2.0, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(2.0, rel=0.03)


def test_who_asks_late_gets_the_due_times_of_who_asks_in_time() -> None:
    prompt, slow = (arrivals(1.0, "poisson", random.Random(7)) for _ in range(2))
    assert [next(prompt) for _ in range(5)] == [next(slow) for _ in range(5)]
