"""Synthetic streams and their labels."""

import numpy as np
import pytest

from tests.training.conftest import clip_of
from training import recipe
from training.augment import _filled, augmented
from training.pieces import HANDS, WRISTS
from training.recordings import LEFT, RIGHT, Clip, Recordings
from training.streams import IGNORED, Streams, _alone, _broken, _of_word


def streams(recordings: Recordings, seed: int = 1) -> Streams:
    return Streams(recordings, np.random.default_rng(seed))


def test_a_batch_has_a_label_for_the_middle_of_every_window(recordings: Recordings) -> None:
    clips, labels, words = streams(recordings).batch(7)
    assert clips.shape == (7, recipe.STREAM + recipe.WINDOW - 1, len(recipe.ROWS), 3)
    assert labels.shape == words.shape == (7, recipe.STREAM)
    assert clips.dtype == np.float32


def test_the_same_seed_draws_the_same_streams(recordings: Recordings) -> None:
    a, b, other = (streams(recordings, seed).batch(3) for seed in (1, 1, 2))
    assert np.array_equal(a[0], b[0], equal_nan=True)
    assert np.array_equal(a[1], b[1])
    assert not np.array_equal(a[1], other[1])


def test_streams_hold_words_rest_and_what_is_no_word(recordings: Recordings) -> None:
    _, labels, _ = streams(recordings).batch(60)
    found = {recipe.LABELS[i] for i in np.unique(labels) if i != IGNORED}
    assert found == {"idle", "unknown", "hello", "please"}


def test_plain_streams_sign_words_as_they_are_recorded(
    recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []

    def as_told(clip: Clip, word: str, rng: np.random.Generator) -> Clip:
        signed.append(word)
        return clip

    monkeypatch.setattr("training.streams.another_sitting", as_told)
    plain = Streams(recordings, np.random.default_rng(1), plain=True)
    plain.batch(10)
    assert signed == []
    streams(recordings).batch(10)
    assert set(signed) == {"hello", "please"}
    _, labels, _ = plain.batch(60)
    found = {recipe.LABELS[i] for i in np.unique(labels) if i != IGNORED}
    assert found == {"idle", "unknown", "hello", "please"}


def test_single_windows_show_one_recording_each(recordings: Recordings) -> None:
    clips, labels = streams(recordings).windows(80)
    assert clips.shape == (80, recipe.WINDOW, len(recipe.ROWS), 3)
    assert clips.dtype == np.float32
    found = {recipe.LABELS[i] for i in labels}
    assert found <= {"idle", "unknown", "hello", "please"}
    assert found >= {"hello", "please"}


def test_a_word_counts_only_from_the_inset_on() -> None:
    piece = _of_word(clip_of(0.8, -0.8, 0), 5)
    inset = recipe.INSET_SAMPLES
    assert piece.labels.tolist() == [0] * (inset - 1) + [IGNORED] + [5] * (19 - 2 * inset) + [IGNORED] + [
        0
    ] * (inset - 1)


def test_a_recording_tells_its_word_at_its_ends_too() -> None:
    piece = _of_word(clip_of(0.8, -0.8, 0), 5)
    assert piece.words.tolist() == [IGNORED] + [3] * 17 + [IGNORED]
    assert set(_broken(clip_of(0.8, -0.8, 0)).words) == {IGNORED}


def test_a_window_of_its_own_counts_at_its_middle_only() -> None:
    rng, clip = np.random.default_rng(0), clip_of(0.8, -0.8, 0)
    for samples in (15, 21):
        alone = _alone(_of_word(clip[:samples], 5), rng)
        assert len(alone.clip) == recipe.WINDOW
        assert np.array_equal(alone.clip[[0, -1]], clip[:samples][[0, -1]], equal_nan=True)
        assert np.flatnonzero(alone.labels != IGNORED).tolist() == [9, 10, 11]
        assert set(alone.labels[9:12]) == {5}


def test_wherever_a_label_is_a_word_the_recording_is_of_that_word(recordings: Recordings) -> None:
    _, labels, words = streams(recordings).batch(60)
    signed = labels >= len(recipe.BACKGROUND_IDS)
    assert np.array_equal(words[signed], labels[signed] - len(recipe.BACKGROUND_IDS))
    assert (words[labels == recipe.LABELS.index("unknown")] == IGNORED).all()
    assert (words != IGNORED).sum() > signed.sum()


def test_of_a_broken_clip_only_the_middle_is_surely_unknown() -> None:
    labels = _broken(clip_of(0.8, -0.8, 0)).labels
    unknown = recipe.LABELS.index("unknown")
    assert set(labels[:6]) == set(labels[-6:]) == {IGNORED}
    assert set(labels[7:12]) == {unknown}


def test_the_bodys_landmarks_are_always_there(recordings: Recordings) -> None:
    clips, _, _ = streams(recordings).batch(20)
    assert np.isfinite(clips[:, :, : HANDS[0].start]).all()
    assert np.abs(np.nan_to_num(clips)).max() < 6


def test_augmented_streams_change_and_stay_in_bounds(recordings: Recordings) -> None:
    clips, _, _ = streams(recordings).batch(40)
    before = clips.copy()
    made = augmented(clips, np.random.default_rng(0))
    assert np.array_equal(clips, before, equal_nan=True)
    assert made.shape == clips.shape
    lost = np.isnan(made[:, :, : HANDS[0].start]).any(axis=(2, 3))
    assert 0 < lost.mean() < 0.02, "a long gap leaves a sample or two without anybody"
    width = made[:, 0, LEFT, 0] - made[:, 0, RIGHT, 0]
    assert (width > 0.1).all(), "the left shoulder stays left, mirrored or not"
    assert np.isnan(made[:, :, HANDS[1].start, 0]).sum() > np.isnan(clips[:, :, HANDS[1].start, 0]).sum()


def test_some_streams_are_mirrored_with_hands_changing_sides() -> None:
    clip = clip_of(-0.6, -0.5, 0)[None].repeat(200, 0)
    made = augmented(clip, np.random.default_rng(0))
    left = np.isfinite(made[:, :, HANDS[0].start, 0]).any(axis=1)
    right = np.isfinite(made[:, :, HANDS[1].start, 0]).any(axis=1)
    assert 20 < left.sum() < 90
    assert (left != right).all(), "one hand remains one hand"
    middle = (made[:, 0, LEFT, 0] + made[:, 0, RIGHT, 0]) / 2
    assert (made[left, -1, WRISTS[0], 0] > middle[left]).all(), "outward is the other way"


def test_recordings_of_one_word_make_no_streams(recordings: Recordings) -> None:
    with pytest.raises(ValueError, match="at least two words"):
        streams(recordings.part(recordings.labels == recordings.labels[0]))


def test_a_short_gap_is_filled_by_a_straight_line_and_a_long_one_from_its_edges() -> None:
    a, b = np.zeros((1, 3), np.float32), np.full((1, 3), 3, np.float32)
    assert _filled(a, b, 3)[:, 0, 0].tolist() == [1, 2]
    long = _filled(a, b, 5)[:, 0, 0]
    assert (long[0], long[-1]) == (0, 3)
    assert np.isnan(long[1:-1]).all()


def test_a_landmark_that_one_edge_of_a_gap_misses_comes_from_the_other() -> None:
    a, b = np.full((1, 3), np.nan, np.float32), np.full((1, 3), 3, np.float32)
    assert _filled(a, b, 2)[:, 0, 0].tolist() == [3]
