"""`signstream train asl-words`, up to where real training begins."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from training.cli import commands


def test_help_names_the_model() -> None:
    result = CliRunner().invoke(commands, ["--help"])
    assert result.exit_code == 0
    assert "asl-words" in result.output


def test_without_recordings_it_says_where_it_looked_and_writes_nothing(tmp_path: Path) -> None:
    pytest.importorskip(
        "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
    )
    out = tmp_path / "out"
    result = CliRunner().invoke(commands, ["asl-words", "--data", str(tmp_path), "--out", str(out)])
    assert result.exit_code == 1
    assert "no recordings at" in result.output
    assert not out.exists()


def test_keeping_weights_without_measuring_is_refused(tmp_path: Path) -> None:
    pytest.importorskip(
        "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
    )
    result = CliRunner().invoke(commands, ["asl-words", "--keep-weights"])
    assert result.exit_code == 2


def test_an_extractor_there_is_not_is_refused() -> None:
    pytest.importorskip(
        "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
    )
    result = CliRunner().invoke(commands, ["takes", "--extractor", "openpose"])
    assert result.exit_code == 2
    assert "there are mediapipe and tracker" in result.output


def test_statistics_are_written_and_a_bad_file_is_named(tmp_path: Path) -> None:
    place = tmp_path / "a-b"
    place.mkdir()
    np.save(place / "a-b_1.npy", np.random.default_rng(0).random((4, 543, 3)))
    (tmp_path / "char_map.json").write_text('{"a": 0, "b": 1}')
    out = tmp_path / "stats.npz"
    options = [
        str(tmp_path),
        "--form",
        "lzv",
        "--char-map",
        str(tmp_path / "char_map.json"),
        "--out",
        str(out),
    ]
    result = CliRunner().invoke(commands, ["statistics", *options])
    assert result.exit_code == 0, result.output
    with np.load(out) as written:
        assert written["mean"].shape == written["std"].shape == (543, 3)
    np.save(place / "a-b_2.npy", np.zeros((4, 75, 3)))
    result = CliRunner().invoke(commands, ["statistics", *options])
    assert result.exit_code == 1
    assert "a-b_2.npy" in result.output.replace("\n", "")
    assert "expected [frames, 543, 3]" in result.output.replace("\n", " ")


def test_more_records_of_trainings_than_bundles_are_refused(tmp_path: Path) -> None:
    pytest.importorskip(
        "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
    )
    records = ["--experiment", str(tmp_path / "one.json"), "--experiment", str(tmp_path / "two.json")]
    result = CliRunner().invoke(commands, ["report", str(tmp_path), *records])
    assert result.exit_code == 2
    assert "2 experiments for 1 bundles" in result.output
