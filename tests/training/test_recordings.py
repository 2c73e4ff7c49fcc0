"""The recordings as training sees them."""

from pathlib import Path

import numpy as np
import pytest

from training import recipe
from training.pieces import HANDS, WRISTS
from training.recordings import LEFT, RIGHT, load_recordings


@pytest.mark.data
def test_every_clip_is_in_the_signers_own_frame(data_path: Path) -> None:
    recordings = load_recordings(data_path)
    assert len(recordings.clips) > 4600
    clips = np.stack(recordings.clips)
    assert clips.shape[1:] == (19, len(recipe.ROWS), 3)
    middle = (clips[:, :, LEFT] + clips[:, :, RIGHT]).mean(axis=1) / 2
    assert np.quantile(np.abs(middle[:, :2]), 0.99) < 0.05
    width = np.linalg.norm((clips[:, :, LEFT] - clips[:, :, RIGHT])[..., :2], axis=-1).mean(axis=1)
    assert np.quantile(np.abs(width - 1), 0.99) < 0.05
    assert (clips[:, :, LEFT, 0] > clips[:, :, RIGHT, 0]).mean() > 0.999, "the picture is not mirrored"


@pytest.mark.data
def test_hello_is_signed_at_the_head_with_the_right_hand_alone(data_path: Path) -> None:
    recordings = load_recordings(data_path)
    clips = np.stack([recordings.clips[i] for i in recordings.of("hello")])
    assert len(clips) == 210
    assert np.isnan(clips[:, :, HANDS[0]]).mean() > 0.99
    assert np.nanmedian(clips[:, :, WRISTS[1], 1]) < -0.6


@pytest.mark.data
def test_letters_that_are_no_word_are_unknown(data_path: Path) -> None:
    recordings = load_recordings(data_path)
    assert len(recordings.of(recipe.UNKNOWN)) == 17 * 45
    assert len(recordings.of(recipe.IDLE)) > 380
    assert set(np.unique(recordings.labels)) == set(range(len(recipe.LABELS)))


def test_without_recordings_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"words_pose_hands_20x258\.npz: set SIGNSTREAM_DATA"):
        load_recordings(tmp_path)
