"""Lines through measurements."""

import pytest

from deploy.bench.fits import fit
from deploy.bench.linear import lines_of, sizes, verdict


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


def test_sizes_lie_evenly_from_one_to_the_most() -> None:
    assert sizes(10) == [1, 4, 7, 10]
    assert sizes(2) == [1, 2]
    assert sizes(1) == [1]


def test_a_fixed_cost_is_told_apart_from_what_grows() -> None:
    counts = [1, 3, 5]
    cpu = [{"gateway": 0.1, "keypoints": 0.2 * n, "recognizers": 0.01 * n, "redis": 0.01 * n} for n in counts]
    rows = lines_of(1, counts, cpu)
    assert [row["mode"].split(": ")[1] for row in rows] == [
        "gateway",
        "keypoints",
        "recognizers",
        "redis",
        "all",
    ]
    assert rows[-1]["before_any_session_ms"] == pytest.approx(100)
    assert rows[-1]["a_session_ms"] == pytest.approx(220)
    (told,) = verdict(rows)
    assert "(not met)" in told
    assert "one line (met)" in told
