"""Smaller copies run in the recognizer, say what they lose, and are refused where that is too much."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp")
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from shared.bundles import load_bundle
from shared.bundles.registry import SHIPPED
from training import samples, variants
from training.cli import commands

pytestmark = pytest.mark.data


@pytest.mark.parametrize(("kind", "share"), [("fp16", 0.56), ("int8", 0.45)])
def test_a_copy_is_smaller_runs_and_says_what_it_loses(
    kind: str, share: float, tmp_path: Path, data_path: Path
) -> None:
    bundle = load_bundle(SHIPPED / "asl-words")
    clips = samples.words(data_path, 2).clips
    made = variants.make(bundle, clips, tmp_path, kind, anyway=True, told=lambda _: None)
    copy = load_bundle(tmp_path / f"asl-words-{kind}")
    assert made.size[1] < share * made.size[0]
    assert abs(made.points) <= 5
    assert f"{made.points:+.2f} points" in copy.card.read_text("utf-8")
    assert copy.labels == bundle.labels
    assert copy.version != bundle.version


def test_one_that_loses_more_than_the_bound_is_refused_and_not_written(
    tmp_path: Path, data_path: Path
) -> None:
    options = ["variants", str(SHIPPED / "asl-words"), "--out", str(tmp_path), "--most", "1"]
    result = CliRunner().invoke(
        commands, [*options, "--kind", "fp16", "--bound", "-101", "--data", str(data_path)]
    )
    assert result.exit_code == 1
    assert "more than -101; not written" in result.output
    assert not list(tmp_path.iterdir())
    result = CliRunner().invoke(commands, [*options, "--kind", "int4"])
    assert result.exit_code == 2
