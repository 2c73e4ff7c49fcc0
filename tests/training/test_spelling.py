"""Streams joined from letters."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp")

from training.batches import IGNORED
from training.datasets.letters import LETTERS, Letters
from training.spelling import Spelling, plain, varied

NAMES = ("a", "b", "space", "z", "-")


def letters() -> Letters:
    rng = np.random.default_rng(0)
    clips = []
    for _ in NAMES:
        clip = np.full((19, 42, 3), np.nan, np.float32)
        shape = rng.normal(0, 0.1, (21, 3))
        clip[:, 21:] = shape + np.linspace(0, 0.2, 19)[:, None, None] + 0.5
        clips.append(clip)
    return Letters(clips, NAMES, (0,) * len(NAMES))


def test_a_stream_spells_its_labels_in_their_order() -> None:
    spelling = Spelling(letters())
    for seed in range(20):
        stream = spelling.draw(np.random.default_rng(seed))
        assert len(stream.landmarks) == len(stream.spoken)
        assert 3 <= len(stream.labels) <= 9
        assert {LETTERS[label - 1] for label in stream.labels} <= {"a", "b", "space", "z"}
        told = [label for label in stream.spoken if label not in (0, IGNORED)]
        merged = [label for n, label in enumerate(told) if n == 0 or label != told[n - 1]]
        single = [label for n, label in enumerate(stream.labels) if n == 0 or label != stream.labels[n - 1]]
        assert merged == single
        assert LETTERS[stream.labels[0] - 1] != "space"


def test_the_same_generator_gives_the_same_stream_and_another_does_not() -> None:
    spelling = Spelling(letters())
    first, again, other = (spelling.draw(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.landmarks, again.landmarks, equal_nan=True)
    assert first.landmarks.shape != other.landmarks.shape or not np.array_equal(
        first.landmarks, other.landmarks, equal_nan=True
    )


def test_variation_keeps_length_and_loses_no_whole_stream() -> None:
    stream = Spelling(letters()).draw(np.random.default_rng(0))
    for seed in range(10):
        clip = varied(stream, np.random.default_rng(seed))
        assert clip.shape == stream.landmarks.shape
        assert clip.dtype == np.float32
        assert np.isfinite(clip).any()
    assert plain(stream, np.random.default_rng(0)).shape == stream.landmarks.shape


def test_one_letter_is_not_enough() -> None:
    with pytest.raises(ValueError, match="at least two letters"):
        Spelling(Letters([np.ones((19, 42, 3), np.float32)], ("a",), (0,)))
