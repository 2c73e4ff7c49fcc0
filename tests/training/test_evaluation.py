"""What a report counts: partials taken back, the clock, and the shipped words read as streams."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp")
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from gateway.results.isolated import GlossDraft
from shared.bundles import load_bundle
from shared.bundles.registry import SHIPPED
from training import bundle_report, samples
from training.clips import Track
from training.evaluation import evaluate, resampled, taken_back


def told(*said: str) -> list[GlossDraft]:
    return [
        GlossDraft("final" if word.endswith(".") else "partial", word.rstrip("."), 1.0, 0, 1, [], 0, 0, 0, 0)
        for word in said
    ]


@pytest.mark.parametrize(
    ("drafts", "count"),
    [
        (("a", "a", "a."), 0),
        (("a", "b", "b."), 1),
        (("a.", "b"), 1),
        (("a", "b", "c.", "d"), 3),
        ((), 0),
    ],
)
def test_a_partial_that_no_final_follows_was_taken_back(drafts: tuple[str, ...], count: int) -> None:
    assert taken_back(told(*drafts)) == count


def test_a_clip_is_put_on_the_models_clock() -> None:
    frames = np.arange(5, dtype=np.float32)[:, None, None].repeat(543, 1).repeat(3, 2)
    frames[2, 7] = np.nan
    points = resampled(Track(np.arange(5) / 10, frames, 1.0), [7, 8], 20)
    assert np.allclose(points[:, 1, 0], np.arange(9) / 2)
    assert np.isnan(points[4, 0]).all()
    assert points[5, 0, 0] == 3


@pytest.mark.data
def test_the_shipped_words_are_reported_with_every_figure(tmp_path: Path, data_path: Path) -> None:
    found = evaluate(load_bundle(SHIPPED / "asl-words"), samples.words(data_path, 1), lambda _: None)
    assert found.whole is not None
    assert found.stream is not None
    assert found.whole.top1 > 0.8
    assert found.robust["right hand hidden"] < found.robust["as it is"]
    assert found.parts["face"] == 0  # it does not look at the face
    text = bundle_report.write_report([found], tmp_path, {"processor": "x", "cores": 1}).read_text("utf-8")
    assert "LEARNED FROM" in text
    assert (tmp_path / "asl-words-confusion.png").is_file()


def test_clips_with_other_labels_are_refused() -> None:
    track = Track(np.zeros(1), np.zeros((1, 543, 3), np.float32), 1.0)
    chosen = samples.Samples("other", "made up", (samples.Sample(track, ("xylophone",)),))
    with pytest.raises(ValueError, match="no clip with labels of asl-words"):
        evaluate(load_bundle(SHIPPED / "asl-words"), chosen, print)
