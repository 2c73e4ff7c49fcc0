"""Sequences as batches, and CTC over them."""

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from training.batches import IGNORED, Example, batch_of, collapsed, ctc_loss, greedy, timed_loss  # noqa: E402


def test_repeats_merge_and_blanks_go() -> None:
    assert collapsed([0, 3, 3, 0, 3, 1, 1, 2, 0]) == (3, 3, 1, 2)
    assert collapsed([0, 0]) == ()


def test_short_examples_stand_still_and_say_nothing_of_their_padding() -> None:
    long = Example(np.arange(6, dtype=np.float32).reshape(3, 2), (1, 2), np.array([0, 1, 2]))
    short = Example(np.ones((1, 2), np.float32), (2,), np.array([2]))
    batch = batch_of([long, short])
    assert batch.features.shape == (2, 3, 2)
    assert batch.features[1].tolist() == [[1, 1]] * 3
    assert batch.lengths.tolist() == [3, 1]
    assert batch.labels.tolist() == [1, 2, 2]
    assert batch.spoken is not None
    assert batch.spoken[1].tolist() == [2, IGNORED, IGNORED]


def test_loss_falls_where_the_right_labels_are_likely() -> None:
    batch = batch_of([Example(np.zeros((4, 1), np.float32), (1, 2), np.array([0, 1, 2, 0]))])
    right = torch.full((1, 4, 3), -5.0)
    for sample, label in enumerate((0, 1, 2, 0)):
        right[0, sample, label] = 5.0
    wrong = right.flip(-1)
    assert ctc_loss(right, batch) < ctc_loss(wrong, batch)
    assert timed_loss(right, batch, 0) < timed_loss(wrong, batch, 0)
    late = torch.roll(right, 1, dims=1)
    assert timed_loss(late, batch, 1) < timed_loss(late, batch, 0)


def test_times_must_be_there_to_learn_from() -> None:
    batch = batch_of([Example(np.zeros((4, 1), np.float32), (1,))])
    with pytest.raises(ValueError, match="every example of the batch needs `spoken`"):
        timed_loss(torch.zeros(1, 4, 2), batch, 0)


def test_an_example_is_read_as_its_best_labels_say() -> None:
    features = np.eye(3, dtype=np.float32)[[0, 1, 1, 0, 2]]
    assert greedy(torch.nn.Identity(), [Example(features, ())]) == [(1, 2)]
