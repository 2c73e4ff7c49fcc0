"""The offline road from landmarks to glosses."""

from pathlib import Path

import numpy as np
import pytest

from shared.bundles import Registry
from shared.bundles.manifest import Streaming
from shared.landmarks import LEFT_HAND, ROWS
from training import recipe
from training.clips import Take, Track, landmark_take
from training.streaming import Sighting, perturbed, run_rule, sightings, stretches, worst_disagreement
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch
from workers.recognizers.graphs import Recognizer


def track() -> Track:
    return Track(np.arange(60) / 15, np.random.default_rng(0).random((60, ROWS, 3)).astype(np.float32), 4 / 3)


def test_a_track_gives_windows_to_its_end() -> None:
    windows = stretches(track(), WindowSpec(recipe.FPS, recipe.WINDOW, recipe.STRIDE, recipe.ROWS))
    assert (windows[0].start + windows[0].end) / 2 == pytest.approx(0)
    assert (windows[-1].start + windows[-1].end) / 2 >= 59 / 15 - 1 / recipe.FPS


def test_answers_become_the_rules_final_glosses() -> None:
    empty = np.zeros((1, 1, 3), np.float32)
    windows = [Stretch(k, 0.16 * k - 0.8, 0.16 * k + 0.8, empty) for k in range(12)]
    answers = [[("hello", 0.9 if 3 <= k < 9 else 0.0), ("idle", 0.1)] for k in range(12)]
    (found,) = run_rule(windows, answers, Streaming.model_validate(recipe.STREAMING), frozenset({"idle"}))
    assert (found.gloss, found.confidence) == ("hello", 0.9)


def test_a_perturbed_track_is_later_noisier_and_has_lost_frames() -> None:
    before = track()
    made = perturbed(before, np.random.default_rng(5))
    assert 45 <= len(made.times) < 60
    assert (np.diff(made.times) >= 0).all()
    assert made.times[0] > 0
    assert np.isnan(made.frames[:, LEFT_HAND.start]).any()
    assert np.array_equal(before.frames, track().frames)


def test_one_constant_shift_is_no_disagreement() -> None:
    reference = [Sighting("hello", 1.0, 2.0, 0.9), Sighting("hello", 4.0, 5.0, 0.9)]
    later = [Sighting("hello", 3.5, 4.5, 0.9), Sighting("hello", 6.5, 7.5, 0.9)]
    assert worst_disagreement(reference, later) == 0
    stretched = [Sighting("hello", 3.5, 4.5, 0.9), Sighting("hello", 6.5, 7.7, 0.9)]
    assert worst_disagreement(reference, stretched) == pytest.approx(0.1)


def test_other_glosses_disagree_without_bound() -> None:
    one = [Sighting("hello", 1.0, 2.0, 0.9)]
    assert worst_disagreement(one, [*one, *one]) == float("inf")
    assert worst_disagreement([], []) == float("inf")


@pytest.mark.data
def test_hello_twice_by_an_unseen_signer_is_hello_hello_and_nothing_else(data_path: Path) -> None:
    recognizer = Recognizer(Registry().find("asl-words"))
    video = data_path / "videos" / "asl_hello_x2.mp4"
    plain = sightings(recognizer, landmark_take(video, Take()))
    assert [sighting.gloss for sighting in plain] == ["hello", "hello"]
    take = Take(fps=20, phase=0.031, still_before=1, still_after=1, height=360, codec="jpeg:60")
    other = sightings(recognizer, landmark_take(video, take))
    assert worst_disagreement(plain, other) < 0.25


@pytest.mark.data
@pytest.mark.parametrize("clip", ["slovo_f17a6060", "msl150_ambulancia", "msl150_doctor"])
def test_signs_of_another_language_bring_at_most_one_gloss(data_path: Path, clip: str) -> None:
    recognizer = Recognizer(Registry().find("asl-words"))
    assert len(sightings(recognizer, landmark_take(data_path / "videos" / f"{clip}.mp4", Take()))) <= 1
