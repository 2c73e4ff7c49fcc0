"""Minutes without a sign."""

import numpy as np
import pytest

from training import recipe
from training.pieces import HANDS
from training.quiet import Quiet
from training.recordings import Recordings


def test_a_minute_is_long_enough_moves_and_hands_come_and_go(recordings: Recordings) -> None:
    idle = Recordings(recordings.clips, np.zeros_like(recordings.labels), recordings.blocks)
    clip = Quiet(idle).draw(60, np.random.default_rng(0))
    assert clip.shape == (int(60 * recipe.FPS), len(recipe.ROWS), 3)
    seen = np.isfinite(clip[:, HANDS[1].start, 0])
    assert 0.1 < seen.mean() < 0.95
    assert np.abs(np.diff(clip[:, 0, 0])).max() < 1
    assert np.array_equal(clip, Quiet(idle).draw(60, np.random.default_rng(0)), equal_nan=True)


def test_without_an_idle_hand_there_is_nothing_to_join(recordings: Recordings) -> None:
    with pytest.raises(ValueError, match="need idle clips"):
        Quiet(recordings)
