"""The search for the knee."""

import dataclasses

import pytest

from loadtests.steps import Bounds, Plan, Step, knee, next_users, overloaded, table

BOUNDS = Bounds()
GOOD = Step(2, 500.0, 60.0, 100, 0, 0.0, 5.0)


def found(carried: int, plan: Plan, hiccup_at: int = 0) -> tuple[int, list[int]]:
    """The knee of a system that carries so many, and what was tried."""
    steps: list[Step] = []
    while (users := next_users(steps, plan, BOUNDS)) is not None:
        paused = users == hiccup_at and users not in [step.users for step in steps]
        late = 5.0 if users > carried or paused else 1.0
        steps.append(dataclasses.replace(GOOD, users=users, final_ms=GOOD.final_ms * late))
        assert len(steps) < 60
    return knee(steps, BOUNDS), [step.users for step in steps]


@pytest.mark.parametrize("carried", [2, 3, 7, 8, 21, 62])
def test_the_knee_is_found_to_the_user(carried: int) -> None:
    assert found(carried, Plan(2, 4, 64))[0] == carried


def test_a_pause_of_another_is_tried_again_and_is_no_knee() -> None:
    carried, tried = found(20, Plan(2, 4, 64), hiccup_at=10)
    assert carried == 20
    assert tried.count(10) == 2


def test_without_a_knee_the_search_ends_at_the_most() -> None:
    assert found(1000, Plan(2, 4, 20)) == (18, [2, 6, 10, 14, 18])


def test_refusals_drops_age_and_late_frames_are_all_overload() -> None:
    assert overloaded(GOOD, GOOD, BOUNDS) == ""
    for changed, why in (
        ({"failed": 2}, "2 of 100 failed"),
        ({"dropped_per_mille": 30.0}, "30 of 1000"),
        ({"frame_age_ms": 300.0}, "landmarks after 300 ms"),
        ({"late_ms": 200.0}, "does not carry the load test"),
    ):
        assert why in overloaded(dataclasses.replace(GOOD, **changed), GOOD, BOUNDS)


def test_a_step_takes_the_95th_percentile_of_what_was_measured() -> None:
    step = Step.of(4, {"final": [100.0] * 94 + [900.0] * 6, "dropped": [0.0, 0.0, 1000.0]}, 10, 1)
    assert (step.final_ms, step.frame_age_ms, step.dropped_per_mille) == (900.0, 0.0, 0.0)
    assert "knee: 0 users" in table([step], BOUNDS), "one of ten failed"
