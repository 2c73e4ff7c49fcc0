"""What windows cost: nothing where the graph answers sample by sample, and never silently."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from shared.bundles.manifest import Length
from shared.landmarks import ROWS
from tests.workers.recognizers.spelling import FPS, samples_of, spelled
from training.clips import Track
from training.streaming_cost import as_fixed, as_whole, cost_of, whole_samples
from training.streaming_cost_job import Row
from workers.keypoints.spec import WindowSpec


def track(text: str) -> Track:
    frames = np.full((len(text), ROWS, 3), np.nan, np.float32)
    frames[:, [0, 1]] = samples_of(text)
    return Track(np.arange(len(text)) / FPS, frames, 1.0)


def test_the_same_recordings_are_read_both_ways(tmp_path: Path) -> None:
    bundle = spelled(tmp_path, window=17, stride=4, free=True)
    texts = ["--aaa--b-b---cc", "e", "-d--ddd------------------a", "abcde" * 6]
    recordings = [(track(text), ["a", "b", "b", "c"]) for text in texts]
    cost = cost_of(bundle, recordings)
    assert (cost.whole, cost.differing, cost.points) == (cost.tiled, 0, 0.0)
    assert cost.whole.right == 1
    assert 0 < max(cost.delays) <= cost.bound
    figures = Row("spelled", cost, "all").figures()
    assert (figures["ratio"], figures["cost_points"], figures["recordings"]) == (1.0, 0.0, 4)


def test_what_is_too_unlikely_to_be_told_is_left_out_of_the_whole_too(tmp_path: Path) -> None:
    bundle = spelled(tmp_path, window=17, stride=4, free=True)
    ctc = bundle.manifest.ctc
    assert ctc is not None
    deaf = bundle.manifest.model_copy(update={"ctc": ctc.model_copy(update={"threshold": 1.0})})
    cost = cost_of(dataclasses.replace(bundle, manifest=deaf), [(track("--aaa--b"), ["a", "b"])])
    assert (cost.whole.errors, cost.tiled.errors) == (2, 2)


def test_windows_of_one_length_read_the_same_where_nothing_is_signed_at_both_ends(tmp_path: Path) -> None:
    bundle = spelled(tmp_path, window=17, stride=4, free=True)
    assert WindowSpec.of(as_fixed(bundle)).ahead is None
    cost = cost_of(as_fixed(bundle), [(track("----aaa--b-b---c----"), ["a", "b", "b", "c"])])
    assert (cost.whole.errors, cost.tiled.errors) == (0, 0)


@pytest.mark.parametrize("free", [True, False])
def test_the_whole_is_what_windows_are_cut_from_without_what_is_held(tmp_path: Path, free: bool) -> None:
    spec = WindowSpec.of(spelled(tmp_path, window=9, stride=3, free=free))
    assert np.array_equal(whole_samples(track("-ab--c---de"), spec), samples_of("-ab--c---de"))


def test_a_model_that_resamples_its_windows_cannot_be_compared(tmp_path: Path) -> None:
    bundle = spelled(tmp_path)
    length = Length(policy="uniform", samples=8)
    resampling = bundle.manifest.input.model_copy(update={"length": length})
    manifest = bundle.manifest.model_copy(update={"input": resampling})
    with pytest.raises(ValueError, match="resamples windows to 8 samples"):
        as_whole(dataclasses.replace(bundle, manifest=manifest), 1, 20)
