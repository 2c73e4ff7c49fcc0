"""Lines through measurements."""

import pytest

from deploy.bench.camera_load import Trial
from deploy.bench.fits import fit
from deploy.bench.linear import is_carried, lines_of, rows_of, verdict


def test_a_line_is_found_again() -> None:
    line = fit([1, 10, 100, 1000], [2.5 + 0.5 * n for n in (1, 10, 100, 1000)])
    assert line.intercept == pytest.approx(2.5)
    assert line.slope == pytest.approx(0.5)
    assert line.worst == pytest.approx(0, abs=1e-9)


def test_how_far_off_the_line_a_measurement_is_counts_by_its_share() -> None:
    assert fit([1, 2, 3, 4], [1, 2, 3.6, 4]).worst > 0.1
    assert fit([10], [5]).slope == 0.5


@pytest.mark.parametrize(("x", "y"), [([], []), ([1], [1, 2]), ([1, 2], [0, 1])])
def test_what_cannot_be_measured_is_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        fit(x, y)


COUNTS = [1, 3, 5]
GROWS = [{"gateway": 0.1, "keypoints": 0.2 * n, "recognizers": 0.01 * n, "redis": 0.01 * n} for n in COUNTS]
IDLE = {"gateway": 0.1, "keypoints": 0.0, "recognizers": 0.0, "redis": 0.0}


def test_a_fixed_cost_is_told_apart_from_what_grows() -> None:
    rows = lines_of(1, IDLE, COUNTS, GROWS)
    assert [row["mode"].split(": ")[1] for row in rows] == [
        "gateway",
        "keypoints",
        "recognizers",
        "redis",
        "all",
    ]
    assert rows[-1]["before_any_session_ms"] == rows[-1]["line_begins_at_ms"] == pytest.approx(100)
    assert rows[-1]["a_session_ms"] == pytest.approx(220)
    raw, beyond, line = verdict(rows)
    assert raw.startswith("1 of each, 1 to 5 sessions: CPU a session, all told, within 18.0 %")
    assert raw.endswith("10 % were asked: not met")
    assert beyond.endswith("without one within 0.0 %, 10 % were asked: met")
    assert line.endswith("straight line within 0.0 %, 10 % were asked: met")


def test_what_the_first_session_costs_more_than_the_next_ones_is_not_taken_for_idle() -> None:
    beyond, line = verdict(lines_of(1, dict.fromkeys(IDLE, 0.0), COUNTS, GROWS))[1:]
    assert beyond.endswith("not met")
    assert line.endswith(" met")


def trial(sessions: int, cores: float = 0.2, dropped: int = 0, busy: float = 1.0) -> Trial:
    cpu = dict.fromkeys(IDLE, cores / 4)
    return Trial(sessions, 10.0, 0.0, 10.0, None, [], dropped, cpu, busy, 5.0, 1.0, 0.1, 2.0)


def test_a_size_that_drops_pictures_or_fills_the_machine_is_none_that_is_carried() -> None:
    assert is_carried(trial(2))
    assert not is_carried(trial(2, dropped=3))
    assert not is_carried(trial(2, busy=1000.0))


def test_each_size_is_told_with_and_without_what_idle_processes_cost() -> None:
    rows = rows_of(2, trial(0, 0.1), [trial(1, 0.3), trial(2, 0.5)])
    assert [row["mode"] for row in rows[:2]] == ["2 of each, 1 sessions", "2 of each, 2 sessions"]
    assert [row["cpu_ms_per_session_second"] for row in rows[:2]] == [300.0, 250.0]
    assert [row["beyond_idle_ms"] for row in rows[:2]] == [200.0, 200.0]


def test_two_sizes_say_nothing_of_a_line() -> None:
    (told,) = verdict(lines_of(1, IDLE, COUNTS[:2], GROWS[:2]))
    assert told == "1 of each, 1 to 3 sessions: too few sizes to say whether cost is constant: not met"
