"""Sentences joined from made-up clips of two words."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp")

from training import recipe
from training.batches import IGNORED
from training.recordings import Recordings
from training.sentences import WORDS, Sentences
from training.sittings import another_sitting


def test_a_sentence_has_three_to_eight_words_in_its_streams_order(recordings: Recordings) -> None:
    sentences = Sentences(recordings)
    for seed in range(15):
        stream = sentences.draw(np.random.default_rng(seed))
        assert 3 <= len(stream.labels) <= 8
        assert {WORDS[label - 1] for label in stream.labels} <= {"hello", "please"}
        assert stream.landmarks.shape == (len(stream.spoken), len(recipe.ROWS), 3)
        runs = [
            label
            for n, label in enumerate(stream.spoken)
            if label not in (0, IGNORED) and (n == 0 or stream.spoken[n - 1] != label)
        ]
        assert runs == list(stream.labels)


def test_a_sentence_begins_and_ends_at_rest(recordings: Recordings) -> None:
    stream = Sentences(recordings).draw(np.random.default_rng(1))
    hands = stream.landmarks[:, -42:, 0]
    assert np.isnan(hands[[0, -1]]).all()
    assert (stream.spoken[[0, -1]] == 0).all()


def test_one_word_is_not_enough(recordings: Recordings) -> None:
    hello = recordings.part(recordings.labels == recipe.LABELS.index("hello"))
    with pytest.raises(ValueError, match="at least two words"):
        Sentences(hello)


def test_other_sittings_sign_a_word_differently_and_keep_its_body(recordings: Recordings) -> None:
    """`no` may go back the way it came, `hello` never: that would be no word."""
    clip = recordings.clips[int(np.flatnonzero(recordings.labels >= len(recipe.BACKGROUND_IDS))[0])]
    rng = np.random.default_rng(4)
    once = [another_sitting(clip, "hello", rng) for _ in range(40)]
    again = [another_sitting(clip, "no", rng) for _ in range(40)]
    assert all(len(made) == len(clip) for made in once)
    assert any(len(made) != len(clip) for made in again)
    assert any(not np.array_equal(made, clip, equal_nan=True) for made in once)
    assert all(made.dtype == np.float32 for made in [*once, *again])
