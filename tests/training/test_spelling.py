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


def test_a_path_begins_where_its_hand_begins_to_move() -> None:
    waiting = letters()
    clip = waiting.clips[NAMES.index("z")]
    shape = clip[:1, 21:]
    way = np.concatenate((np.zeros(9), np.arange(1, 11) * 0.1)).astype(np.float32)
    clip[:, 21:] = shape + way[:, None, None]
    drawn = [Spelling(waiting).draw(np.random.default_rng(seed)) for seed in range(60)]
    label = LETTERS.index("z") + 1
    for stream in drawn:
        if stream.labels.count(label) != 1:
            continue
        place = np.flatnonzero(stream.spoken == label)
        tips = stream.landmarks[place[0] : place[-1] + 1, 29, 0]
        assert np.ptp(tips[np.isfinite(tips)]) > 0.2, "its second half moves"


def test_poses_to_train_on_lie_between_and_beyond_those_recorded() -> None:
    two = letters()
    both = two + Letters([clip + 0 for clip in two.clips], two.names, two.blocks)
    both.clips[len(NAMES)][:, 22:] += 0.1
    shapes = {
        round(float(hand[0, 5, 0] - hand[0, 0, 0]), 4)
        for hand in (Spelling(both, mixed=True)._hand("a", np.random.default_rng(seed)) for seed in range(40))
    }
    assert len(shapes) > 10
    assert len({Spelling(both)._hand("a", np.random.default_rng(seed)).shape for seed in range(5)}) > 1


def test_some_streams_begin_with_seconds_without_a_hand() -> None:
    spelling = Spelling(letters())
    first = [
        int(np.isfinite(spelling.draw(np.random.default_rng(seed)).landmarks[:, 21, 0]).argmax())
        for seed in range(60)
    ]
    assert min(first) >= 1
    assert max(first) > 12
    assert np.median(first) < 10


def test_one_letter_is_not_enough() -> None:
    with pytest.raises(ValueError, match="at least two letters"):
        Spelling(Letters([np.ones((19, 42, 3), np.float32)], ("a",), (0,)))


def test_what_is_measured_has_no_hand_that_was_not_recorded() -> None:
    recorded = letters()
    begun = Spelling(recorded, mixed=True)._begun
    path = np.random.default_rng(0).normal(0, 1, (12, 21, 3)).astype(np.float32)
    assert Spelling(recorded)._begun(path, "z", np.random.default_rng(0)) is path
    assert begun(path, "z", np.random.default_rng(0)) is path, "there is no d it could begin with"


def test_a_z_may_begin_with_the_hand_of_a_d() -> None:
    recorded = letters()
    named = Letters(recorded.clips, ("d", *recorded.names[1:]), recorded.blocks)
    spelling, path = Spelling(named, mixed=True), np.zeros((12, 21, 3), np.float32)
    path[:, :, 0] = np.linspace(0, 2, 12)[:, None]
    for seed in range(20):
        begun = spelling._begun(path, "z", np.random.default_rng(seed))
        if begun is not path:
            assert np.allclose(begun[:, 0], path[:, 0]), "the wrist goes as it went"
            assert np.abs(begun[0] - path[0]).max() > 0
            return
    raise AssertionError("twenty paths, and none with another hand")
