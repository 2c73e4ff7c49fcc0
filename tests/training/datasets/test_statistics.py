"""Statistics in one pass are those over all frames at once."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.landmark_clip import LandmarkClip
from training.datasets.statistics import statistics_of
from workers.recognizers.steps.normalise import Stats


def clip(landmarks: np.ndarray) -> LandmarkClip:  # type: ignore[type-arg]
    return LandmarkClip(Path("clip.npy"), ("a",), "", landmarks)


def drawn() -> list[LandmarkClip]:
    rng = np.random.default_rng(0)
    clips = [rng.normal(5, 2, (frames, 4, 3)) for frames in (3, 1, 9)]
    clips[0][1, 2] = np.nan
    clips[2][:, 3] = 0
    return [clip(points) for points in clips]


def test_one_pass_gives_mean_and_spread_of_what_was_found() -> None:
    found = statistics_of(drawn(), zero_is_missing=True)
    frames = np.concatenate([c.landmarks for c in drawn()])
    frames[np.isnan(frames) | (frames == 0)] = np.nan
    assert np.allclose(found.mean, np.nanmean(frames, axis=0))
    assert np.allclose(found.std, np.nanstd(frames, axis=0))
    assert (found.count.tolist(), found.clips) == ([13, 13, 12, 4], 3)


def test_zero_is_a_place_where_missing_is_nan() -> None:
    assert statistics_of(drawn(), zero_is_missing=False).count.tolist() == [13, 13, 12, 13]


def test_a_bundle_reads_what_is_written(tmp_path: Path) -> None:
    found = statistics_of(drawn(), zero_is_missing=True)
    found.write(tmp_path / "stats.npz")
    read = Stats.read(tmp_path / "stats.npz", 4)
    assert np.allclose(read.of("std", (0, 1, 2, 3)), found.std, atol=1e-6)


def test_clips_of_other_layouts_and_none_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match=r"clip\.npy: 75 rows a frame, those before have 4"):
        statistics_of([*drawn(), clip(np.ones((2, 75, 3)))], zero_is_missing=True)
    with pytest.raises(ValueError, match="no clip"):
        statistics_of([], zero_is_missing=True)
