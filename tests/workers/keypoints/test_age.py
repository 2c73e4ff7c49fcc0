"""A worker that shall be replaced."""

import pytest

from workers.keypoints import age
from workers.keypoints.age import Age


def test_without_a_limit_a_worker_lives_for_ever() -> None:
    endless = Age(0, 0)
    assert not endless.is_due(busy=False)
    assert not endless.is_over


@pytest.mark.parametrize("limits", [(1e-15, 0), (0, 1)])
def test_past_its_limit_it_waits_for_its_sessions_and_no_longer_than_a_while(
    limits: tuple[float, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Age(*limits)
    assert not worker.is_due(busy=True)
    assert worker.is_over, "it takes nothing on"
    assert worker.is_due(busy=False)
    monkeypatch.setattr(age, "WAIT_SECONDS", 0.0)
    assert worker.is_due(busy=True)


def test_below_its_limit_it_goes_on() -> None:
    worker = Age(1.0, 100_000)
    assert not worker.is_due(busy=False)
    assert not worker.is_over
