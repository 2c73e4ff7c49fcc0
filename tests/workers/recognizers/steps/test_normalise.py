"""Statistics come from `.npz` or `.json`, and are applied to what they are of."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from shared.bundles.manifest import Step
from workers.recognizers.pipeline import Pipeline
from workers.recognizers.steps import Stats, StatsError

ROWS = (1, 3)


def standard(stats: Stats, **fields: object) -> Pipeline:
    table = {"name": "standardise", "mean": "mean", "std": "std", "epsilon": 0.0, **fields}
    return Pipeline([Step.model_validate(table)], ROWS, stats=stats)


def of(mean: object, std: object, layout_rows: int = 4) -> Stats:
    return Stats({"mean": np.array(mean, np.float32), "std": np.array(std, np.float32)}, layout_rows)


POINTS = np.array([[[1, 2, 3], [0, 5, 6]]], np.float32)


def test_statistics_of_a_layout_are_taken_by_row_number_others_by_place() -> None:
    by_row = of(np.arange(12).reshape(4, 3), np.ones((4, 3)))
    assert standard(by_row)(POINTS, 1.0).tolist() == [[[-2, -2, -2], [-9, -5, -5]]]
    by_place = of([[1, 1, 1], [0, 0, 0]], [[2, 2, 2], [1, 1, 1]])
    assert standard(by_place)(POINTS, 1.0).tolist() == [[[0, 0.5, 1], [0, 5, 6]]]


def test_statistics_saved_as_a_batch_of_one_are_those_of_the_one() -> None:
    mean, std = [[1, 1, 1], [0, 0, 0]], [[2, 2, 2], [1, 1, 1]]
    alone = standard(of(mean, std))(POINTS, 1.0)
    assert (standard(of([mean], [[std]]))(POINTS, 1.0) == alone).all()


def test_statistics_of_two_coordinates_leave_depth_as_it_is() -> None:
    assert standard(of([[1, 1], [0, 0]], [[1, 1], [1, 1]]))(POINTS, 1.0)[0, 0].tolist() == [0, 1, 3]


def test_a_missing_zero_stays_zero_only_where_the_model_wants_it() -> None:
    stats = of([[1, 1, 1], [1, 1, 1]], [[1, 1, 1], [1, 1, 1]])
    assert standard(stats)(POINTS, 1.0)[0, 1, 0] == -1
    assert standard(stats, keep_zero=True)(POINTS, 1.0)[0, 1, 0] == 0


def test_one_part_may_be_standardised_by_itself_and_bounded() -> None:
    stats = of([[0, 0, 0]], [[0.1, 0.1, 0.1]])
    assert standard(stats, rows=[3], limit=5.0)(POINTS, 1.0).tolist() == [[[1, 2, 3], [0, 5, 5]]]


def test_two_stages_folded_into_one_give_the_same() -> None:
    rng = np.random.default_rng(1)
    m1, s1, m2, s2 = rng.random((4, 2, 3)).astype(np.float32) + 0.1
    two = (((POINTS - m1) / (s1 + 1e-8)) - m2) / (s2 + 1e-6)
    folded = of(m1 + (s1 + 1e-8) * m2, (s1 + 1e-8) * (s2 + 1e-6))
    np.testing.assert_allclose(standard(folded)(POINTS, 1.0), two, rtol=1e-4)


def test_both_kinds_of_file_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", mean=np.ones((2, 3)))
    (tmp_path / "a.json").write_text(json.dumps({"mean": [[1.0, 1, 1], [1, 1, 1]]}), "utf-8")
    for name in ("a.npz", "a.json"):
        assert Stats.read(tmp_path / name).of("mean", ROWS).tolist() == [[1, 1, 1]] * 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pkl", pickle.dumps({"mean": 1}), r"is '\.pkl', expected \.npz or \.json"),
        ("a.npz", pickle.dumps({"mean": 1}), r"cannot be read"),
        ("a.npz", b"PK\x03\x04 cut off", r"cannot be read"),
        ("a.json", b"[1, 2]", r"cannot be read"),
        ("a.json", b'{"mean": "x"}', r"cannot be read"),
        ("a.json", b'{"mean": [[1, 2], [3]]}', r"cannot be read"),
        ("a.json", b'{"mean": [NaN]}', r"mean has numbers that are not finite"),
        ("a.json", b"\xff", r"cannot be read"),
    ],
)
def test_what_is_no_statistics_file_is_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StatsError, match=says):
        Stats.read(tmp_path / name)


@pytest.mark.parametrize(
    ("stats", "says"),
    [
        (Stats({}, 4), r"no array 'mean'"),
        (of(np.ones((3, 3)), np.ones((3, 3))), r"'mean' is \[3, 3\], expected \[2 or 4, coordinates\]"),
        (of(np.ones((2, 3)), np.ones((2, 2))), r"they do not fit"),
    ],
)
def test_statistics_of_something_else_are_refused(stats: Stats, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        standard(stats)
